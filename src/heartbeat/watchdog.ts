// Tells a loop that is blocked from a process that is not run at all.
//
// HD1. The loop that is watched raises a number in every period. One that is not raised any more is stuck.
// HD2. Time counts as stuck only where the watcher itself was on time. What stops a whole process (it is suspended, the
//      machine sleeps or is overloaded) makes the watcher late as well.

export class Watchdog {
  #turns: number | undefined;
  #lookedAt: number;
  #stuckMs = 0;

  /** `periodMs`: how often it will look. `now`: a monotonic time in milliseconds, as all others. */
  constructor(
    private readonly periodMs: number,
    now: number,
  ) {
    this.#lookedAt = now;
  }

  /** Gives for how long the loop has been stuck, in milliseconds. Call it once a period. */
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

/** A look that comes after so many periods is late. */
const LATE = 2;
/** But not before that, however short the period: on a busy machine every thread is late by so much now and then. */
const LATE_MS_MIN = 500;
