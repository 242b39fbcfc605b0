// The standing of a task: whether and from when on it is in the queue, which worker holds it, and why it is parked.
//
// U1. A task is in the queue (due_at) while a worker may take it up: once it was queued, has waited, or is held, until
//     it ends, is parked, or waits for somebody.
// U2. It is held (lease_owner) while a tool that is not pure runs for whose outcome somebody waits, or a child is being
//     created; one that was claimed from the queue, until it is let go of: who held it again without a claim would not
//     be counted.

import type { TaskRow } from "../../core/record/record.ts";

export type Standing = Pick<TaskRow, "due_at" | "lease_owner" | "parked_reason" | "parked_code" | "waits">;

/** What its standing follows from; what is left out does not apply. Times are the store's, in milliseconds since 1970. */
export interface Facts {
  readonly isEnded?: boolean;
  /** `code`: of the flow that cannot go on; null: every worker that has the flow tries it now and then. */
  readonly parked?: { readonly reason: string; readonly code: string | null } | undefined;
  /** The worker that holds it. */
  readonly holder?: string | null;
  /** Something is to be done for it before anything comes from outside. */
  readonly isAtWork?: boolean;
  /** Something may have come for it that nobody has looked at. */
  readonly isUnread?: boolean;
  /** Since when a worker may take it; null: it is not in the queue. */
  readonly queuedAt?: number | null;
  /** When the first of its waits is over; null: none ends by itself. */
  readonly firstDue?: number | null;
  /** What it waits for (`core/record/waits.ts`). */
  readonly waits?: number | null;
  readonly now: number;
}

const ENDED: Standing = { due_at: null, lease_owner: null, parked_reason: null, parked_code: null, waits: null };

/** Pure. Who is parked is parked, whatever else is true; and who has ended has ended. */
export function standingOf(facts: Facts): Standing {
  const { parked, holder = null, isAtWork = false, isUnread = false, queuedAt = null, firstDue = null, now } = facts;
  const { waits = null } = facts;
  if (facts.isEnded === true) return ENDED;
  if (parked) return { due_at: null, lease_owner: null, parked_reason: parked.reason, parked_code: parked.code, waits };
  const isBusy = holder !== null || isUnread;
  // what is in an index should not change for nothing: while there is work to do it stays what it was
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
