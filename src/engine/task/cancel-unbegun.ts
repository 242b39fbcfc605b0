// Cancels a task that has not begun: there is nothing to clean up, so only its rows are needed, not its flow.

import { isStepOpen } from "../../core/record/status.ts";
import type { Draft } from "./draft.ts";
import { giveUpStep } from "./force-cancel.ts";
import { CANCELLED_CHILD, endOfChild } from "./inbox-posts.ts";
import { standingOf } from "./standing.ts";

/** The only transition of a task that is PLANNED. */
export function cancelUnbegun(draft: Draft, now: number): void {
  const { task, steps } = draft.record;
  for (const step of steps) if (isStepOpen(step.status)) giveUpStep(draft, step, now);
  if (task.parent_task_id !== null) draft.post(endOfChild(task, CANCELLED_CHILD));
  const row = draft.moveTask(now, "CANCELLED");
  row.cancelled_after = 0;
  row.cancelled_at = row.updated_at;
  row.finished_at = row.updated_at;
  Object.assign(row, standingOf({ isEnded: true, now }));
}
