// Turns rows into the resource that people and programs see.

import { childTaskId } from "../../core/record/ids.ts";
import { parseJson } from "../../core/record/json.ts";
import { readLeftUndone } from "../../core/record/left-undone.ts";
import type { JsonText, StepRow, TaskRecord, TaskRow, ToolCallRow } from "../../core/record/record.ts";
import { isStepOpen, NEXT, NEXT_STEP } from "../../core/record/status.ts";
import { readError, type StoredError } from "../../core/record/stored-error.ts";
import { readNames } from "../../core/record/names.ts";
import { readOrigin } from "../../core/record/origin.ts";
import { readTags } from "../../core/record/tags.ts";
import type { Json } from "../../core/record/json-value.ts";
import type { Task, TaskBrief, TaskStep, Timestamp, ToolCall, Waiting } from "../../core/api/task.ts";
import type { Worker } from "../../core/api/worker.ts";
import type { Judged } from "../../core/record/judged.ts";
import { rowDamaged } from "../../store/record-damaged.ts";
import type { BriefRow } from "../../store/store.ts";
import type { ListedWorker } from "../../store/worker-store.ts";
import { turnOfLoop } from "../../turn-of-loop.ts";
import { inOneGo } from "../process/in-slices.ts";
import { toolOfLine } from "../../store/store.ts";
import { isWait, waitKindOf } from "./wait-events.ts";

/** Throws if the record is damaged. */
export function toTask(record: TaskRecord): Task {
  return inOneGo(makeTask(record));
}

/** The same, but a large task takes several turns of the event loop. */
export async function toTaskInTurns(record: TaskRecord): Promise<Task> {
  const making = makeTask(record);
  for (;;) {
    const made = making.next();
    if (made.done) return made.value;
    await turnOfLoop();
  }
}

/** How much JSON is parsed between two yields, in characters. */
const READ_MAX = 512 * 1024;

function* makeTask({ task, steps, calls, stepCount }: TaskRecord): Generator<undefined, Task> {
  assertKnown(NEXT, task.status);
  const reader = new Reader();
  const toolCalls: ToolCall[] = [];
  for (const call of calls) {
    toolCalls.push(toToolCall(call, reader));
    if (reader.isFull(READ_MAX)) yield;
  }
  const callsByStep = Map.groupBy(toolCalls, (call) => call.task_step_id);
  const taskSteps: TaskStep[] = [];
  const origin = readOrigin(task.origin);
  for (const step of steps) {
    const isShared = origin !== undefined && step.step_index < origin.step && step.outcome_seq !== null;
    taskSteps.push(toStep(step, callsByStep.get(step.id) ?? [], { reader, isShared }));
    if (reader.isFull(READ_MAX)) yield;
  }
  return {
    id: task.id,
    status: task.status,
    flow_name: task.flow_name,
    flow_file: task.flow_file,
    current_step: task.current_step,
    input_payload: reader.json(task.input_payload),
    output_payload: payload(task.output_payload, reader),
    error_message: message(task.error),
    error: stored(task.error),
    lease_owner: task.lease_owner,
    parked_reason: task.parked_reason,
    waiting_for: onlyWaits(task, steps) ? steps.flatMap((step) => toWaiting(step, reader)) : [],
    unique_key: task.unique_key,
    expires_at: task.expires_at === null ? null : reader.at(task.expires_at),
    cancel_reason: task.cancel_reason,
    left_undone: task.left_undone === null ? null : readLeftUndone(task.left_undone),
    parent_task_id: task.parent_task_id,
    forked_from: origin === undefined ? null : { task_id: origin.task_id, step: origin.step },
    tags: readTags(task.tags),
    schedule: task.schedule,
    traceparent: task.traceparent,
    priority: task.priority,
    due_at: task.due_at === null ? null : reader.at(task.due_at),
    recorded_bytes: task.recorded_bytes,
    created_at: reader.at(task.created_at),
    updated_at: reader.at(task.updated_at),
    finished_at: task.finished_at === null ? null : reader.at(task.finished_at),
    ...(stepCount !== undefined && { step_count: stepCount }),
    steps: taskSteps,
    tool_calls: toolCalls,
  };
}

/** The database may hold values that the types of a column do not allow. */
function assertKnown(known: object, status: string): void {
  if (!Object.hasOwn(known, status)) throw new Error(`The status ${JSON.stringify(status)} is unknown.`);
}

