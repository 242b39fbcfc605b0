// A worker's duty: it looks for tasks that have expired. Whoever claims an expired task ends it; this is for tasks that
// nobody claims.

import { expireTasks, type ExpiryTools } from "../driving/expiry.ts";
import type { CommitWriter } from "../process/commit-writer.ts";
import type { Duty } from "./maintenance.ts";
import type { Sideline } from "./worker-tools.ts";

/** How late it may be. */
const LOOK_MS = 1_000;

/** A safety net in case news is lost: the time of the next expiry is known. */
const IDLE_MS = 60_000;

interface ExpiringTools extends ExpiryTools {
  readonly writer: ExpiryTools["writer"] & Pick<CommitWriter, "batches">;
  readonly storeClock: { guess(): number };
}

export class Expiring implements Sideline {
  #hasNews = true;
  #batches = -1;
  /** In store time. */
  #lookAt = 0;

  constructor(private readonly tools: ExpiringTools) {}

  get duty(): Duty {
    return { name: "expire tasks", everyMs: LOOK_MS, do: (signal) => this.#look(signal) };
  }

  async begin(): Promise<void> {}

  async goOn(): Promise<void> {}

  noteNews(): void {
    this.#hasNews = true;
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { writer, storeClock } = this.tools;
    if (!this.#hasNews && this.#batches === writer.batches && storeClock.guess() < this.#lookAt) return;
    this.#hasNews = false;
    this.#batches = writer.batches;
    const idle = storeClock.guess() + IDLE_MS;
    this.#lookAt = Math.min(idle, (await expireTasks(this.tools, signal)) ?? idle);
  }
}
