// The store's time, as one process knows it: asked for, heard with every claim, and between without a round trip.

import type { Clock } from "../../core/clock.ts";
import type { Store } from "../../store/store.ts";

/** The store is asked again after so long: clocks drift, and are set. */
const FRESH_MS = 5_000;

export class StoreClock {
  #aheadMs = 0;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<number> | undefined;

  constructor(
    private readonly store: Pick<Store, "now">,
    private readonly clock: Clock,
  ) {}

  /** Milliseconds since 1970, as near as it is known without asking. */
  guess(): number {
    return this.clock.now() + this.#aheadMs;
  }

  /** The store has told what time it is. */
  note(storeNow: number): void {
    this.#askedAt = this.clock.now();
    this.#aheadMs = storeNow - this.#askedAt;
  }

  /** By the store itself. Throws what it throws. */
  async read(): Promise<number> {
    const storeNow = await this.store.now();
    this.note(storeNow);
    return storeNow;
  }

  /**
   * Milliseconds since 1970: never later than the store's time, as long as nobody sets a clock, and hardly earlier. At
   * once where the store was asked a moment ago.
   */
  recent(): number | Promise<number> {
    const now = this.clock.now();
    if (now >= this.#askedAt && now - this.#askedAt <= FRESH_MS) return now + this.#aheadMs;
    this.#asking ??= this.read().finally(() => {
      this.#asking = undefined;
    });
    // the answer took its time: what it said is past already
    return this.#asking.then(() => this.guess());
  }
}
