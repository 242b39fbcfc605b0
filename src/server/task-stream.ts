// Streams tasks as JSON, in constant memory. The next piece is made when the client has taken the previous one. Nothing
// stays open in the store between pages, and the reading ends when the client leaves. The event loop gets a turn
// between two pieces: otherwise a few streams that only compute would block all other requests.

import type { Log } from "../core/log.ts";
import type { Task, TaskSummary } from "../core/api/task.ts";
import { taskJson, together } from "../core/api/task-json.ts";
import type { TaskFilter } from "../core/api/task-filter.ts";
import type { ListTasks, SummaryPage, TaskPage } from "../core/api/taskonaut.ts";
import { traceJson } from "../core/record/otlp.ts";
import type { Trace } from "../core/record/trace.ts";
import { turnOfLoop } from "../turn-of-loop.ts";

/** Tasks per page: enough to make a page cheap, few enough that many clients' pages fit in memory. */
const STREAM_PAGE = 100;

/** A smaller task is answered without a stream. */
const STREAMED_FROM = 256 * 1024;

/** A page of tasks, or of their summaries. */
type Page = TaskPage | SummaryPage;

export type ReadPage = (request: ListTasks) => Promise<Page>;

export const JSON_TYPE = { "Content-Type": "application/json" };

/**
 * All tasks that match the filter, as one array. The first page is read before this resolves, so that an unreachable
 * database is still answered with a status. A later error breaks the connection: the array is then visibly incomplete.
 */
export async function streamTasks(read: ReadPage, filter: TaskFilter, log: Log): Promise<ReadableStream<Uint8Array>> {
  const first = await read({ limit: STREAM_PAGE, filter });
  return toStream(arrayOf(pagesFrom(first, filter, read), log), log, "GET /tasks");
}

/** One page, as an array. */
export function streamPage(page: Page, log: Log): ReadableStream<Uint8Array> {
  const pages = (async function* () {
    yield page.tasks;
  })();
  return toStream(arrayOf(pages, log), log, "GET /tasks");
}

/** One task. Undefined: it is small enough for an answer without a stream. */
export function streamTask(task: Task | TaskSummary, log: Log): ReadableStream<Uint8Array> | undefined {
  if (!(task.recorded_bytes >= STREAMED_FROM)) return undefined;
  return toStream(together(taskJson(task)), log, `task ${task.id}`);
}

/** The spans of a task. */
export function streamTrace(trace: Trace, id: string, log: Log): ReadableStream<Uint8Array> {
  return toStream(together(traceJson(trace)), log, `trace of task ${id}`);
}

async function* pagesFrom(first: Page, filter: TaskFilter, read: ReadPage): AsyncGenerator<Page["tasks"]> {
  for (let page = first; ;) {
    yield page.tasks;
    if (page.next === undefined) return;
    await turnOfLoop(); // also if a page has nothing to write
    page = await read({ limit: STREAM_PAGE, filter, cursor: page.next });
  }
}

async function* arrayOf(pages: AsyncGenerator<Page["tasks"]>, log: Log): AsyncGenerator<string> {
  let glue = "[";
  for await (const tasks of pages) {
    for (const task of tasks)
      if ("damage" in task) log.error?.("damaged task listed", { task_id: task.id, error: task.damage });
    yield* together(gluedTasks(tasks, glue));
    if (tasks.length > 0) glue = ",\n";
  }
  yield glue === "[" ? "[]" : "]";
}

function* gluedTasks(tasks: Page["tasks"], first: string): Generator<string, void, void> {
  let glue = first;
  for (const task of tasks) {
    yield glue;
    yield* taskJson(task);
    glue = ",\n";
  }
}

function toStream(
  pieces: Generator<string> | AsyncGenerator<string>,
  log: Log,
  what: string,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let left = false;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          await turnOfLoop();
          const piece = await pieces.next();
          if (piece.done) controller.close();
          else controller.enqueue(encoder.encode(piece.value));
        } catch (error) {
          if (!left) log.error?.(`${what} broke off`, { error });
          // without a reason: otherwise Bun prints it to stderr, past the log
          controller.error();
        }
      },
      async cancel() {
        left = true;
        await pieces.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}
