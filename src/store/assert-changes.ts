import { TaskonautError } from "../core/errors.ts";
import type { StepRow, TaskRecord, ToolCallRow } from "../core/record/record.ts";
import { isStepOpen, isTerminal } from "../core/record/status.ts";
import type { Change } from "./store.ts";

/** Checks what both dialects rely on. A violation is a bug of the caller, never a user's mistake. */
export function assertChanges(changes: readonly Change[]): void {
  const seen = new Set<string>();
  for (const { taskId, expectedVersion, task, newSteps, changedSteps, newCalls, changedCalls } of changes) {
    if (seen.has(taskId)) throw new Error(`Two changes of task ${taskId} in one batch.`);
    seen.add(taskId);
    if (task.id !== taskId) throw new Error(`A change of task ${taskId} holds the row of task ${task.id}.`);
    if (task.version <= expectedVersion) throw new Error(`A change of task ${taskId} does not raise its version.`);
    if (isTerminal(task.status)) {
      assertClosed(taskId, newSteps);
      assertClosed(taskId, changedSteps);
    }
    assertOwn(taskId, newSteps);
    assertOwn(taskId, changedSteps);
    assertOwn(taskId, newCalls);
    assertOwn(taskId, changedCalls);
    assertCallsOf(newCalls, newSteps, changedSteps);
  }
}

/** The same for new tasks. */
export function assertRecords(records: readonly TaskRecord[]): void {
  for (const { steps, calls } of records) assertCallsOf(calls, steps);
}

/** No database checks the step of a call. A changed call exists, or the change is refused. */
function assertCallsOf(
  calls: readonly ToolCallRow[],
  written: readonly StepRow[],
  more: readonly StepRow[] = NONE,
): void {
  for (const { task_id: taskId, task_step_id: stepId } of calls) {
    if (hasStep(written, stepId) || hasStep(more, stepId)) continue;
    throw new TaskonautError(
      "internal",
      `A new call of task ${taskId} is of step ${stepId}, which is not written with it.`,
    );
  }
}

const NONE: readonly StepRow[] = [];

function hasStep(steps: readonly StepRow[], stepId: string): boolean {
  for (const { id } of steps) if (id === stepId) return true;
  return false;
}

function assertOwn(taskId: string, rows: readonly (StepRow | ToolCallRow)[]): void {
  for (const row of rows) {
    if (row.task_id !== taskId) throw new Error(`A change of task ${taskId} holds a row of task ${row.task_id}.`);
  }
}

/** The engine knows the steps that the change does not mention. */
function assertClosed(taskId: string, steps: readonly StepRow[]): void {
  for (const { status } of steps) {
    if (isStepOpen(status)) throw new Error(`A change ends task ${taskId} and leaves a step of it open.`);
  }
}
