// The steps of a task that was read, as they are shown while it runs.

import type { StepSummary, TaskSummary, Waiting } from "../../core/api/task.ts";
import { isStepOpen } from "../../core/record/status.ts";
import { waitsByStep } from "../../core/api/standing.ts";
import { withoutPayloads } from "../view.ts";
import type { StepState, StepView } from "./step-view.ts";

export function viewsOf(summary: TaskSummary): readonly StepView[] {
  const task = withoutPayloads(summary);
  const waits = waitsByStep(task);
  return task.steps.map((step) => viewOf(step, waits.get(step)));
}

function viewOf(step: StepSummary, wait: Waiting | undefined): StepView {
  const { step_index: index, step_name: name, tool_calls: calls } = step;
  const first = calls[0];
  const last = calls.at(-1);
  const state = stateOf(step, wait);
  const failures = calls.reduce((sum, { retry_count }) => sum + retry_count, 0);
  const since = first ? Date.parse(first.started_at) : undefined;
  const finished = last?.finished_at ?? null;
  return {
    index,
    name,
    state,
    attempt: failures + 1,
    attempts: undefined,
    since,
    tookMs: since === undefined || finished === null ? undefined : Date.parse(finished) - since,
    nextAt: state === "retrying" && typeof wait?.until === "string" ? Date.parse(wait.until) : undefined,
    wait: state === "waiting" ? wait : undefined,
    progress: state === "running" ? (last?.progress ?? undefined) : undefined,
    childId: step.child_task_id ?? wait?.task_id ?? undefined,
    error: step.error_message ?? (isStepOpen(step.status) ? last?.last_error : undefined) ?? undefined,
  };
}

function stateOf(
  { status, doubt, tool_calls: calls, child_task_id }: StepSummary,
  wait: Waiting | undefined,
): StepState {
  switch (status) {
    case "COMPLETED":
      return "completed";
    case "FAILED":
      return "failed";
    case "CANCELLED":
      return "cancelled";
    case "PLANNED":
    case "RUNNING":
      if (doubt !== null) return "doubt";
      if (wait?.kind === "retry") return "retrying";
      if (wait) return "waiting";
      return status === "RUNNING" && (calls.length > 0 || child_task_id !== undefined) ? "running" : "planned";
    default:
      // of a server that knows more than this version
      return "planned";
  }
}
