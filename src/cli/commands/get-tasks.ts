import { TaskonautError } from "../../core/errors.ts";
import type { DamagedTask } from "../../core/api/task.ts";
import type { ListTasks, SummaryPage, TaskPage, Taskonaut } from "../../core/api/taskonaut.ts";
import type { TaskFilter } from "../../core/api/task-filter.ts";
import { suggest } from "../../core/nearest.ts";
import type { Call, Command } from "../command.ts";
import { countTasks, readCountBy } from "../count-tasks.ts";
import { withTaskonaut } from "../drive.ts";
import { FILTER_OPTIONS, readFilterOptions } from "../filter-options.ts";
import { tell } from "../print.ts";
import { type TaskPages, printTaskArray, printTaskLines, printTaskTable } from "../print-tasks.ts";
import { readCount } from "../usage.ts";
import { readWatch, WATCH_OPTION } from "../watch.ts";
import { WATCHED_DEFAULT, WATCHED_MAX, watchTasks } from "../watch-tasks.ts";
import { readView, VIEW_OPTION } from "../view.ts";

/** How many tasks a person sees by default; a program gets all. */
const SHOWN_DEFAULT = 20;
const LIMIT_MAX = 1_000_000_000;
/** Tasks of one page: enough to make the round trips cheap, few enough to hold them whole. */
const PAGE_TASKS = 100;

export const getTasks: Command = {
  name: "get-tasks",
  summary: "List tasks, newest first",
  about:
    "A terminal gets a table of the newest; a pipe gets all of them as JSON. With --watch the table is kept up to date until Ctrl-C.",
  args: [],
  options: [
    { name: "limit", value: "N", summary: `At most N tasks (default: all; on a terminal ${SHOWN_DEFAULT})` },
    VIEW_OPTION,
    WATCH_OPTION,
    ...FILTER_OPTIONS,
    { name: "count", summary: "Only say how many there are" },
    { name: "by", value: "flow,status", summary: "With --count: of each flow, of each state, or of each of both" },
  ],
  takesFields: false,
  needs: "tasks",
  readsOnly: true,
  logLevel: "warn",
  examples: [
    "get-tasks --limit 10",
    "get-tasks --flow echo_add --status FAILED --since 2h",
    "get-tasks --needs-person",
    "get-tasks --tag customer=c1 --error timeout",
    "get-tasks --count --by flow,status",
  ],

  async run(call) {
    const watches = readWatch(call, []);
    const limit = readCount(call.flags, "limit", { min: 1, max: watches ? WATCHED_MAX : LIMIT_MAX });
    const view = readView(call);
    const filter = readFilterOptions(call);
    const by = readCountBy(call);
    if (by) return countTasks(call, filter, by);
    return withTaskonaut(call, async (taskonaut) => {
      if (watches) {
        await watchTasks(call, () => taskonaut.listTaskSummaries({ limit: limit ?? WATCHED_DEFAULT, filter }));
        return 0;
      }
      const isTable = call.look.style === "readable";
      const read: ReadPage =
        view === "summary"
          ? (request) => taskonaut.listTaskSummaries(request)
          : (request) => taskonaut.listTasks(request);
      const pages = readPages(read, filter, limit ?? (isTable ? SHOWN_DEFAULT : Number.POSITIVE_INFINITY));
      const damaged = await printerOf(call.look)(call, pages, () => tellNone(call, taskonaut, filter));
      if (damaged.length > 0) throw someDamaged(damaged);
      return 0;
    });
  },
};

function printerOf({ style }: Call["look"]): typeof printTaskTable {
  switch (style) {
    case "readable":
      return printTaskTable;
    case "lines":
      return printTaskLines;
    case "compact":
    case "pretty":
      return printTaskArray;
  }
}

/** A flow without tasks may be a typing mistake. */
async function tellNone(call: Call, taskonaut: Taskonaut, filter: TaskFilter): Promise<void> {
  if (Object.keys(filter).length === 0) return tell(call, ["No tasks yet."], call.hints.give("makeFirstTask"));
  const { flow: asked } = filter;
  if (asked === undefined) return tell(call, ["No task matches."]);
  const { counts } = await taskonaut.countTasks({});
  const names = [...new Set(counts.map(({ flow_name }) => flow_name))];
  const lines = asked
    .filter((name) => !names.includes(name))
    .map((name) => `There is no task of flow ${name}${suggest(name, names) || "."}`);
  await tell(call, ["No task matches.", ...lines]);
}

/** All others are listed by then. */
function someDamaged(damaged: readonly DamagedTask[]): TaskonautError {
  const [first] = damaged;
  const message = damaged.length === 1 && first ? first.damage : `${damaged.length} of these tasks are damaged.`;
  const errors = damaged.length === 1 ? [] : damaged.map(({ id, damage }) => ({ path: id, message: damage }));
  return new TaskonautError("record_damaged", message, { details: { ids: damaged.map(({ id }) => id) }, errors });
}

type ReadPage = (request: ListTasks) => Promise<TaskPage | SummaryPage>;

/** Page by page, so that any number of tasks costs constant memory. Returns whether there are more than the limit. */
async function* readPages(read: ReadPage, filter: TaskFilter, limit: number): TaskPages {
  let left = limit;
  let cursor: string | undefined;
  do {
    const page = await read({
      limit: Math.min(left, PAGE_TASKS),
      filter,
      ...(cursor === undefined ? {} : { cursor }),
    });
    yield page.tasks;
    left -= page.tasks.length;
    cursor = page.next;
  } while (cursor !== undefined && left > 0);
  return { more: cursor !== undefined };
}
