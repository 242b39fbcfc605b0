// The store's time, as one process knows it: from queries and from every claim; in between it is computed without a
// round trip.
//
// An answer says what time it was at some moment between the question and now, so each gives bounds for how far the
// store's clock is ahead. What is known stays as long as it is within them: if every slow answer set it back, a task
// could be due before one that this process had created earlier. It is beyond them only after a clock was set, or has
// drifted.

import type { Clock } from "../../core/clock.ts";
import type { Store } from "../../store/store.ts";

/** How often the store is asked again: clocks drift, and are set. */
const FRESH_MS = 5_000;

/** The times of both clocks are rounded to milliseconds: two differences of them may be this far apart. */
const ROUNDING_MS = 2;

export class StoreClock {
  #aheadMs = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<number> | undefined;

  constructor(
    private readonly store: Pick<Store, "now">,
    private readonly clock: Clock,
  ) {}

  /** Milliseconds since 1970, as closely as it is known without a query. */
  guess(): number {
    return this.clock.now() + this.#aheadMs;
  }

  /** The store has told what time it is. `askedAt`: when it was asked, by the monotonic clock. */
  note(storeNow: number, askedAt: number): void {
    const isFirst = this.#toldAt === Number.NEGATIVE_INFINITY;
    this.#toldAt = this.clock.now();
    const least = storeNow - this.#toldAt;
    const most = least + (this.clock.elapsed() - askedAt) + ROUNDING_MS;
    if (isFirst || this.#aheadMs < least || this.#aheadMs > most) this.#aheadMs = least;
  }

  /** The store's own answer. Throws what it throws. */
  async read(): Promise<number> {
    const askedAt = this.clock.elapsed();
    const storeNow = await this.store.now();
    this.note(storeNow, askedAt);
    return storeNow;
  }

  /**
   * Milliseconds since 1970: never later than the store's time, as long as nobody sets a clock, and hardly earlier.
   * Returns at once if the store was asked a moment ago.
   */
  recent(): number | Promise<number> {
    const now = this.clock.now();
    if (now >= this.#toldAt && now - this.#toldAt <= FRESH_MS) return now + this.#aheadMs;
    this.#asking ??= this.read().finally(() => {
      this.#asking = undefined;
    });
    // the answer took time: its value is already in the past
    return this.#asking.then(() => this.guess());
  }
}
