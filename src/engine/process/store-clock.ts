// The store's time, as one process knows it: from queries and from every claim; in between it is computed without a
// round trip.

import type { Clock } from "../../core/clock.ts";
import type { Store } from "../../store/store.ts";

/** How often the store is asked again: clocks drift, and are set. */
const FRESH_MS = 5_000;

export class StoreClock {
  #aheadMs = 0;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<number> | undefined;

  constructor(
    private readonly store: Pick<Store, "now">,
    private readonly clock: Clock,
  ) {}

  /** Milliseconds since 1970, as closely as it is known without a query. */
  guess(): number {
    return this.clock.now() + this.#aheadMs;
  }

  /** The store has told what time it is. */
  note(storeNow: number): void {
    this.#askedAt = this.clock.now();
    this.#aheadMs = storeNow - this.#askedAt;
  }

  /** The store's own answer. Throws what it throws. */
  async read(): Promise<number> {
    const storeNow = await this.store.now();
    this.note(storeNow);
    return storeNow;
  }

  /**
   * Milliseconds since 1970: never later than the store's time, as long as nobody sets a clock, and hardly earlier.
   * Returns at once if the store was asked a moment ago.
   */
  recent(): number | Promise<number> {
    const now = this.clock.now();
    if (now >= this.#askedAt && now - this.#askedAt <= FRESH_MS) return now + this.#aheadMs;
    this.#asking ??= this.read().finally(() => {
      this.#asking = undefined;
    });
    // the answer took time: its value is already in the past
    return this.#asking.then(() => this.guess());
  }
}
