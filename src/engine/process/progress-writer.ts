// Writes the progress of tools to the store.
//
// PW1. All tools of the process share one statement a second: if a tool reports more often, only its latest progress is
//      written.
// PW2. No outcome waits for it, nothing is written after an outcome, and no other process's call is touched: the store
//      writes progress only to a running call of a task that nobody else holds.
// PW3. Losing progress does no harm. Nothing is kept for tools that report none.

import type { Clock } from "../../core/clock.ts";
import { type ProgressNote, PROGRESS_NOTES_MAX, type Store } from "../../store/store.ts";

const EVERY_MS = 1000;

interface Tools {
  readonly store: Pick<Store, "noteProgress">;
  readonly clock: Clock;
  readonly workerId: string;
}

interface Entry {
  note: ProgressNote;
  /** The latest progress is not in the store. */
  isUnwritten: boolean;
}

export class ProgressWriter {
  /** By step, for tools that run here. */
  readonly #entries = new Map<string, Entry>();
  #writing: AbortController | undefined;
  #writtenAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly tools: Tools) {}

  note(note: ProgressNote): void {
    const entry = this.#entries.get(note.stepId);
    if (entry) {
      entry.note = note;
      entry.isUnwritten = true;
    } else this.#entries.set(note.stepId, { note, isUnwritten: true });
    this.#write();
  }

  /** The tool of this step no longer runs here. */
  forget(stepId: string): void {
    if (this.#entries.size === 0) return;
    this.#entries.delete(stepId);
    if (this.#entries.size === 0) this.#writing?.abort();
  }

  #write(): void {
    if (this.#writing && !this.#writing.signal.aborted) return;
    const stop = new AbortController();
    this.#writing = stop;
    this.#writeAll(stop.signal)
      .catch(() => {}) // nobody runs any more
      .finally(() => {
        if (this.#writing === stop) this.#writing = undefined;
      })
      .catch(() => {});
  }

  async #writeAll(signal: AbortSignal): Promise<void> {
    for (;;) {
      const waitMs = this.#writtenAt + EVERY_MS - this.tools.clock.now();
      // a tool that ends at once reports nothing
      if (waitMs > 0) await this.tools.clock.sleep(waitMs, signal);
      else await new Promise((resolve) => setImmediate(resolve));
      const unwritten = [...this.#entries.values()].filter(({ isUnwritten }) => isUnwritten);
      if (unwritten.length === 0 || signal.aborted) return;
      this.#writtenAt = this.tools.clock.now();
      await this.#writeSome(unwritten.slice(0, PROGRESS_NOTES_MAX));
    }
  }

  async #writeSome(entries: readonly Entry[]): Promise<void> {
    const notes = entries.map(({ note }) => note);
    try {
      const written = new Set(await this.tools.store.noteProgress(this.tools.workerId, notes));
      entries.forEach((entry, place) => {
        const note = notes[place];
        // if its row does not exist yet, it is written next time
        if (entry.note === note && written.has(note.stepId)) entry.isUnwritten = false;
      });
    } catch {
      // the database is away: PW3
    }
  }
}
