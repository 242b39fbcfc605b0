import type { Clock } from "../../core/clock.ts";

/** How long the event loop is blocked at a time. */
const SLICE_MS = 8;

/**
 * Runs work that yields now and then: at once if it is quick, otherwise with a turn of the event loop after each slice.
 */
export function inSlices<T>(work: Generator<undefined, T>, clock: Pick<Clock, "now">): T | Promise<T> {
  const until = clock.now() + SLICE_MS;
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    if (clock.now() >= until) return new Promise(setImmediate).then(() => inSlices(work, clock));
  }
}

/** The same in one go. */
export function inOneGo<T>(work: Generator<undefined, T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}
