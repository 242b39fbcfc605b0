// All tasks as one JSON array, in constant memory: a page is asked for when the client has taken the one before, nothing
// stays open in the store between pages, and a client that leaves ends the paging.

import type { Log } from "../core/log.ts";
import type { TaskPage, Taskonaut } from "../core/taskonaut.ts";

/** Tasks asked for at a time: enough to make a page cheap, few enough that many clients' pages fit in memory. */
const STREAM_PAGE = 100;

/**
 * The first page is read before this resolves, so that a database that is gone is still answered with a status. An error
 * later breaks the connection off: the array is then visibly unfinished.
 */
export async function streamTasks(taskonaut: Taskonaut, log: Log): Promise<ReadableStream<Uint8Array>> {
  const encoder = new TextEncoder();
  let page: TaskPage | undefined = await taskonaut.listTasks({ limit: STREAM_PAGE });
  let cursor: string | undefined;
  let opened = false;
  let left = false;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          page ??= await taskonaut.listTasks({ limit: STREAM_PAGE, ...(cursor !== undefined && { cursor }) });
          const last = page.next === undefined;
          const tasks = page.tasks.map((task) => JSON.stringify(task)).join(",");
          // the last page may be empty; every pull writes something, for one that does not is never repeated
          const glue = !opened ? "[" : tasks === "" ? "\n" : ",\n";
          controller.enqueue(encoder.encode(glue + tasks + (last ? "]" : "")));
          if (last) controller.close();
          opened = true;
          cursor = page.next;
          page = undefined;
        } catch (error) {
          if (!left) log.error?.("GET /tasks broke off", { error });
          // without a reason: Bun would print one to stderr, past the log
          controller.error();
        }
      },
      cancel() {
        left = true;
      },
    },
    { highWaterMark: 0 },
  );
}
