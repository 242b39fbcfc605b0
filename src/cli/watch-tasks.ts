// `get-tasks --watch`

import { isDamaged, type ListedSummary } from "../core/api/task.ts";
import type { SummaryPage } from "../core/api/taskonaut.ts";
import type { Call } from "./command.ts";
import type { LiveLines } from "./io.ts";
import { drawTasks } from "./print-tasks.ts";
import { toJson } from "./print.ts";
import { lookAgain, untilSignal } from "./watch.ts";

/** How many tasks are read each time: the default, and the maximum. */
export const WATCHED_DEFAULT = 20;
export const WATCHED_MAX = 100;

type Read = () => Promise<SummaryPage>;

/** Shows the newest tasks until a signal comes, or nobody reads any more. Throws cancelled. */
export function watchTasks(call: Call, read: Read): Promise<void> {
  return call.look.style === "lines" ? printChanges(call, read) : showChanges(call, read);
}

/** A line for each new or changed task, the oldest first. */
function printChanges(call: Call, read: Read): Promise<void> {
  let last: ReadonlyMap<string, string> = new Map();
  return untilSignal(call, async (signal) => {
    await lookAgain(call, signal, async () => {
      const { tasks } = await read();
      const now = new Map(tasks.map((task) => [task.id, toJson(task, call.look)]));
      const changed = [...now].filter(([id, text]) => last.get(id) !== text).map(([, text]) => `${text}\n`);
      last = now;
      const isRead = changed.length === 0 || (await call.io.stdout.write(changed.toReversed().join("")));
      return isRead ? undefined : "over";
    });
  });
}

async function showChanges(call: Call, read: Read): Promise<void> {
  const { openInPlace, rowsFor } = await import("./live/in-place.ts");
  const lines = call.io.stderr.isTTY ? openInPlace(call) : undefined;
  const show = lines ? inPlace(call, lines, () => rowsFor(lines)) : lineByLine(call);
  try {
    await untilSignal(call, async (signal) => {
      await lookAgain(call, signal, async () => {
        await show(await read());
        return undefined;
      });
    });
  } finally {
    await lines?.close({ keeps: true });
  }
}

function inPlace({ look }: Call, lines: LiveLines, rowsMax: () => number): (page: SummaryPage) => Promise<void> {
  return async ({ tasks, next }) => {
    // one for the head, one for the foot
    const shown = tasks.slice(0, Math.max(rowsMax() - 2, 1));
    const columns = lines.columns - 1;
    const table = shown.length === 0 ? [] : drawTasks(shown, { ...look, columns });
    const isMore = next !== undefined || tasks.length > shown.length;
    const foot = shown.length === 0 ? "No tasks." : isMore ? `The newest ${shown.length}.` : "All tasks.";
    lines.show([...table, look.paint("dim", `${foot} Ctrl-C stops.`.slice(0, columns))]);
  };
}

/** If nothing can be shown in place: the new and changed rows. */
function lineByLine({ io, look }: Call): (page: SummaryPage) => Promise<void> {
  let last: ReadonlyMap<string, string> = new Map();
  return async ({ tasks }) => {
    const now = new Map(tasks.map((task) => [task.id, stampOf(task)]));
    const changed = tasks.filter(({ id }) => last.get(id) !== now.get(id)).toReversed();
    last = now;
    if (changed.length > 0) await io.stdout.write(`${drawTasks(changed, look).join("\n")}\n`);
  };
}

function stampOf(task: ListedSummary): string {
  return isDamaged(task) ? task.damage : `${task.status} ${task.updated_at} ${task.parked_reason}`;
}
