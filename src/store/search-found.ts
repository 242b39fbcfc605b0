// Filters the results of a search. For a text within errors the database finds all matches and some more, because it
// searches the JSON of the error. The caller checks the error itself.

import type { RowFilter } from "../core/record/row-filter.ts";
import { readError } from "../core/record/stored-error.ts";
import { isWithin, lowerAscii } from "../core/record/text-within.ts";
import { Gaps } from "./payloads.ts";
import type { BriefRow, FoundTasks } from "./store.ts";

/** The text to find in the JSON of an error whose message has this text, with all letters A to Z in lower case. */
export function searchedText(text: string): string {
  return lowerAscii(JSON.stringify(text).slice(1, -1));
}

/** A row, and its error if that is searched. */
export interface ErrorRow extends BriefRow {
  readonly error: string | null;
}

interface Found {
  /** In order; one more than `limit` if there are more. */
  readonly rows: readonly ErrorRow[];
  /** The last key that was compared with the filter, and whether there are others after it. */
  readonly looked: { readonly at: number | null; readonly id: string | null; readonly isCut: boolean };
  readonly limit: number;
}

export async function pageOfFound(
  { rows: found, looked, limit }: Found,
  { error: text }: RowFilter,
  fillGaps: (gaps: Gaps) => Promise<void>,
): Promise<FoundTasks> {
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const rows = (text === null ? page : await withText(page, text, fillGaps)).map(toBriefRow);
  if (found.length > limit && last) return { rows, next: { createdAt: last.created_at, id: last.id } };
  if (!looked.isCut || looked.at === null || looked.id === null) return { rows };
  return { rows, next: { createdAt: looked.at, id: looked.id } };
}

/** Reads a separately stored error. */
async function withText(
  rows: readonly ErrorRow[],
  text: string,
  fillGaps: (gaps: Gaps) => Promise<void>,
): Promise<readonly ErrorRow[]> {
  const gaps = new Gaps();
  for (const row of rows) gaps.find(row, row.id, ["error"]);
  if (!gaps.isEmpty) await fillGaps(gaps);
  return rows.filter(({ error }) => error !== null && isWithin(text, readError(error).message));
}

function toBriefRow({ id, flow_name, status, parked_reason, created_at }: ErrorRow): BriefRow {
  return { id, flow_name, status, parked_reason, created_at };
}
