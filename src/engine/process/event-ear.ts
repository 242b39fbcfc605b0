// The queue of one listener. It is bounded: too many events are replaced by a `resync`.

import type { Told } from "../../core/api/events.ts";

/** How many events may pile up. */
const BACKLOG_MAX = 4000;

export class Ear {
  #batches: (readonly Told[])[] = [];
  #size = 0;
  #since = -1;
  #waiting: PromiseWithResolvers<void> | undefined;
  #isOver = false;

  /** Events of a round that the listener had when it joined are skipped. */
  tell(batch: readonly Told[], { round }: { readonly round: number }): void {
    if (this.#isOver || round <= this.#since) return;
    if (this.#since < 0) this.#since = round;
    const last = batch.at(-1);
    if (last === undefined) return;
    if (this.#size + batch.length > BACKLOG_MAX && this.#size > 0) {
      this.#batches = [[{ kind: "resync", id: last.id, reason: "the listener was too slow" }]];
      this.#size = 1;
    } else {
      this.#batches.push(batch);
      this.#size += batch.length;
    }
    this.#waiting?.resolve();
  }

  /** The next events; undefined: it is over. */
  async next(): Promise<readonly Told[] | undefined> {
    for (;;) {
      if (this.#isOver) return undefined;
      const batch = this.#batches.shift();
      if (batch) {
        this.#size -= batch.length;
        return batch;
      }
      this.#waiting = Promise.withResolvers<void>();
      await this.#waiting.promise;
    }
  }

  end(): void {
    this.#isOver = true;
    this.#waiting?.resolve();
  }
}
