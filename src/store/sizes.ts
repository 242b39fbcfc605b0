// How much is read at once. Sizes are `recorded_bytes` of tasks.

/** A larger task is read separately, page by page; a smaller one is read whole, together with others. */
export const LARGE_BYTES = 1024 * 1024;

/** The size of one claim, and of one page of a list, unless it is a single task. */
export const TOGETHER_BYTES = 4 * 1024 * 1024;

/** The steps, or calls, of one page of a large task. */
export const PAGE_ROWS = 200;

/** As many, in order, as fit into `TOGETHER_BYTES`, and at least the first. */
export function fitTogether(rows: readonly { readonly recorded_bytes: number }[]): number {
  let bytes = 0;
  for (const [place, row] of rows.entries()) {
    bytes += row.recorded_bytes;
    if (bytes > TOGETHER_BYTES) return Math.max(1, place);
  }
  return rows.length;
}
