// What tasks that rest wait for, as bits of one number, so that they can be searched for.

/** Words for people, and the bit of each. `doubt` also while a task does something else beside. */
export const WAIT_BITS = { time: 1, signal: 2, child: 4, retry: 8, limit: 16, doubt: 32, pause: 64 } as const;

export type WaitKind = keyof typeof WAIT_BITS;

export const WAIT_KINDS = Object.keys(WAIT_BITS) as readonly WaitKind[];

/** Every set of bits is smaller. */
export const WAITS_END = 128;

/** Null: it waits for nothing. */
export function waitsOf(kinds: Iterable<WaitKind>): number | null {
  let bits = 0;
  for (const kind of kinds) bits |= WAIT_BITS[kind];
  return bits === 0 ? null : bits;
}

/** The values of `waits` of a task that has a step in doubt. */
export const WAITS_IN_DOUBT: readonly number[] = Array.from({ length: 127 }, (_, n) => n + 1).filter(
  (waits) => (waits & WAIT_BITS.doubt) !== 0,
);
