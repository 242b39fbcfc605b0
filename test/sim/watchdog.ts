// A program that goes round in circles without ever waiting blocks the event loop, time limits of tests included. So
// another thread watches whether simulations go on; where one does not, it says which, and ends the process.

import { Worker } from "node:worker_threads";

/** Real time without a single event; all events of a simulation together take a tenth of a second. */
export const STUCK_MS = 20_000;

export interface Watchdog {
  /** From now on this seed is under way. */
  begin(seed: number): void;
  /** It goes on. */
  tick(): void;
  /** None is under way. */
  end(): void;
  stop(): Promise<unknown>;
}

/** What both threads see: the seed plus 1, or 0 where none is under way, and the number of events so far. */
export type Watched = Int32Array<SharedArrayBuffer>;

export function startWatchdog(): Watchdog {
  const watched: Watched = new Int32Array(new SharedArrayBuffer(8));
  const thread = new Worker(new URL("watchdog-thread.ts", import.meta.url), { workerData: watched });
  thread.unref();
  return {
    begin(seed) {
      Atomics.store(watched, 0, seed + 1);
    },
    tick() {
      Atomics.add(watched, 1, 1);
    },
    end() {
      Atomics.store(watched, 0, 0);
    },
    stop: () => thread.terminate(),
  };
}
