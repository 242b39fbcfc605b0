// The store's time without a round trip, for what may be a little early: when a task is put in the queue.

import type { Clock } from "../core/clock.ts";
import type { Store } from "../store/store.ts";

/** The store is asked again after so long: clocks drift, and are set. */
const FRESH_MS = 5_000;

export class StoreClock {
  #aheadMs = 0;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  constructor(
    private readonly store: Pick<Store, "now">,
    private readonly clock: Clock,
  ) {}

  /**
   * Milliseconds since 1970: never later than the store's time, as long as nobody sets a clock, and hardly earlier. At
   * once where the store was asked a moment ago.
   */
  recent(): number | Promise<number> {
    const now = this.clock.now();
    if (now >= this.#askedAt && now - this.#askedAt <= FRESH_MS) return now + this.#aheadMs;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking.then(() => this.clock.now() + this.#aheadMs);
  }

  async #ask(): Promise<void> {
    const storeNow = await this.store.now();
    // the answer took its time: what it says is past already
    this.#askedAt = this.clock.now();
    this.#aheadMs = storeNow - this.#askedAt;
  }
}
