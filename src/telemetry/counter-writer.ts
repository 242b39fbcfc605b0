// Counts what this process does with tasks, minute by minute, and writes the counts into the store: at most one small
// write in five seconds, none if nothing happens, and none that a task waits for.
//
// CW1. It counts durable changes, in memory. A process that dies loses its unwritten counts, of at most five seconds.
// CW2. A write whose outcome is unknown is repeated, which changes nothing (CN1). Counts without a minute (CN3) are not
//      written again. So nothing is counted twice.

import type { TaskRow } from "../core/record/record.ts";
import { COUNTERS_WRITTEN_MAX } from "../store/counter-store.ts";
import type { Claim, Store } from "../store/store.ts";
import { MinuteCounts } from "./minute-counts.ts";
import type { StoreObserver } from "./observed-store.ts";

const WRITE_MS = 5_000;

/** How long closing the store waits for the last write. */
const LAST_MS = 1_000;

const MINUTE_MS = 60_000;

export interface CounterWriterOptions {
  readonly store: Pick<Store, "counters">;
  /** A different one for each process. */
  readonly writer: string;
  /** Milliseconds since 1970. The store's time is derived from it. */
  readonly now?: () => number;
  /** Calls it after WRITE_MS, unless it is stopped. */
  readonly later?: (call: () => void, ms: number) => { stop(): void };
}

export class CounterWriter implements StoreObserver {
  readonly #counts = new MinuteCounts();
  readonly #now: () => number;
  readonly #later: NonNullable<CounterWriterOptions["later"]>;
  /** How far the store's clock is ahead. Undefined: the store has not reported its time yet. */
  #aheadMs: number | undefined;
  #timer: { stop(): void } | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(private readonly options: CounterWriterOptions) {
    this.#now = options.now ?? Date.now;
    this.#later = options.later ?? unreferenced;
  }

  noteCreated(task: TaskRow): void {
    this.#count(task, "created");
    this.noteChanged(task);
  }

  noteChanged(task: TaskRow): void {
    if (task.finished_at === null) return;
    if (task.status === "COMPLETED") this.#count(task, "completed");
    else if (task.status === "FAILED") this.#count(task, "failed");
    else if (task.status === "CANCELLED") this.#count(task, "cancelled");
  }

  /** A task that was taken over from a dead worker did not wait for a place. */
  noteClaim({ tasks, now }: Pick<Claim, "tasks" | "now">): void {
    if (tasks.length === 0) return;
    this.#aheadMs = now - this.#now();
    for (const { record, takenFrom } of tasks) {
      const { flow_name, due_at } = record.task;
      if (due_at === null || takenFrom !== null) continue;
      this.#counts.countDelay(this.#minute(), flow_name, Math.max(0, now - due_at));
      this.#writeLater();
    }
  }

  /** Writes the rest. Takes a second at most, and never rejects. */
  async close(): Promise<void> {
    this.#timer?.stop();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LAST_MS);
    await Promise.race([this.#write(), late]);
    clearTimeout(timer);
  }

  #count({ flow_name }: TaskRow, what: "created" | "completed" | "failed" | "cancelled"): void {
    this.#counts.count(this.#minute(), flow_name, what);
    this.#writeLater();
  }

  #minute(): number | null {
    if (this.#aheadMs === undefined) return null;
    return Math.floor((this.#now() + this.#aheadMs) / MINUTE_MS) * MINUTE_MS;
  }

  #writeLater(): void {
    this.#timer ??= this.#later(() => {
      this.#timer = undefined;
      this.#write().catch(() => {}); // it never rejects
    }, WRITE_MS);
  }

  /** One write after the other. */
  #write(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#writeAll());
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    for (;;) {
      const taken = this.#counts.take(COUNTERS_WRITTEN_MAX);
      if (taken.length === 0) return;
      try {
        const told = await this.options.store.counters.write(this.options.writer, taken);
        this.#aheadMs = told - this.#now();
        this.#counts.forgetBefore(told);
      } catch {
        // CW2. The next write includes it.
        this.#counts.putBack(taken);
        this.#writeLater();
        return;
      }
    }
  }
}

/** The timer does not keep the process alive. */
function unreferenced(call: () => void, ms: number): { stop(): void } {
  const timer = setTimeout(call, ms);
  timer.unref();
  return { stop: () => clearTimeout(timer) };
}
