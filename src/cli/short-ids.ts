// Ids in tables: whole where there is room, else as much of their beginnings as tells them apart. What is shown can be
// typed: a unique beginning of an id stands for it (`task-id.ts`).

import { showText } from "./cells.ts";
import type { Column } from "./table.ts";

const WHOLE = 36;

/**
 * The millisecond in which a task was created, which is how its id begins. With less, the next task would make the
 * beginning ambiguous that somebody has just copied.
 */
const LEAST = 13;

/** How wide a column of these ids may be. */
export function idColumnOf(ids: readonly string[]): Pick<Column<never>, "least" | "most" | "turn" | "isStiff"> {
  return { least: lengthThatTells(ids), most: WHOLE, turn: 2, isStiff: true };
}

/** At most so many columns of the id; a cut says nothing of itself, and does not end with a dash. */
export function showId(id: string, width: number): string {
  // whatever a server calls an id
  if (!/^[\da-f-]{1,36}$/i.test(id)) return showText(id, Math.min(width, WHOLE));
  return id.length <= width ? id : id.slice(0, Math.max(width, 0)).replace(/-$/, "");
}

/** How many characters tell all of them apart. */
function lengthThatTells(ids: readonly string[]): number {
  const sorted = [...new Set(ids)].toSorted();
  let length = LEAST;
  for (const [place, id] of sorted.entries()) {
    const next = sorted[place + 1];
    if (next !== undefined) length = Math.max(length, commonOf(id, next) + 1);
  }
  // a dash at the end is not shown
  return Math.min(sorted.some((id) => id[length - 1] === "-") ? length + 1 : length, WHOLE);
}

function commonOf(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length++;
  return length;
}
