// How many tasks one write removes where everything else of the process waits for it: as many as go in a moment.

import { REMOVED_MAX } from "./removal-store.ts";

/** Of one write. With its commit it is over within the 25 ms that the event loop may be held. */
const MOMENT_MS = 12;

/** Before anything is known of the tasks. */
const FIRST = 50;

export class RemovalPortion {
  #tasks = FIRST;

  get tasks(): number {
    return this.#tasks;
  }

  /** A write has removed so many tasks. It grows slowly: the next ones may have more rows. */
  note(removed: number, tookMs: number): void {
    if (removed === 0) return;
    const fit = Math.floor((removed * MOMENT_MS) / Math.max(tookMs, 0.001));
    this.#tasks = Math.max(1, Math.min(fit, 2 * this.#tasks, REMOVED_MAX));
  }
}