/**
 * There is nothing to do: every outcome was observed, and no tool is to be called. A PLANNED step then stands behind a
 * waiting step of its plan.
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

function toWaiting(step: StepRow, reader: Reader): Waiting[] {
  const { kind, id, target, step_name, due_at, status, limited_by } = step;
  if (!isStepOpen(status) || !isWait(step)) return [];
  // readers do not need the time of its next request
  if (limited_by !== null) {
    return [{ kind: waitKindOf(step), name: toolOfLine(limited_by) ?? limited_by, until: null, task_id: null }];
  }
  const until = due_at === null ? null : reader.at(due_at);
  const task_id = kind === "child" ? childTaskId(id) : null;
  return [{ kind: waitKindOf(step), name: kind === "tool" ? step_name : target, until, task_id }];
}

/** Of a damaged row it may be anything. */
export function shown(text: unknown): string {
  return typeof text === "string" ? text : JSON.stringify(text);
}

/** Whoever reads the task itself is told if its row is damaged. */
export function toBrief({ id, status, flow_name, parked_reason, created_at }: BriefRow): TaskBrief {
  const time = new Date(created_at);
  const at = Number.isNaN(time.getTime()) ? new Date(0) : time;
  return { id: shown(id), status, flow_name: shown(flow_name), parked_reason, created_at: at.toISOString() };
}

export function toWorker(
  { id, name, state, concurrency, flows, codes, tasks, started_at, lease_until, damage: what }: Judged<ListedWorker>,
  location: string,
): Worker {
  const reader = new Reader();
  const row = `The worker ${[name, id].filter(Boolean).join(", ")}`;
  return {
    id,
    name,
    state,
    concurrency,
    flows: readNames(flows),
    codes: parseJson(codes) as Worker["codes"],
    tasks,
    started_at: reader.at(started_at),
    lease_until: reader.at(lease_until),
    ...(what !== undefined && { damage: rowDamaged({ location, table: "workers", row, what }).message }),
  };
}

/** `isShared`: a fork took the step over with its outcome; the child belongs to the other task. */
function toStep(
  step: StepRow,
  toolCalls: readonly ToolCall[],
  { reader, isShared }: { readonly reader: Reader; readonly isShared: boolean },
): TaskStep {
  assertKnown(NEXT_STEP, step.status);
  return {
    id: step.id,
    task_id: step.task_id,
    step_index: step.step_index,
    step_name: step.step_name,
    status: step.status,
    input_payload: reader.json(step.input_payload),
    output_payload: payload(step.output_payload, reader),
    error_message: message(step.error),
    error: stored(step.error),
    doubt: message(step.doubt),
    ...(step.kind === "child" && !isShared && { child_task_id: childTaskId(step.id) }),
    created_at: reader.at(step.created_at),
    updated_at: reader.at(step.updated_at),
    tool_calls: toolCalls,
  };
}

function toToolCall(call: ToolCallRow, reader: Reader): ToolCall {
  return {
    id: call.id,
    task_id: call.task_id,
    task_step_id: call.task_step_id,
    idempotency_key: call.idempotency_key,
    tool_name: call.tool_name,
    status: call.status,
    retry_count: call.retry_count,
    progress: call.progress === null ? null : (parseJson(call.progress) as ToolCall["progress"]),
    last_error: message(call.last_error),
    started_at: reader.at(call.started_at),
    finished_at: call.finished_at === null ? null : reader.at(call.finished_at),
    request_payload: reader.json(call.request_payload),
    response_payload: payload(call.response_payload, reader),
    error_message: message(call.error),
    error: stored(call.error),
    created_at: reader.at(call.created_at),
  };
}

function payload(text: JsonText | null, reader: Reader): Json {
  return text === null ? null : reader.json(text);
}

function stored(error: JsonText | null): StoredError | null {
  return error === null ? null : readError(error);
}

function message(error: JsonText | null): string | null {
  return error === null ? null : readError(error).message;
}

/** The parsed values of one resource. */
class Reader {
  #ms = 0;
  #text = "1970-01-01T00:00:00.000Z";
  #length = 0;
  readonly #long = new Map<JsonText, Json>();

  /** Many times are equal, and formatting one is expensive. */
  at(ms: number): Timestamp {
    if (ms !== this.#ms) {
      this.#ms = ms;
      this.#text = new Date(ms).toISOString();
    }
    return this.#text;
  }

  /** A long text is parsed only once: a call repeats the text of its step. */
  json(text: JsonText): Json {
    if (typeof text !== "string") throw new Error("A JSON text is missing.");
    if (text.length < LONG) return parseJson(text);
    const known = this.#long.get(text);
    if (known !== undefined) return known;
    const value = parseJson(text);
    this.#long.set(text, value);
    this.#length += text.length;
    return value;
  }

  /** Whether that much was parsed since the last yield. */
  isFull(max: number): boolean {
    if (this.#length < max) return false;
    this.#length = 0;
    return true;
  }
}

/** In characters. */
const LONG = 1024;
