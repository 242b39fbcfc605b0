// Many tasks on stdout, a page at a time. Whoever reads may go away in the middle (`| head`): that is no error.

import type { Task } from "../core/task.ts";
import { alignRows, type Cell, showText } from "./cells.ts";
import type { Call } from "./command.ts";
import { toJson } from "./print.ts";
import { ID_COLUMNS, showTime, standingCell } from "./show-task.ts";

export type TaskPages = AsyncGenerator<readonly Task[], { readonly more: boolean }>;

/** One JSON array, a task a line (indented on a terminal), written as the pages come. */
export async function printTaskArray({ io, look }: Pick<Call, "io" | "look">, pages: TaskPages): Promise<void> {
  let before = "[";
  for await (const tasks of pages) {
    let text = "";
    for (const task of tasks) {
      text += before + toJson(task, look);
      before = ",\n";
    }
    if (!(await io.stdout.write(text))) return;
  }
  await io.stdout.write(before === "[" ? "[]\n" : "]\n");
}

const HEAD: readonly Cell[] = ["TASK", "STATUS", "CREATED (UTC)", "FLOW"].map((text) => ({ text, color: "dim" }));
/** So that the columns of all pages stand under each other: a UUID, COMPLETED, a time to the second. */
const COLUMNS_LEAST = [ID_COLUMNS, 9, 19];

/** A line per task; says on stderr when there are more than were asked for. */
export async function printTaskTable({ io, look }: Pick<Call, "io" | "look">, pages: TaskPages): Promise<void> {
  const flowColumns = Math.max(look.columns - COLUMNS_LEAST.reduce((sum, width) => sum + width + 2, 0), 12);
  let head = [HEAD];
  let shown = 0;
  let page = await pages.next();
  for (; !page.done; page = await pages.next()) {
    const rows = page.value.map((task): readonly Cell[] => [
      { text: showText(task.id, ID_COLUMNS) },
      standingCell(task),
      { text: showTime(task.created_at).slice(0, 19) },
      { text: showText(task.flow_name, flowColumns) },
    ]);
    shown += rows.length;
    if (rows.length === 0) continue;
    if (!(await io.stdout.write(`${alignRows([...head, ...rows], look.paint, COLUMNS_LEAST).join("\n")}\n`))) return;
    head = [];
  }
  if (shown === 0) await io.stderr.write("No tasks yet. `taskonaut run-flow` makes one.\n");
  else if (page.value.more) await io.stderr.write(`The newest ${shown}; --limit N shows more.\n`);
}
