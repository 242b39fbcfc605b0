/** The measurement is given up when no task has ended for this time. */
const STUCK_MS = 30_000;

/** Counts ended tasks, and reports when there are enough. */
export class Ends {
  #count = 0;
  #wanted = Number.POSITIVE_INFINITY;
  #reached = Promise.withResolvers<void>();

  constructor(private readonly signal: AbortSignal) {}

  count(): void {
    this.#count += 1;
    if (this.#count >= this.#wanted) this.#reached.resolve();
  }

  /** Rejects at the signal, and when no task has ended for a long time. Only one caller at a time. */
  async reach(count: number): Promise<void> {
    this.signal.throwIfAborted();
    if (this.#count >= count) return;
    const reached = Promise.withResolvers<void>();
    this.#reached = reached;
    this.#wanted = count;
    const onAbort = (): void => reached.reject(this.signal.reason);
    this.signal.addEventListener("abort", onAbort);
    let before = this.#count;
    const watch = setInterval(() => {
      if (this.#count === before) reached.reject(stuck(before, count));
      before = this.#count;
    }, STUCK_MS);
    try {
      await reached.promise;
    } finally {
      clearInterval(watch);
      this.signal.removeEventListener("abort", onAbort);
    }
  }
}

function stuck(ended: number, wanted: number): Error {
  return new Error(`The worker has ended ${ended} of ${wanted} tasks, and none for ${STUCK_MS / 1000} s.`);
}
