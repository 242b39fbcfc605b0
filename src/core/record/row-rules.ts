// What the CHECK constraints of sql/ say of single rows. A row that breaks one was written by other means, or damaged: the
// database refuses whatever is to be written to it.

import type { InboxRow, StepRow, TaskRow, ToolCallRow } from "./record.ts";
import type { ScheduleRow } from "./schedule.ts";
import { isStepOpen, isTerminal } from "./status.ts";
import { WAITS_END } from "./waits.ts";

/** The name of the first rule that the row breaks; undefined: it keeps to all. */
export function ruleBrokenByTask(task: TaskRow): string | undefined {
  const isEnded = task.finished_at !== null;
  if ((task.status === "COMPLETED") !== (task.output_payload !== null)) return "output_only_when_completed";
  if ((task.status === "FAILED") !== (task.error !== null)) return "error_only_when_failed";
  if (isTerminal(task.status) !== isEnded) return "finished_only_when_ended";
  if (isEnded && !isAtRest(task)) return "ended_is_held_by_nobody";
  if (task.parked_reason !== null && task.due_at !== null) return "parked_is_not_due";
  if (task.parked_code !== null && task.parked_reason === null) return "parked_by_code";
  if (task.left_undone !== null && task.status !== "CANCELLED") return "left_undone_by_cancel";
  if (task.expires_at !== null && task.status !== "PLANNED") return "expires_before_it_begins";
  if (task.cancel_reason !== null && task.status !== "CANCELLED") return "reason_of_cancel";
  if (task.waits !== null && !(task.waits >= 1 && task.waits < WAITS_END)) return "waits";
  if (!(task.version >= 1)) return "version";
  const { observed_count, current_step, depth, recorded_bytes, cancelled_after } = task;
  if (![observed_count, current_step, depth, recorded_bytes, cancelled_after ?? 0].every((count) => count >= 0)) {
    return "counts";
  }
  if (!(Number.isInteger(task.priority) && task.priority >= 0 && task.priority <= 9)) return "priority";
  const { due_at, created_at, updated_at, finished_at } = task;
  return isWhole(due_at) && isWhole(created_at) && isWhole(updated_at) && isWhole(finished_at) ? undefined : "times";
}

function isAtRest({ lease_owner, due_at, parked_reason, waits }: TaskRow): boolean {
  return lease_owner === null && due_at === null && parked_reason === null && waits === null;
}

export function ruleBrokenByStep(step: StepRow): string | undefined {
  const isOpen = isStepOpen(step.status);
  if ((step.status === "COMPLETED") !== (step.output_payload !== null)) return "output_only_when_completed";
  if ((step.status === "FAILED") !== (step.error !== null)) return "error_only_when_failed";
  if (!isOpen && step.status !== "CANCELLED" && step.outcome_seq === null) return "outcome_is_numbered";
  if (isOpen && step.outcome_seq !== null) return "open_has_no_outcome";
  if (step.observed_at !== null && step.outcome_seq === null) return "observed_has_outcome";
  if (step.limited_by !== null && !(isOpen && step.due_at !== null)) return "limited_is_open";
  if (step.doubt !== null && step.status !== "RUNNING") return "doubt_is_open";
  if (!(step.step_index >= 1 && step.attempt_epoch >= 0 && step.starts >= 0)) return "counts";
  const { due_at, observed_at, created_at, updated_at } = step;
  return isWhole(due_at) && isWhole(observed_at) && isWhole(created_at) && isWhole(updated_at) ? undefined : "times";
}

export function ruleBrokenByCall(call: ToolCallRow): string | undefined {
  if ((call.status === "COMPLETED") !== (call.response_payload !== null)) return "response_only_when_completed";
  if ((call.status === "FAILED") !== (call.error !== null)) return "error_only_when_failed";
  if ((call.status === "RUNNING") !== (call.finished_at === null)) return "finished_only_when_ended";
  if (call.progress !== null && call.status !== "RUNNING") return "progress_while_running";
  if (!(call.retry_count >= 0 && call.attempt_epoch >= 0)) return "counts";
  return isWhole(call.started_at) && isWhole(call.finished_at) && isWhole(call.created_at) ? undefined : "times";
}

export function ruleBrokenByInbox(row: InboxRow): string | undefined {
  if ((row.kind === "signal") !== (row.name !== null)) return "signal_is_named";
  if (["child", "resolve", "ticket"].includes(row.kind) !== (row.step_id !== null)) return "step_is_named";
  if (row.kind === "child" && (row.payload === null) === (row.error === null)) return "child_ended_one_way";
  return (row.kind === "resolve") === (row.attempt_epoch !== null) ? undefined : "resolve_has_epoch";
}

export function ruleBrokenBySchedule(row: ScheduleRow): string | undefined {
  if ((row.cron === null) === (row.every_ms === null)) return "fires_by_one_rule";
  if (row.every_ms !== null && !(row.every_ms > 0)) return "every_ms";
  if (!["skip", "queue", "all", "cancel-running"].includes(row.overlap)) return "overlap";
  if (!["none", "last", "within"].includes(row.catch_up)) return "catch_up";
  if ((row.catch_up === "within") !== (row.catch_up_ms !== null)) return "within_so_long";
  if (row.paused_at !== null && row.next_at !== null) return "paused_is_not_due";
  if (row.pause_reason !== null && row.paused_at === null) return "reason_of_pause";
  if (!(row.version >= 1)) return "version";
  if (!(Number.isInteger(row.priority) && row.priority >= 0 && row.priority <= 9)) return "priority";
  return row.jitter_ms >= 0 && row.deaths >= 0 && row.fired_count >= 0 && row.skipped_count >= 0 ? undefined : "counts";
}

function isWhole(time: number | null): boolean {
  return time === null || Number.isSafeInteger(time);
}
