// Ends a task as CANCELLED that has not begun before its expiry.

import type { TaskRecord } from "../../core/record/record.ts";
import { isStepOpen } from "../../core/record/status.ts";
import type { Change } from "../../store/store.ts";
import { Draft } from "./draft.ts";
import { giveUpStep } from "./force-cancel.ts";
import { CANCELLED_CHILD, endOfChild } from "./inbox-posts.ts";
import { standingOf } from "./standing.ts";

/** The recorded error. */
export function reasonOfExpiry(expiresAt: number): string {
  return `expired: it had not begun by ${new Date(expiresAt).toISOString().replace("T", " ")}`;
}

/** Undefined: the task has begun, or somebody holds it. */
export function expire(record: TaskRecord, now: number): Change | undefined {
  const { task, steps } = record;
  if (task.status !== "PLANNED" || task.lease_owner !== null || task.expires_at === null) return undefined;
  const reason = reasonOfExpiry(task.expires_at);
  const draft = new Draft(record);
  for (const step of steps) if (isStepOpen(step.status)) giveUpStep(draft, step, now);
  if (task.parent_task_id !== null) draft.post(endOfChild(task, CANCELLED_CHILD));
  const row = draft.moveTask(now, "CANCELLED");
  row.cancelled_after = 0;
  row.cancelled_at = row.updated_at;
  row.finished_at = row.updated_at;
  row.cancel_reason = reason;
  Object.assign(row, standingOf({ isEnded: true, now }));
  return draft.takeChange();
}
