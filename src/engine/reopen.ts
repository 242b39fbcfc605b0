// retry-task: the failed step that ended a task is opened again, under the same key and a higher epoch.

import { TaskonautError } from "../core/errors.ts";
import type { Flow } from "../core/flow.ts";
import type { TaskRecord } from "../core/record.ts";
import { Draft } from "./draft.ts";
import { recover } from "./recover.ts";

interface Reopening {
  readonly now: number;
  /** From then on a worker may take it. */
  readonly storeNow: number;
  readonly stepsMax: number;
}

/**
 * Gives the task back at RUNNING, as it was before its flow heard of the failure; replay then comes to that place.
 * Throws task_not_retryable where the failure of a step was not the last thing that the flow observed: what it did
 * after that would have to be undone.
 */
export function reopenFailedStep(flow: Flow, record: TaskRecord, { now, storeNow, stepsMax }: Reopening): Draft {
  const { task, steps } = record;
  if (task.status !== "FAILED") {
    throw refused(task.id, `it is ${task.status}; only a FAILED task can be retried`);
  }
  const last = steps.find((step) => step.outcome_seq !== null && step.outcome_seq === task.observed_count);
  if (last?.status !== "FAILED") {
    throw refused(
      task.id,
      "no step failed last: its flow itself ended with an error, or caught the failure and went on",
    );
  }
  const later = steps.filter((step) => step.outcome_seq !== null && step.outcome_seq > task.observed_count);
  if (later.length > 0 || steps.some((step) => step.created_at > (last.observed_at ?? 0))) {
    throw refused(task.id, "more was recorded after the step that failed");
  }
  const named = `step ${last.step_index} (${last.step_name})`;
  if (last.kind === "child") throw refused(task.id, `the child of ${named} failed: a child is retried by itself`);
  if (last.kind !== "tool") throw refused(task.id, `${named} waited in vain: that is no failure of a tool`);
  const draft = new Draft(record);
  draft.putStep({
    ...last,
    status: "PLANNED",
    error: null,
    outcome_seq: null,
    observed_at: null,
    attempt_epoch: last.attempt_epoch + 1,
    starts: 0,
    updated_at: now,
  });
  draft.reopen(now, {
    due_at: storeNow,
    observed_count: task.observed_count - 1,
    current_step: Math.max(
      0,
      ...steps.filter((step) => step.id !== last.id && step.outcome_seq !== null).map((step) => step.step_index),
    ),
  });
  reopenGivenUp(flow, draft, { now, stepsMax });
  return draft;
}

/** Steps that the flow gave up when it heard of the failure are open again: as of now it has not heard of it. */
function reopenGivenUp(flow: Flow, draft: Draft, { now, stepsMax }: Pick<Reopening, "now" | "stepsMax">): void {
  const recovery = recover(flow, draft.record, stepsMax, { isReopened: true });
  if (recovery.kind !== "ready") throw refused(draft.task.id, recovery.reason);
  for (const step of draft.record.steps) {
    if (step.status !== "CANCELLED" || recovery.abandoned.has(step.path)) continue;
    if (step.kind === "child") {
      throw refused(draft.task.id, `the child of step ${step.step_index} (${step.step_name}) was cancelled with it`);
    }
    draft.putStep({ ...step, status: "PLANNED", attempt_epoch: step.attempt_epoch + 1, starts: 0, updated_at: now });
  }
}

function refused(id: string, reason: string): TaskonautError {
  return new TaskonautError("task_not_retryable", `Task ${id} cannot be retried: ${reason}.`, { details: { id } });
}
