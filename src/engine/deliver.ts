// The write of a change that holds what cannot be had again: the outcome of an effect. A database that is away for a
// moment must not lose it; else a tool would be called again, or be in doubt, although its outcome was known.

import type { Clock } from "../core/clock.ts";
import { hasCode } from "../core/errors.ts";
import type { TaskRecord } from "../core/record.ts";
import type { Change, Store } from "../store/store.ts";
import type { CommitWriter } from "./commit-writer.ts";

/** So long a caller waits for the database to come back before it hears of the outage. */
const DELIVERY_MS = 5_000;

interface Tools {
  readonly writer: Pick<CommitWriter, "submitChange">;
  readonly store: Pick<Store, "readTask">;
  readonly clock: Clock;
}

/** As `submitChange`, but tries again for some seconds where the database is away. Throws what it said first. */
export async function deliver(change: Change, { writer, store, clock }: Tools): Promise<boolean> {
  const giveUpAt = clock.now() + DELIVERY_MS;
  for (let waitMs = 50, tries = 1; ; waitMs *= 2, tries += 1) {
    try {
      if (await writer.submitChange(change)) return true;
      if (tries === 1) return false;
      // an earlier try may have been written although its answer was lost
      const record = await store.readTask(change.taskId);
      return record !== undefined && holds(record, change);
    } catch (error) {
      if (!hasCode(error, "database_unavailable") || clock.now() + waitMs > giveUpAt) throw error;
    }
    await clock.sleep(waitMs);
  }
}

/** Whether the record is what the change makes of it. The task was leased to us: nobody else came to the same by chance. */
function holds({ task, calls }: TaskRecord, change: Change): boolean {
  if (task.version !== change.task.version || task.lease_owner !== change.task.lease_owner) return false;
  const stored = new Map(calls.map((call) => [call.idempotency_key, call]));
  return [...change.newCalls, ...change.changedCalls].every((call) => {
    const other = stored.get(call.idempotency_key);
    return (
      other?.status === call.status && other.started_at === call.started_at && other.finished_at === call.finished_at
    );
  });
}
