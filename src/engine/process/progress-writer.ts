// What tools tell of their progress, on its way to the store.
//
// PW1. All tools of the process share one statement a second: what one tells more often is told as it is by then.
// PW2. No outcome waits for it, nothing comes after an outcome, and no other process's call is touched: the store writes
//      it only to a call that runs, of a task that nobody else holds.
// PW3. It is lost without harm. Nothing is kept for tools that tell nothing.

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
  /** What was told last is not in the store. */
  isUnwritten: boolean;
}

export class ProgressWriter {
  /** By step, of tools that run here. */
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

  /** The tool of this step does not run here any more. */
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
      // a tool that ends at once has nothing to tell
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
        // one whose row is not there yet is told with the next
        if (entry.note === note && written.has(note.stepId)) entry.isUnwritten = false;
      });
    } catch {
      // the database is away: PW3
    }
  }
}
