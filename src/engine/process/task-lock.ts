// The lock of one task within a process: its callers queue in memory, first come, first served. Between processes the
// task's version and lease do the same (ARCHITECTURE.md: commits, locks, leases).

import type { Clock } from "../../core/clock.ts";

export class TaskLock {
  #isHeld = false;
  /** In order; undefined until somebody has to wait, which is rare. */
  #waiting: (() => void)[] | undefined;

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Whether others wait for it. */
  get isWanted(): boolean {
    return this.#waiting !== undefined && this.#waiting.length > 0;
  }

  /** False if somebody has it. */
  takeNow(): boolean {
    if (this.#isHeld) return false;
    this.#isHeld = true;
    return true;
  }

  /** False if it did not become free for the caller within `ms`. */
  async take(ms: number, clock: Clock): Promise<boolean> {
    if (this.takeNow()) return true;
    const waiting = (this.#waiting ??= []);
    const { promise: came, resolve: end } = Promise.withResolvers<boolean>();
    const mine = (): void => end(true);
    waiting.push(mine);
    const stop = new AbortController();
    const giveUp = (): void => {
      const place = waiting.indexOf(mine);
      if (place < 0) return; // the lock came in this very moment
      waiting.splice(place, 1);
      end(false);
    };
    clock.sleep(ms, stop.signal).then(giveUp, () => {}); // or the lock comes first
    const isMine = await came;
    stop.abort();
    return isMine;
  }

  /** The caller that has waited longest gets it next. */
  free(): void {
    const next = this.#waiting?.shift();
    if (next) next();
    else this.#isHeld = false;
  }
}
