// Time in a test of a flow. It stands still while anything goes on, and jumps to the next moment that somebody waits for
// when nothing does: a sleep of thirty days takes as long as one of a second.
//
// SC1. Time never jumps while a tool really runs: a tool that reads a file or a socket has all the time that it needs. Only
//      what was to happen after so much waiting (its own timeout) happens then as well, and after as long.
// SC2. Who wakes up is the first that was due, of those at one time the first that fell asleep. So a test goes the same way
//      each time.

import type { Clock } from "../core/clock.ts";
import { TIMER_MS_MAX } from "../core/flow/duration.ts";
import { turnOfLoop } from "../turn-of-loop.ts";

/** Turns of the event loop in which nobody asked for the time, or for a sleep; then nobody is about to. */
const QUIET_TURNS = 4;

/** A promise that nobody here keeps waiting for longer is a fault of the program, and no test hangs for it. */
const STALLED_MS_MAX = 10_000;

interface Sleeper {
  readonly due: number;
  readonly wake: () => void;
}

export class SimulatedClock implements Clock {
  /** The next one last. */
  readonly #sleepers: Sleeper[] = [];
  readonly #running = new Set<object>();
  #asked = 0;
  #onChange: (() => void) | undefined;

  constructor(private time: number) {}

  now(): number {
    this.#asked += 1;
    return this.time;
  }

  elapsed(): number {
    return this.time;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.at(this.time + ms, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Calls back when it is that time, or at the next jump where it was before. Gives how to call that off. */
  at(time: number, run: () => void): () => void {
    this.#asked += 1;
    const sleeper: Sleeper = { due: Math.max(this.time, Math.ceil(time)), wake: run };
    const place = this.#sleepers.findIndex(({ due }) => due <= sleeper.due);
    this.#sleepers.splice(place < 0 ? this.#sleepers.length : place, 0, sleeper);
    return () => {
      const index = this.#sleepers.indexOf(sleeper);
      if (index >= 0) this.#sleepers.splice(index, 1);
    };
  }

  /** Somebody works in real time (SC1). Gives how to say that he has come to his end. */
  begin(): () => void {
    const piece = {};
    this.#running.add(piece);
    return () => {
      this.#running.delete(piece);
      this.#asked += 1;
      this.#onChange?.();
    };
  }

  /** Lets time pass until the promise is settled, and gives what it comes to. */
  async follow<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const end = (): void => {
      isDone = true;
    };
    const done = work.then(end, end);
    let stalledSince: number | undefined;
    for (;;) {
      await this.#settle(() => isDone);
      if (isDone) return work;
      if (this.#running.size > 0) await this.#waitReally(done);
      else if (this.#jump()) stalledSince = undefined;
      else {
        stalledSince ??= performance.now();
        if (performance.now() - stalledSince > STALLED_MS_MAX) throw new Error("The run of a flow has come to a stop.");
        await turnOfLoop();
      }
    }
  }

  /** Until nothing is ready any more. */
  async #settle(isDone: () => boolean): Promise<void> {
    for (let quiet = 0, asked = this.#asked; quiet < QUIET_TURNS && !isDone(); quiet += 1) {
      await turnOfLoop();
      if (asked !== this.#asked) quiet = 0;
      asked = this.#asked;
    }
  }

  #jump(): boolean {
    const next = this.#sleepers.pop();
    if (!next) return false;
    this.time = Math.max(this.time, next.due);
    next.wake();
    return true;
  }

  /** Until a tool has ended, or the next one has slept for as long as it meant to. */
  async #waitReally(done: Promise<void>): Promise<void> {
    const change = Promise.withResolvers<void>();
    this.#onChange = change.resolve;
    const next = this.#sleepers.at(-1);
    const timer =
      next && setTimeout(() => this.#jump() && change.resolve(), Math.min(next.due - this.time, TIMER_MS_MAX));
    try {
      await Promise.race([done, change.promise]);
    } finally {
      clearTimeout(timer);
      this.#onChange = undefined;
    }
  }
}
