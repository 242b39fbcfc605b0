// Gives the event loop a turn in what would go on without one: a database that answers at once (SQLite) keeps a chain of
// promises going for as long as there is anything to do, and no timer, socket or signal is heard meanwhile.

import type { Clock } from "../../core/clock.ts";

/** With the piece of work that is under way then, this stays below 25 ms. */
const TURN_MS = 8;

/** As `TURN_MS`, of pieces that are small: a batch that is driven in one go is also written in one commit. */
export const SMALL_PIECES_MS = 16;

export class Pace {
  #turnedAt: number;

  constructor(
    private readonly clock: Pick<Clock, "now">,
    private readonly turnMs = TURN_MS,
  ) {
    this.#turnedAt = clock.now();
  }

  /** What to await before the next piece of work; undefined where the loop has turned a moment ago. */
  turn(): Promise<void> | undefined {
    // the clock may have been set back
    return Math.abs(this.clock.now() - this.#turnedAt) < this.turnMs ? undefined : this.next();
  }

  /** Resolves in the next turn of the loop. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      // an immediate comes after timers, sockets and signals were looked at
      setImmediate(() => {
        this.#turnedAt = this.clock.now();
        resolve();
      });
    });
  }
}
