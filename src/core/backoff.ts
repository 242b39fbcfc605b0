/** Waits between tries of what fails for a while: each is twice as long as the one before, up to a maximum. */
export interface Backoff {
  readonly minMs: number;
  readonly maxMs: number;
}

/** How long to wait after so many failures in a row: 1 or more. */
export function waitAfter(failures: number, { minMs, maxMs }: Backoff): number {
  return Math.min(maxMs, minMs * 2 ** (failures - 1));
}
