// Ids in tables: whole if there is room, else beginnings that are long enough to be unique. A person can type what is shown:
// commands accept a unique beginning of an id (`task-id.ts`).

import { showText } from "./cells.ts";
import type { Column } from "./table.ts";

const WHOLE = 36;

/**
 * The length of the creation time, with which an id begins. With less, the next task could make a beginning ambiguous that
 * somebody has just copied.
 */
const LEAST = 13;

/** How wide a column of these ids may be. */
export function idColumnOf(ids: readonly string[]): Pick<Column<never>, "least" | "most" | "turn" | "isStiff"> {
  return { least: lengthThatTells(ids), most: WHOLE, turn: 2, isStiff: true };
}

/** At most so many columns of the id. A cut is not marked, and does not end with a dash. */
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
