// A cancel by force: the task is CANCELLED at once, without its clean-up, and its record lists what was left undone. It
// needs only the rows: the flow may be missing, or wait for ever.

import { childTaskId } from "../../core/record/ids.ts";
import { writeLeftUndone, type LeftUndone } from "../../core/record/left-undone.ts";
import type { StepRow, TaskRecord, ToolCallRow } from "../../core/record/record.ts";
import { isStepOpen } from "../../core/record/status.ts";
import { storeError } from "../../core/record/stored-error.ts";
import type { Draft } from "./draft.ts";
import { standingOf } from "./standing.ts";
import { CANCELLED_CHILD, cancelOf, endOfChild } from "./inbox-posts.ts";

/** The last transition of a task that has not ended. */
export function cancelByForce(draft: Draft, now: number): void {
  const { record } = draft;
  const { task } = record;
  const leftUndone = writeLeftUndone(findLeftUndone(record));
  for (const step of record.steps) if (isStepOpen(step.status)) giveUpStep(draft, step, now);
  if (task.parent_task_id !== null) draft.post(endOfChild(task, CANCELLED_CHILD));
  const row = draft.moveTask(now, "CANCELLED");
  row.cancelled_after ??= row.observed_count;
  row.cancelled_at ??= row.updated_at;
  row.finished_at = row.updated_at;
  row.left_undone = leftUndone;
  Object.assign(row, standingOf({ isEnded: true, now }));
}

/** The step is given up: it and its call are over, and a child is told that it is cancelled. */
export function giveUpStep(draft: Draft, { id, kind }: StepRow, now: number): void {
  draft.patchStep(id, { status: "CANCELLED", doubt: null, limited_by: null, updated_at: now });
  if (kind === "child") draft.post(cancelOf(childTaskId(id)));
  const call = draft.callOf(id);
  if (call?.status === "RUNNING") draft.putCall(cutShort(call, now));
}

function cutShort(call: ToolCallRow, now: number): ToolCallRow {
  const error = storeError(new Error("Nobody waits for this step any more."));
  const finished_at = Math.max(now, call.started_at);
  return { ...call, status: "FAILED", error, last_error: error, progress: null, finished_at };
}

function findLeftUndone({ steps, calls }: TaskRecord): LeftUndone[] {
  const called = new Set(calls.map((call) => call.task_step_id));
  return steps.flatMap(({ id, kind, status, execution, step_index, step_name }): LeftUndone[] => {
    const of = { step_index, step_name, task_id: null };
    if (!isStepOpen(status)) return called.has(id) && execution !== "pure" ? [{ ...of, what: "ran" }] : [];
    if (kind === "child") return [{ ...of, what: "child", task_id: childTaskId(id) }];
    return [{ ...of, what: "given_up" }];
  });
}
