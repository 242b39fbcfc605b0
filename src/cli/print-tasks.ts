// Many tasks on stdout, a page at a time. Whoever reads may go away in the middle (`| head`): that is no error.

import { type DamagedTask, isDamaged, type ListedTask } from "../core/api/task.ts";
import { taskJson, together } from "../core/api/task-json.ts";
import { alignRows, type Cell, showText } from "./cells.ts";
import type { Call } from "./command.ts";
import type { Look } from "./look.ts";
import { tell, toJson } from "./print.ts";
import { ID_COLUMNS, showTime, standingCell } from "./show-task.ts";

export type TaskPages = AsyncGenerator<readonly ListedTask[], { readonly more: boolean }>;

/** One JSON array, a task a line (indented on a terminal), written as the pages come. Gives those that are damaged. */
export async function printTaskArray(
  { io, look }: Pick<Call, "io" | "look">,
  pages: TaskPages,
): Promise<readonly DamagedTask[]> {
  const damaged: DamagedTask[] = [];
  let before = "[";
  for await (const tasks of pages) {
    damaged.push(...tasks.filter(isDamaged));
    for (const text of together(linesOf(tasks, before, look))) if (!(await io.stdout.write(text))) return damaged;
    if (tasks.length > 0) before = ",\n";
  }
  await io.stdout.write(before === "[" ? "[]\n" : "]\n");
  return damaged;
}

function* linesOf(tasks: readonly ListedTask[], first: string, look: Look): Generator<string, void, void> {
  let before = first;
  for (const task of tasks) {
    yield before;
    if (look.style === "compact") yield* taskJson(task);
    else yield toJson(task, look);
    before = ",\n";
  }
}

const HEAD: readonly Cell[] = ["TASK", "STATUS", "CREATED (UTC)", "FLOW"].map((text) => ({ text, color: "dim" }));
/** So that the columns of all pages stand under each other: a UUID, COMPLETED, a time to the second. */
const COLUMNS_LEAST = [ID_COLUMNS, 9, 19];

/** A line per task; says on stderr when there are more than were asked for. Gives those that are damaged. */
export async function printTaskTable(
  call: Pick<Call, "io" | "look" | "talk" | "flags" | "hints">,
  pages: TaskPages,
): Promise<readonly DamagedTask[]> {
  const { io, look } = call;
  const damaged: DamagedTask[] = [];
  const flowColumns = Math.max(look.columns - COLUMNS_LEAST.reduce((sum, width) => sum + width + 2, 0), 12);
  let head = [HEAD];
  let shown = 0;
  let page = await pages.next();
  for (; !page.done; page = await pages.next()) {
    const rows = page.value.map((task): readonly Cell[] => [
      { text: showText(task.id, ID_COLUMNS) },
      isDamaged(task) ? { text: "DAMAGED", color: "red" } : standingCell(task),
      { text: showTime(task.created_at).slice(0, 19) },
      { text: isDamaged(task) ? "" : showText(task.flow_name, flowColumns) },
    ]);
    damaged.push(...page.value.filter(isDamaged));
    shown += rows.length;
    if (rows.length === 0) continue;
    if (!(await io.stdout.write(`${alignRows([...head, ...rows], look.paint, COLUMNS_LEAST).join("\n")}\n`)))
      return damaged;
    head = [];
  }
  if (shown === 0) await tell(call, ["No tasks yet."], call.hints.give("makeFirstTask"));
  else if (page.value.more) await io.stderr.write(`The newest ${shown}; --limit N shows more.\n`);
  return damaged;
}
