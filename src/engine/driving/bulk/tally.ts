// Counts the results of a portion's tasks, by reason.

import type { BulkReason, BulkTotals } from "../../../core/api/bulk.ts";

export class Tally {
  #done = 0;
  #pending = 0;
  readonly #skipped = new Map<string, BulkReason>();
  readonly #failed = new Map<string, BulkReason>();

  done(): void {
    this.#done += 1;
  }

  /** The action takes effect when others have done their part. */
  donePending(): void {
    this.#done += 1;
    this.#pending += 1;
  }

  countDone(tasks: number): void {
    this.#done += tasks;
  }

  skip(reason: string, example: string | null, tasks = 1): void {
    count(this.#skipped, { reason, tasks, example });
  }

  fail(error: unknown, id: string): void {
    count(this.#failed, { reason: reasonOf(error, id), tasks: 1, example: id });
  }

  skipFor(error: unknown, id: string): void {
    this.skip(reasonOf(error, id), id);
  }

  totals(): BulkTotals {
    return {
      done: this.#done,
      pending: this.#pending,
      skipped: [...this.#skipped.values()],
      failed: [...this.#failed.values()],
    };
  }
}

function count(reasons: Map<string, BulkReason>, more: BulkReason): void {
  const known = reasons.get(more.reason);
  reasons.set(more.reason, known ? { ...known, tasks: known.tasks + more.tasks } : more);
}

/** The message without ids: it is equal for all tasks with the same reason. */
function reasonOf(error: unknown, id: string): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(`Task ${id}`, "The task").replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "…");
}
