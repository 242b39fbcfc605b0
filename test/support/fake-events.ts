// What a FakeTaskonaut tells: what a test says.

import { checkEventFilter, type Events, type Listening, type Told } from "../../src/core/api/events.ts";

export class FakeEvents implements Events {
  /** How each call was to listen. */
  readonly asked: Listening[] = [];
  /** How many batches were taken, `ready` as well. */
  taken = 0;
  /** Those who listen now. */
  readonly #ears = new Set<(batch: readonly Told[] | undefined) => void>();

  get listeners(): number {
    return this.#ears.size;
  }

  tell(...batch: readonly Told[]): void {
    for (const ear of this.#ears) ear(batch);
  }

  end(): void {
    for (const ear of this.#ears) ear(undefined);
  }

  async *listen(listening: Listening): AsyncGenerator<readonly Told[]> {
    checkEventFilter(listening.filter ?? {});
    this.asked.push(listening);
    const batches: (readonly Told[] | undefined)[] = [[{ kind: "ready", id: "e.1" }]];
    let wake = Promise.withResolvers<void>();
    const ear = (batch: readonly Told[] | undefined): void => {
      batches.push(batch);
      wake.resolve();
    };
    const leave = (): void => ear(undefined);
    listening.signal?.addEventListener("abort", leave);
    this.#ears.add(ear);
    try {
      for (;;) {
        while (batches.length > 0) {
          const batch = batches.shift();
          if (batch === undefined) return;
          this.taken += 1;
          yield batch;
        }
        wake = Promise.withResolvers<void>();
        await wake.promise;
      }
    } finally {
      this.#ears.delete(ear);
    }
  }
}
