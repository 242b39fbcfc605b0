// The standing of a task: whether and from when on it is in the queue, which worker holds it, and why it is parked.
//
// U1. A task is in the queue (due_at) while a worker may take it: after it was queued, has waited or is held, until it
//     ends, is parked, or waits for somebody.
// U2. A task is held (lease_owner) while a tool that is not pure runs and somebody waits for its outcome, or while a
//     child is being created. A task that was claimed from the queue is held until its release: holding it again
//     without a claim would not be counted.

import type { TaskRow } from "../../core/record/record.ts";

export type Standing = Pick<TaskRow, "due_at" | "lease_owner" | "parked_reason" | "parked_code" | "waits">;

/**
 * The facts that the standing follows from; facts that do not apply are left out. Times are the store's, in
 * milliseconds since 1970.
 */
export interface Facts {
  readonly isEnded?: boolean;
  /** `code`: the code of the flow that cannot continue; null: every worker that has the flow tries it now and then. */
  readonly parked?: { readonly reason: string; readonly code: string | null } | undefined;
  /** The worker that holds it. */
  readonly holder?: string | null;
  /** There is something to do for the task before anything comes from outside. */
  readonly isAtWork?: boolean;
  /** Something may have come for the task that nobody has read. */
  readonly isUnread?: boolean;
  /** Since when a worker may take the task; null: the task is not in the queue. */
  readonly queuedAt?: number | null;
  /** When its first wait ends; null: no wait ends by itself. */
  readonly firstDue?: number | null;
  /** What the task waits for (`core/record/waits.ts`). */
  readonly waits?: number | null;
  readonly now: number;
}

const ENDED: Standing = { due_at: null, lease_owner: null, parked_reason: null, parked_code: null, waits: null };

/** Pure. A parked task stays parked, and an ended task stays ended, whatever else is true. */
export function standingOf(facts: Facts): Standing {
  const { parked, holder = null, isAtWork = false, isUnread = false, queuedAt = null, firstDue = null, now } = facts;
  const { waits = null } = facts;
  if (facts.isEnded === true) return ENDED;
  if (parked) return { due_at: null, lease_owner: null, parked_reason: parked.reason, parked_code: parked.code, waits };
  const isBusy = holder !== null || isUnread;
  // an indexed column should not change without need: while there is work to do, it keeps its value
  const queued = isBusy && (queuedAt === null || queuedAt > now) ? now : queuedAt;
  return {
    due_at: isBusy || isAtWork ? queued : firstDue,
    lease_owner: holder,
    parked_reason: null,
    parked_code: null,
    waits,
  };
}

export function isSameStanding(one: Standing, other: Standing): boolean {
  return (
    one.due_at === other.due_at &&
    one.lease_owner === other.lease_owner &&
    one.parked_reason === other.parked_reason &&
    one.waits === other.waits
  );
}
