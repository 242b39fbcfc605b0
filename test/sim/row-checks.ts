// What the CHECK constraints of sql/ say of single rows. A row that a real database would refuse is a bug of whoever
// writes it.

import type { InboxRow, StepRow, TaskRow, ToolCallRow } from "../../src/core/record/record.ts";
import { WAITS_END } from "../../src/core/record/waits.ts";
import { isStepOpen, isTerminal } from "../../src/core/record/status.ts";

type Rule = readonly [name: string, holds: boolean];

export function brokenByTask(task: TaskRow): string[] {
  const isEnded = task.finished_at !== null;
  return broken("task", task.id, [
    ["output_only_when_completed", (task.status === "COMPLETED") === (task.output_payload !== null)],
    ["error_only_when_failed", (task.status === "FAILED") === (task.error !== null)],
    ["finished_only_when_ended", isTerminal(task.status) === isEnded],
    [
      "ended_is_held_by_nobody",
      !isEnded ||
        (task.lease_owner === null && task.due_at === null && task.parked_reason === null && task.waits === null),
    ],
    ["parked_is_not_due", task.parked_reason === null || task.due_at === null],
    ["expires_before_it_begins", task.expires_at === null || task.status === "PLANNED"],
    ["reason_of_cancel", task.cancel_reason === null || task.status === "CANCELLED"],
    ["parked_code", task.parked_code === null || task.parked_reason !== null],
    ["waits", task.waits === null || (task.waits >= 1 && task.waits < WAITS_END)],
    ["numbers", task.version >= 1 && task.observed_count >= 0 && task.current_step >= 0 && task.depth >= 0],
    ["priority", Number.isInteger(task.priority) && task.priority >= 0 && task.priority <= 9],
    ["times are whole", [task.due_at, task.created_at, task.updated_at, task.finished_at].every(isWhole)],
  ]);
}

export function brokenByStep(step: StepRow): string[] {
  const isOpen = isStepOpen(step.status);
  return broken("step", step.id, [
    ["output_only_when_completed", (step.status === "COMPLETED") === (step.output_payload !== null)],
    ["error_only_when_failed", (step.status === "FAILED") === (step.error !== null)],
    ["outcome_is_numbered", isOpen || step.status === "CANCELLED" || step.outcome_seq !== null],
    ["open_has_no_outcome", !isOpen || step.outcome_seq === null],
    ["observed_has_outcome", step.observed_at === null || step.outcome_seq !== null],
    ["limited_is_open", step.limited_by === null || (isOpen && step.due_at !== null)],
    ["doubt", step.doubt === null || step.status === "RUNNING"],
    ["numbers", step.step_index >= 1 && step.attempt_epoch >= 0 && step.starts >= 0],
    ["times are whole", [step.due_at, step.observed_at, step.created_at, step.updated_at].every(isWhole)],
  ]);
}

export function brokenByCall(call: ToolCallRow): string[] {
  return broken("tool call", call.id, [
    ["response_only_when_completed", (call.status === "COMPLETED") === (call.response_payload !== null)],
    ["error_only_when_failed", (call.status === "FAILED") === (call.error !== null)],
    ["finished_only_when_ended", (call.status === "RUNNING") === (call.finished_at === null)],
    ["progress_while_running", call.progress === null || call.status === "RUNNING"],
    ["numbers", call.retry_count >= 0 && call.attempt_epoch >= 0],
    ["times are whole", [call.started_at, call.finished_at, call.created_at].every(isWhole)],
  ]);
}

export function brokenByInbox(row: InboxRow): string[] {
  return broken("inbox row", `${row.task_id}/${row.seq}`, [
    ["signal_is_named", (row.kind === "signal") === (row.name !== null)],
    ["step_is_named", ["child", "resolve", "ticket"].includes(row.kind) === (row.step_id !== null)],
    ["child_ended_one_way", row.kind !== "child" || (row.payload === null) !== (row.error === null)],
    ["resolve_has_epoch", (row.kind === "resolve") === (row.attempt_epoch !== null)],
  ]);
}

function broken(what: string, id: string, rules: readonly Rule[]): string[] {
  return rules
    .filter(([, holds]) => !holds)
    .map(([name]) => `A row that the database refuses: ${what} ${id}: ${name}.`);
}

function isWhole(time: number | null): boolean {
  return time === null || Number.isSafeInteger(time);
}
