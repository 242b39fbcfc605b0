// From rows to the resource that people and programs see.

import { childTaskId } from "../core/ids.ts";
import { parseJson } from "../core/json.ts";
import { readLeftUndone } from "../core/left-undone.ts";
import type { JsonText, StepRow, TaskRecord, TaskRow, ToolCallRow } from "../core/record.ts";
import { isStepOpen } from "../core/status.ts";
import { readError, type StoredError } from "../core/stored-error.ts";
import type { Json } from "../core/json-value.ts";
import type { Task, TaskStep, Timestamp, ToolCall, Waiting } from "../core/task.ts";
import type { Worker } from "../core/worker.ts";
import type { ListedWorker } from "../store/store.ts";
import { isWait } from "./news.ts";

export function toTask({ task, steps, calls }: TaskRecord): Task {
  const times = new Times();
  const toolCalls = calls.map((call) => toToolCall(call, times));
  const callsByStep = Map.groupBy(toolCalls, (call) => call.task_step_id);
  return {
    id: task.id,
    status: task.status,
    flow_name: task.flow_name,
    current_step: task.current_step,
    input_payload: parseJson(task.input_payload),
    output_payload: payload(task.output_payload),
    error_message: message(task.error),
    error: stored(task.error),
    lease_owner: task.lease_owner,
    parked_reason: task.parked_reason,
    waiting_for: onlyWaits(task, steps) ? steps.flatMap((step) => toWaiting(step, times)) : [],
    left_undone: task.left_undone === null ? null : readLeftUndone(task.left_undone),
    parent_task_id: task.parent_task_id,
    priority: task.priority,
    due_at: task.due_at === null ? null : times.at(task.due_at),
    created_at: times.at(task.created_at),
    updated_at: times.at(task.updated_at),
    steps: steps.map((step) => toStep(step, callsByStep.get(step.id) ?? [], times)),
    tool_calls: toolCalls,
  };
}

/**
 * Nothing is left to do: every outcome was observed, and no tool is to be called. What is PLANNED then stands behind a
 * step of its plan that waits.
 */
function onlyWaits(task: TaskRow, steps: readonly StepRow[]): boolean {
  return (
    task.status === "WAITING_OBSERVATION" &&
    steps.every((step) =>
      isStepOpen(step.status)
        ? isWait(step) || step.status === "PLANNED"
        : (step.outcome_seq ?? 0) <= task.observed_count,
    )
  );
}

const WAITS = { sleep: "time", signal: "signal", child: "child" } as const;

function toWaiting(step: StepRow, times: Times): Waiting[] {
  const { kind, id, target, step_name, due_at, status, doubt } = step;
  if (!isStepOpen(status) || !isWait(step)) return [];
  const until = due_at === null ? null : times.at(due_at);
  if (kind === "tool") return [{ kind: doubt === null ? "retry" : "doubt", name: step_name, until, task_id: null }];
  return [{ kind: WAITS[kind], name: target, until, task_id: kind === "child" ? childTaskId(id) : null }];
}

export function toWorker({ id, name, state, concurrency, tasks, started_at, lease_until }: ListedWorker): Worker {
  const times = new Times();
  return {
    id,
    name,
    state,
    concurrency,
    tasks,
    started_at: times.at(started_at),
    lease_until: times.at(lease_until),
  };
}

function toStep(step: StepRow, toolCalls: readonly ToolCall[], times: Times): TaskStep {
  return {
    id: step.id,
    task_id: step.task_id,
    step_index: step.step_index,
    step_name: step.step_name,
    status: step.status,
    input_payload: parseJson(step.input_payload),
    output_payload: payload(step.output_payload),
    error_message: message(step.error),
    error: stored(step.error),
    doubt: message(step.doubt),
    created_at: times.at(step.created_at),
    updated_at: times.at(step.updated_at),
    tool_calls: toolCalls,
  };
}

function toToolCall(call: ToolCallRow, times: Times): ToolCall {
  return {
    id: call.id,
    task_id: call.task_id,
    task_step_id: call.task_step_id,
    idempotency_key: call.idempotency_key,
    tool_name: call.tool_name,
    status: call.status,
    retry_count: call.retry_count,
    last_error: message(call.last_error),
    started_at: times.at(call.started_at),
    finished_at: call.finished_at === null ? null : times.at(call.finished_at),
    request_payload: parseJson(call.request_payload),
    response_payload: payload(call.response_payload),
    error_message: message(call.error),
    error: stored(call.error),
    created_at: times.at(call.created_at),
  };
}

function payload(text: JsonText | null): Json {
  return text === null ? null : parseJson(text);
}

function stored(error: JsonText | null): StoredError | null {
  return error === null ? null : readError(error);
}

function message(error: JsonText | null): string | null {
  return error === null ? null : readError(error).message;
}

/** Times of one resource: many are the same, and to write one is dear. */
class Times {
  #ms = 0;
  #text = "1970-01-01T00:00:00.000Z";

  at(ms: number): Timestamp {
    if (ms !== this.#ms) {
      this.#ms = ms;
      this.#text = new Date(ms).toISOString();
    }
    return this.#text;
  }
}
