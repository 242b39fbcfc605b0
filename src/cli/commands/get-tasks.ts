import type { Task } from "../../core/task.ts";
import type { Taskonaut } from "../../core/taskonaut.ts";
import type { Command } from "../command.ts";
import { withTaskonaut } from "../drive.ts";
import { type TaskPages, printTaskArray, printTaskTable } from "../print-tasks.ts";
import { readCount } from "../usage.ts";

/** How many tasks a person sees who did not say how many; a program gets all. */
const SHOWN_DEFAULT = 20;
const LIMIT_MAX = 1_000_000_000;
/** Tasks of one page: enough to make the round trips cheap, few enough to hold them whole. */
const PAGE_TASKS = 100;

export const getTasks: Command = {
  name: "get-tasks",
  summary: "List tasks, newest first",
  args: [],
  options: [{ name: "limit", value: "N", summary: `At most N tasks (default: all; on a terminal ${SHOWN_DEFAULT})` }],
  takesFields: false,
  needs: "tasks",
  readsOnly: true,
  logLevel: "warn",
  examples: ["get-tasks --limit 10", "get-tasks | jq 'map(select(.status == \"FAILED\"))'"],

  async run(call) {
    const limit = readCount(call.flags, "limit", { min: 1, max: LIMIT_MAX });
    return withTaskonaut(call, async (taskonaut) => {
      if (call.look.style === "readable") await printTaskTable(call, readPages(taskonaut, limit ?? SHOWN_DEFAULT));
      else await printTaskArray(call, readPages(taskonaut, limit ?? Number.POSITIVE_INFINITY));
      return 0;
    });
  },
};

/** Page by page, so that any number of tasks costs constant memory. Returns whether there are more than the limit. */
async function* readPages(taskonaut: Taskonaut, limit: number): TaskPages {
  let left = limit;
  let cursor: string | undefined;
  do {
    const page = await taskonaut.listTasks({
      limit: Math.min(left, PAGE_TASKS),
      ...(cursor === undefined ? {} : { cursor }),
    });
    yield page.tasks satisfies readonly Task[];
    left -= page.tasks.length;
    cursor = page.next;
  } while (cursor !== undefined && left > 0);
  return { more: cursor !== undefined };
}
