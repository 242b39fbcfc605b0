/** Waits between retries: each is twice as long as the one before, up to a maximum. */
export interface Backoff {
  readonly minMs: number;
  readonly maxMs: number;
}

/** The wait after another failure; `lastMs` is the wait before that one, 0 after the first. */
export function nextWait({ minMs, maxMs }: Backoff, lastMs = 0): number {
  return Math.min(maxMs, Math.max(minMs, 2 * lastMs));
}
