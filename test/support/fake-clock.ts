import type { Clock } from "../../src/core/clock.ts";

interface Sleeper {
  readonly due: number;
  wake(): void;
}

/** A clock that stands still until the test lets time pass. */
export class FakeClock implements Clock {
  readonly #sleepers = new Set<Sleeper>();

  constructor(private time = Date.UTC(2026, 10, 23)) {}

  now(): number {
    return this.time;
  }

  elapsed(): number {
    return this.time;
  }

  /** How many are asleep now. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /** The waits of those who are asleep now, shortest first. */
  get waits(): readonly number[] {
    return [...this.#sleepers].map(({ due }) => due - this.time).toSorted((a, b) => a - b);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      const sleeper: Sleeper = {
        due: this.time + ms,
        wake: () => {
          this.#sleepers.delete(sleeper);
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Lets `ms` pass: wakes sleepers in the order in which they are due, and lets the program go on after each. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    await turn();
    for (let next = this.#earliest(end); next; next = this.#earliest(end)) {
      this.time = Math.max(this.time, next.due);
      next.wake();
      await turn();
    }
    this.time = end;
  }

  /** Lets `ms` pass and wakes whoever is due, but lets nobody go on: that is left to the test. */
  jump(ms: number): void {
    this.time += ms;
    for (let next = this.#earliest(this.time); next; next = this.#earliest(this.time)) next.wake();
  }

  #earliest(end: number): Sleeper | undefined {
    let earliest: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (sleeper.due <= end && (!earliest || sleeper.due < earliest.due)) earliest = sleeper;
    }
    return earliest;
  }
}

/** Everything that is ready runs: all microtasks, and what the event loop had queued. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
