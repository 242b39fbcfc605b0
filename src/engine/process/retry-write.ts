// Retries the write of a change that cannot be produced again: the outcome of an effect. A short outage of the database
// must not lose it: otherwise a tool would be called again, or be in doubt, although its outcome was known.

import { type Backoff, nextWait } from "../../core/backoff.ts";
import type { Clock } from "../../core/clock.ts";
import { hasCode } from "../../core/errors.ts";
import { type TellWait, WONDERS_MS } from "../../core/waiting.ts";
import { messageOf } from "../../core/record/stored-error.ts";
import type { TaskRecord } from "../../core/record/record.ts";
import type { Change, Store } from "../../store/store.ts";
import type { CommitWriter } from "./commit-writer.ts";

const AWAY: Backoff = { minMs: 50, maxMs: 1_000 };

/** The limit for a locked row: each try keeps all writes of the process waiting for a while. */
const LOCKED: Backoff = { minMs: 50, maxMs: 10_000 };

interface Tools {
  readonly writer: Pick<CommitWriter, "submitChange">;
  readonly store: Pick<Store, "readTask">;
  readonly clock: Clock;
  /** How long the database may be away; after that the caller gets the error. */
  readonly deliveryMs: () => number;
  readonly tellWait?: TellWait | undefined;
}

/**
 * Resubmits a change that has failed with `error` at `start`, as long as the database is away. Throws its last error.
 */
export async function retryWriteAfter(
  change: Change,
  failure: { readonly error: unknown; readonly start: number },
  { writer, store, clock, deliveryMs, tellWait }: Tools,
): Promise<boolean> {
  let { error } = failure;
  let isTold = false;
  for (let waitMs = 0; ;) {
    waitMs = nextWait(hasCode(error, "task_busy") ? LOCKED : AWAY, waitMs);
    if (!isPassing(error) || clock.now() + waitMs > failure.start + deliveryMs()) throw error;
    if (!isTold && clock.now() - failure.start >= WONDERS_MS) {
      isTold = true;
      tellWait?.(`the database: ${messageOf(error).replace(/\.$/, "")}`);
    }
    await clock.sleep(waitMs);
    try {
      if (await writer.submitChange(change)) return true;
      // an earlier try may have been written although its answer was lost
      const record = await store.readTask(change.taskId);
      return record !== undefined && holds(record, change);
    } catch (thrown) {
      error = thrown;
    }
  }
}

/** The database is away, or somebody (`alter table`, a forgotten session) keeps the row locked. */
export function isPassing(error: unknown): boolean {
  return hasCode(error, "database_unavailable") || hasCode(error, "task_busy");
}

const SAME = ["version", "lease_owner", "status", "observed_count", "current_step", "updated_at"] as const;

/**
 * Whether the record equals the result of the change. The task was leased to us: nobody else came to the same result by
 * chance.
 */
function holds({ task, calls }: TaskRecord, change: Change): boolean {
  // the version alone is not enough: after a release and a new claim by this process it may be the same
  if (SAME.some((column) => task[column] !== change.task[column])) return false;
  const stored = new Map(calls.map((call) => [call.idempotency_key, call]));
  return [...change.newCalls, ...change.changedCalls].every((call) => {
    const other = stored.get(call.idempotency_key);
    return (
      other?.status === call.status && other.started_at === call.started_at && other.finished_at === call.finished_at
    );
  });
}
