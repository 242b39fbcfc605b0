// Tasks as they are told, for tests that look at them or stand in for the engine.

import type { Task, TaskStep } from "../../src/core/api/task.ts";

/** When all of them were created. */
export const CREATED_AT = "2026-11-23T03:39:25.130Z";

/** PLANNED, without steps, with what a test wants otherwise. */
export function plannedTask(over: Partial<Task> = {}): Task {
  return {
    id: "t1",
    status: "PLANNED",
    flow_name: "f",
    flow_file: null,
    current_step: 0,
    input_payload: {},
    output_payload: null,
    error_message: null,
    error: null,
    lease_owner: null,
    parked_reason: null,
    waiting_for: [],
    unique_key: null,
    expires_at: null,
    cancel_reason: null,
    left_undone: null,
    parent_task_id: null,
    forked_from: null,
    tags: {},
    schedule: null,
    traceparent: null,
    priority: 5,
    due_at: null,
    recorded_bytes: 0,
    created_at: CREATED_AT,
    updated_at: CREATED_AT,
    finished_at: null,
    steps: [],
    tool_calls: [],
    ...over,
  };
}

/** PLANNED, the first of its task, with what a test wants otherwise. */
export function plannedStep(over: Partial<TaskStep> = {}): TaskStep {
  return {
    id: "s1",
    task_id: "t1",
    step_index: 1,
    step_name: "step",
    status: "PLANNED",
    input_payload: {},
    output_payload: null,
    error_message: null,
    error: null,
    doubt: null,
    created_at: CREATED_AT,
    updated_at: CREATED_AT,
    tool_calls: [],
    ...over,
  };
}
