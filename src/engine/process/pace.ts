// Gives the event loop a turn during work that would never yield: a database that answers at once (SQLite) keeps a
// chain of promises running as long as there is work, and no timer, socket or signal is handled meanwhile.

import type { Clock } from "../../core/clock.ts";

/** Together with the piece of work in progress, this stays below 25 ms. */
const TURN_MS = 8;

/** Like `TURN_MS`, for small pieces: a batch that is driven in one go is also written in one commit. */
export const SMALL_PIECES_MS = 16;

export class Pace {
  #turnedAt: number;

  constructor(
    private readonly clock: Pick<Clock, "now">,
    private readonly turnMs = TURN_MS,
  ) {
    this.#turnedAt = clock.now();
  }

  /** What to await before the next piece of work; undefined if the loop had a turn a moment ago. */
  turn(): Promise<void> | undefined {
    // the clock may have been set back
    return Math.abs(this.clock.now() - this.#turnedAt) < this.turnMs ? undefined : this.next();
  }

  /** Resolves in the next turn of the loop. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      // an immediate runs after timers, sockets and signals
      setImmediate(() => {
        this.#turnedAt = this.clock.now();
        resolve();
      });
    });
  }
}
