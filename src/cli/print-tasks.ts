// Many tasks on stdout, a page at a time. The reader may stop in the middle (`| head`): that is not an error.

import { type DamagedTask, isDamaged, type ListedSummary, type ListedTask } from "../core/api/task.ts";
import { taskJson, together } from "../core/api/task-json.ts";
import { escapeControls } from "../core/visible.ts";
import { type Cell, showJson, showText } from "./cells.ts";
import type { Call } from "./command.ts";
import type { Look } from "./look.ts";
import { toJson } from "./print.ts";
import { idColumnOf, showId } from "./short-ids.ts";
import { standingOf } from "./standing.ts";
import { type Column, drawTable, drawHead, drawRows, type Layout, layOut } from "./table.ts";
import { describeAge } from "./times.ts";
import { withoutPayloads } from "./view.ts";

/** A task, whole or as a summary. */
type Listed = ListedTask | ListedSummary;

export type TaskPages = AsyncGenerator<readonly Listed[], { readonly more: boolean }>;

/** One JSON array with a task per line (indented on a terminal), written page by page. Returns the damaged tasks. */
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

function* linesOf(tasks: readonly Listed[], first: string, look: Look): Generator<string, void, void> {
  let before = first;
  for (const task of tasks) {
    yield before;
    if (look.style === "compact") yield* taskJson(task);
    else yield toJson(task, look);
    before = ",\n";
  }
}

/** One line per task, without an array around them. Returns the damaged tasks. */
export async function printTaskLines({ io }: Pick<Call, "io">, pages: TaskPages): Promise<readonly DamagedTask[]> {
  const damaged: DamagedTask[] = [];
  for await (const tasks of pages) {
    damaged.push(...tasks.filter(isDamaged));
    for (const text of together(endedLines(tasks))) if (!(await io.stdout.write(escapeControls(text)))) return damaged;
  }
  return damaged;
}

function* endedLines(tasks: readonly Listed[]): Generator<string, void, void> {
  for (const task of tasks) {
    yield* taskJson(task);
    yield "\n";
  }
}

/**
 * A table with a line per task. Says on stderr if there are more tasks than were asked for, and calls `tellNone` if there
 * are none. Returns the damaged tasks.
 */
export async function printTaskTable(
  call: Pick<Call, "io" | "look">,
  pages: TaskPages,
  tellNone: () => Promise<void>,
): Promise<readonly DamagedTask[]> {
  const { io, look } = call;
  const damaged: DamagedTask[] = [];
  let layout: Layout<ListedTask> | undefined;
  let shown = 0;
  let page = await pages.next();
  for (; !page.done; page = await pages.next()) {
    const tasks = page.value.map(toShown);
    damaged.push(...tasks.filter(isDamaged));
    shown += tasks.length;
    if (tasks.length === 0) continue;
    const now = look.now();
    const head = layout === undefined;
    layout ??= layOut(taskColumns(tasks, now), tasks, { width: look.columns, isOpen: tasks.length >= OPEN_FROM });
    const lines = [...(head ? [drawHead(layout, look.paint)] : []), ...drawRows(layout, tasks, look.paint)];
    if (!(await io.stdout.write(`${lines.join("\n")}\n`))) return damaged;
  }
  if (shown === 0) await tellNone();
  else if (page.value.more) await io.stderr.write(`The newest ${shown}; --limit N shows more.\n`);
  return damaged;
}

/** One page of tasks as a table, in lines without breaks. */
export function drawTasks(tasks: readonly Listed[], look: Look): readonly string[] {
  const shown = tasks.map(toShown);
  return drawTable(taskColumns(shown, look.now()), shown, look);
}

/** A page of so many tasks may not be the last one. */
const OPEN_FROM = 50;

function taskColumns(tasks: readonly ListedTask[], now: number): readonly Column<ListedTask>[] {
  return [
    {
      ...idColumnOf(tasks.map(({ id }) => id)),
      head: "TASK",
      show: ({ id }, width) => ({ text: showId(id, width) }),
    },
    {
      head: "STATUS",
      // `WAITING for sig`: with less room nobody knows what the task waits for
      least: 15,
      most: 48,
      turn: 0,
      show: (task, width) => {
        const { text, color }: Cell = isDamaged(task) ? { text: "DAMAGED", color: "red" } : standingOf(task, now);
        return { text: showText(text, width), ...(color && { color }) };
      },
    },
    {
      head: "FLOW",
      least: 8,
      most: 40,
      goes: 1,
      show: (task, width) => ({ text: isDamaged(task) ? "" : showText(task.flow_name, width) }),
    },
    { head: "CREATED", goes: 2, show: ({ created_at }) => ({ text: describeAge(created_at, now) }) },
    {
      head: "TAGS",
      least: 8,
      most: 40,
      goes: 5,
      show: (task, width) => ({ text: tagsText(task, width), color: "dim" }),
    },
    { head: "ERROR", least: 12, goes: 3, show: (task, width) => errorCell(task, width) },
    {
      head: "INPUT",
      least: 16,
      goes: 4,
      show: (task, width) => ({ text: isDamaged(task) ? "" : showJson(task.input_payload, width), color: "dim" }),
    },
  ];
}

function tagsText(task: ListedTask, width: number): string {
  if (isDamaged(task)) return "";
  return showText(
    Object.entries(task.tags)
      .map(([key, value]) => `${key}=${value}`)
      .join(" "),
    width,
  );
}

/** Why it failed, or why a person is needed. */
function errorCell(task: Listed, width: number): Cell {
  if (isDamaged(task)) return { text: "" };
  const { error_message, parked_reason } = task;
  if (error_message !== null) return { text: showText(error_message, width), color: "red" };
  return { text: showText(parked_reason ?? "", width), color: "yellow" };
}

/** Nothing of what a summary leaves out is shown. */
function toShown(task: Listed): ListedTask {
  return isDamaged(task) || "input_payload" in task ? task : withoutPayloads(task);
}
