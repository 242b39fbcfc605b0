// How both stores build a page of an inbox from the rows that they found.

import type { InboxRow } from "../core/record/record.ts";
import { INBOX_PAGE, type InboxPage } from "./store.ts";

/** How many rows of each kind to find, to know whether there are more. */
export const INBOX_FOUND_MAX = INBOX_PAGE + 1;

/**
 * `found` holds the first INBOX_FOUND_MAX rows of each kind, `cancels` the first cancels, whether among them or not.
 */
export function toInboxPage(
  wakeSeq: number,
  { found, cancels }: { readonly found: readonly InboxRow[]; readonly cancels: readonly InboxRow[] },
): InboxPage {
  const inOrder = found.toSorted((a, b) => a.seq - b.seq);
  const rows = inOrder.slice(0, INBOX_PAGE);
  const next = inOrder.length > INBOX_PAGE ? (rows.at(-1)?.seq ?? null) : null;
  const later = cancels.filter(({ seq }) => !rows.some((row) => row.seq === seq));
  return { wakeSeq, rows: [...rows, ...later.toSorted((a, b) => a.seq - b.seq)], next };
}
