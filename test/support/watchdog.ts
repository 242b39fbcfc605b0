// Ends the process of a test that hangs, and says at what. The time limit of a test cannot: a loop that gives no other
// work its turn keeps it from being noticed.

export interface Watched {
  readonly what: string;
  readonly msMax: number;
}

export class Watchdog {
  readonly #thread: Worker;

  private constructor(thread: Worker) {
    this.#thread = thread;
  }

  static async start(): Promise<Watchdog> {
    const thread = new Worker(new URL("watchdog-thread.ts", import.meta.url));
    const { promise, resolve } = Promise.withResolvers<void>();
    thread.addEventListener("message", () => resolve(), { once: true });
    await promise;
    return new Watchdog(thread);
  }

  /** Rejects as `task` does; ends the process where that takes longer than `msMax`. */
  async watch<T>(what: string, msMax: number, task: () => Promise<T>): Promise<T> {
    this.#thread.postMessage({ what, msMax } satisfies Watched, []);
    try {
      return await task();
    } finally {
      this.#thread.postMessage(null, []);
    }
  }

  stop(): void {
    this.#thread.terminate();
  }
}
