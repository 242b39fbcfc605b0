// How long tasks waited for a worker, as counts of ranges: enough for medians and the like, and the counts of several
// processes can be added up.

/** Upper bounds of the ranges, in milliseconds. One more range has all above. */
export const DELAY_BOUNDS_MS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 60_000, 120_000, 300_000, 900_000, 3_600_000,
  21_600_000, 86_400_000,
] as const;

export const DELAY_RANGES = DELAY_BOUNDS_MS.length + 1;

/** The place of the range that the delay, in milliseconds, is in. */
export function delayRange(ms: number): number {
  let place = 0;
  while (place < DELAY_BOUNDS_MS.length && ms > (DELAY_BOUNDS_MS[place] ?? 0)) place += 1;
  return place;
}

/**
 * The delay, in milliseconds, that `share` (0 to 1) of all did not exceed. It is right within its range: within a range
 * delays are taken to be spread evenly, and all above the last bound for that bound. Null: there were none.
 */
export function delayAt(counts: readonly number[], share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const wanted = share * total;
  let before = 0;
  for (const [place, count] of counts.entries()) {
    if (count > 0 && before + count >= wanted) {
      const from = DELAY_BOUNDS_MS[place - 1] ?? 0;
      const to = DELAY_BOUNDS_MS[place] ?? from;
      return from + (to - from) * Math.max(0, (wanted - before) / count);
    }
    before += count;
  }
  throw new Error("The ranges have all of them.");
}
