// Numbers, and how they are written.

/** Throws on an empty list. */
export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** The smallest value that is not below `percent` of all (nearest rank). Throws on an empty list. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  if (value === undefined) throw new Error("There is no percentile of nothing.");
  return value;
}

export function milliseconds(ms: number): string {
  return `${ms.toFixed(ms < 1 ? 3 : ms < 10 ? 2 : 1)} ms`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

/** `2.3×` */
export function ratio(value: number, base: number): string {
  return `${(value / base).toFixed(1)}×`;
}

/** Calls `work` once and gives how long it took, in milliseconds. */
export async function timed(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
