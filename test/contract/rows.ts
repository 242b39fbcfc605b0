// Rows as the engine would write them, with what a test wants otherwise.

import { idempotencyKeyOf, toolCallId } from "../../src/core/record/ids.ts";
import type { StepRow, TaskRecord, TaskRow, ToolCallRow } from "../../src/core/record/record.ts";
import type { ScheduleRow } from "../../src/core/record/schedule.ts";
import type { TaskStatus } from "../../src/core/record/status.ts";
import type { Change } from "../../src/store/store.ts";

/** Any moment; with milliseconds, which must survive. */
export const T0 = Date.UTC(2026, 10, 23, 3, 39, 25, 137);

export function taskRow(over: Partial<TaskRow> = {}): TaskRow {
  return {
    id: Bun.randomUUIDv7(),
    flow_name: "echo_add",
    status: "PLANNED",
    version: 1,
    current_step: 0,
    observed_count: 0,
    input_payload: '{"text":"hello"}',
    output_payload: null,
    error: null,
    lease_owner: null,
    due_at: null,
    priority: 5,
    limit_key: null,
    unique_key: null,
    expires_at: null,
    cancel_reason: null,
    wake_seq: 0,
    parked_reason: null,
    parked_code: null,
    flow_code: null,
    flow_file: null,
    parent_task_id: null,
    parent_step_id: null,
    schedule: null,
    tags: null,
    given_tags: null,
    traceparent: null,
    origin: null,
    waits: null,
    depth: 0,
    cancelled_after: null,
    cancelled_at: null,
    left_undone: null,
    recorded_bytes: 0,
    created_at: T0,
    updated_at: T0,
    finished_at: null,
    ...over,
  };
}

export function stepRow(taskId: string, over: Partial<StepRow> = {}): StepRow {
  const index = over.step_index ?? 1;
  return {
    id: crypto.randomUUID(),
    task_id: taskId,
    step_index: index,
    path: `${index}`,
    kind: "tool",
    step_name: "echo",
    target: "echo",
    execution: "pure",
    status: "PLANNED",
    input_payload: '{"text":"hello"}',
    output_payload: null,
    error: null,
    outcome_seq: null,
    observed_at: null,
    due_at: null,
    attempt_epoch: 0,
    starts: 0,
    limited_by: null,
    doubt: null,
    created_at: T0 + 1,
    updated_at: T0 + 2,
    ...over,
  };
}

export function callRow(step: StepRow, over: Partial<ToolCallRow> = {}): ToolCallRow {
  const { tool_name: tool = "echo" } = over;
  return {
    id: toolCallId(step.id),
    task_id: step.task_id,
    task_step_id: step.id,
    idempotency_key: idempotencyKeyOf({ taskId: step.task_id, stepId: step.id, tool }),
    tool_name: tool,
    status: "RUNNING",
    retry_count: 0,
    progress: null,
    attempt_epoch: 0,
    last_error: null,
    request_payload: step.input_payload,
    response_payload: null,
    error: null,
    started_at: T0 + 3,
    finished_at: null,
    created_at: T0 + 3,
    ...over,
  };
}

/** A planned task with two planned steps. */
export function plannedRecord(over: Partial<TaskRow> = {}): TaskRecord {
  const task = taskRow(over);
  return { task, steps: [1, 2].map((index) => stepRow(task.id, { step_index: index })), calls: [] };
}

/** What a task row must hold besides in a state. */
export function inStatus(status: TaskStatus): Partial<TaskRow> {
  return {
    status,
    output_payload: status === "COMPLETED" ? "null" : null,
    error: status === "FAILED" ? '{"message":"it broke"}' : null,
    finished_at: ["COMPLETED", "FAILED", "CANCELLED"].includes(status) ? T0 + 9 : null,
  };
}

/** The change that takes the task on by one version, under the fence of what `task` holds. */
export function changeOf(task: TaskRow, over: Partial<TaskRow> = {}, rows: Partial<Change> = {}): Change {
  return {
    taskId: task.id,
    expectedVersion: task.version,
    expectedOwner: task.lease_owner,
    fromStatus: task.status,
    task: { ...task, version: task.version + 1, ...over },
    newSteps: [],
    changedSteps: [],
    newCalls: [],
    changedCalls: [],
    reopens: false,
    retags: false,
    consumed: [],
    posts: [],
    ...rows,
  };
}

/** A schedule that somebody made, which is not due. */
export function scheduleRow(over: Partial<ScheduleRow> = {}): ScheduleRow {
  return {
    name: "often",
    flow_name: "echo_add",
    owner: "command",
    version: 1,
    cron: null,
    every_ms: 60_000,
    time_zone: "UTC",
    input: "{}",
    overlap: "skip",
    catch_up: "last",
    catch_up_ms: null,
    jitter_ms: 0,
    priority: 5,
    nominal_at: null,
    next_at: null,
    queued_at: null,
    paused_at: null,
    pause_reason: null,
    deaths: 0,
    fired_at: null,
    last_task_id: null,
    fired_count: 0,
    skipped_count: 0,
    skip_from: null,
    skip_kind: null,
    created_at: T0,
    updated_at: T0,
    ...over,
  };
}
