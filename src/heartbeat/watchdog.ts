// Tells a blocked loop from a process that is not running at all.
//
// HD1. The watched loop raises a number in every period. If the number no longer grows, the loop is stuck.
// HD2. Time counts as stuck only if the watcher itself was on time. If the whole process stops (it is suspended, or the
//      machine sleeps or is overloaded), the watcher is late as well.

export class Watchdog {
  #turns: number | undefined;
  #lookedAt: number;
  #stuckMs = 0;

  /** `periodMs`: how often it will check. `now`: a monotonic time in milliseconds, like all others. */
  constructor(
    private readonly periodMs: number,
    now: number,
  ) {
    this.#lookedAt = now;
  }

  /** Returns how long the loop has been stuck, in milliseconds. Call it once per period. */
  look(turns: number, now: number): number {
    const sinceMs = now - this.#lookedAt;
    this.#lookedAt = now;
    if (turns !== this.#turns) {
      this.#turns = turns;
      this.#stuckMs = 0;
    } else if (sinceMs < Math.max(LATE * this.periodMs, LATE_MS_MIN)) {
      this.#stuckMs += sinceMs; // HD2
    }
    return this.#stuckMs;
  }
}

/** A check that comes after this many periods is late. */
const LATE = 2;
/** But no sooner than this, even if the period is short: on a busy machine every thread is sometimes this late. */
const LATE_MS_MIN = 500;
