// How long a caller waits: until its time is up, it leaves, or the process shuts down.

import type { Clock } from "../../core/clock.ts";

/** Without a reason, each abort would make an error with a stack. Nobody sees it. */
const OVER = new Error("Nobody waits any more.");

interface Bounds {
  readonly waitMs: number;
  readonly clock: Clock;
  /** Of the caller. */
  readonly signal?: AbortSignal | undefined;
}

export class Patience {
  #isOver = false;
  readonly #onOver = new Set<() => void>();
  readonly #timer = new AbortController();
  readonly #signal: AbortSignal | undefined;
  readonly #clock: Clock;
  readonly #end = (): void => this.end();

  constructor({ waitMs, clock, signal }: Bounds) {
    this.#signal = signal;
    this.#clock = clock;
    if (signal?.aborted === true || waitMs <= 0) {
      this.end();
      return;
    }
    signal?.addEventListener("abort", this.#end, { once: true });
    clock.sleep(waitMs, this.#timer.signal).then(this.#end, () => {}); // it was over before
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The same caller, who waits at most so long for something. */
  forAtMost(waitMs: number): Patience {
    const shorter = new Patience({ waitMs: this.#isOver ? 0 : waitMs, clock: this.#clock });
    const leave = this.onOver(() => shorter.end());
    shorter.onOver(leave);
    return shorter;
  }

  /** Returns a function that removes the listener. */
  onOver(tell: () => void): () => void {
    this.#onOver.add(tell);
    return () => this.#onOver.delete(tell);
  }

  /** The value of `work`, or undefined if the wait is over first. Rejects if `work` rejects before that. */
  async unlessOver<T>(work: Promise<T>): Promise<T | undefined> {
    if (this.#isOver) {
      work.catch(() => {});
      return undefined;
    }
    const over = Promise.withResolvers<undefined>();
    const leave = this.onOver(() => over.resolve(undefined));
    try {
      return await Promise.race([work, over.promise]);
    } finally {
      leave();
    }
  }

  /** Nobody waits any more. Harmless when repeated. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer.abort(OVER);
    this.#signal?.removeEventListener("abort", this.#end);
    for (const tell of Array.from(this.#onOver)) tell();
    this.#onOver.clear();
  }
}
