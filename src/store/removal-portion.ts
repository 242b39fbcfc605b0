// How many tasks one write removes if everything else of the process waits for it: as many as are removed in a moment.

import { REMOVED_MAX } from "./removal-store.ts";

/** The time of one write. With its commit it ends within the 25 ms that the event loop may be blocked. */
const MOMENT_MS = 12;

/** The first portion, before anything is known about the tasks. */
const FIRST = 50;

export class RemovalPortion {
  #tasks = FIRST;

  get tasks(): number {
    return this.#tasks;
  }

  /** A write has removed this many tasks. The portion grows slowly: the next tasks may have more rows. */
  note(removed: number, tookMs: number): void {
    if (removed === 0) return;
    const fit = Math.floor((removed * MOMENT_MS) / Math.max(tookMs, 0.001));
    this.#tasks = Math.max(1, Math.min(fit, 2 * this.#tasks, REMOVED_MAX));
  }
}
