// A thread from its starter's view: messages, one end, and a stop with a time limit. While it runs, it can see that the
// event loop turns.

import { Worker } from "node:worker_threads";
import { beatMs, type FromThread, type ThreadData, type ToThread } from "./messages.ts";

/** Longer than an idle connection takes to close. After that the thread is terminated. */
const STOP_MS = 1000;

export class ThreadHandle {
  readonly #worker: Worker;
  /** Resolves when the thread has ended, with its error if there was one. Never rejects. */
  readonly ended: Promise<string | undefined>;

  /** The thread does not keep the process alive. */
  constructor(entry: URL, data: Omit<ThreadData, "turns">, hear: (message: FromThread) => void) {
    const turns = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const turning = setInterval(() => Atomics.add(turns, 0, 1), beatMs(data.limits));
    turning.unref();
    const workerData: ThreadData = { ...data, turns };
    this.#worker = new Worker(entry, { workerData });
    this.#worker.on("message", hear);
    this.ended = new Promise((resolve) => {
      let why: string | undefined;
      this.#worker.on("error", (error: unknown) => {
        why = error instanceof Error ? error.message : String(error);
      });
      this.#worker.on("exit", () => {
        clearInterval(turning);
        resolve(why);
      });
    });
    // after the listeners are added: each of them keeps the process alive
    this.#worker.unref();
  }

  tell(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  async stop(): Promise<void> {
    this.tell("stop");
    let timer: Timer | undefined;
    const timeUp = new Promise<"cut off">((resolve) => {
      timer = setTimeout(resolve, STOP_MS, "cut off");
    });
    const end = await Promise.race([this.ended, timeUp]);
    clearTimeout(timer);
    if (end === "cut off") await this.#worker.terminate();
  }
}
