// Turns a request into a task that is ready to be inserted. Nothing is written here.

import { during } from "../../core/flow/activity.ts";
import { TaskonautError } from "../../core/errors.ts";
import type { Flow } from "../../core/flow/flow.ts";
import { FlowStuckError } from "../../core/flow/flow-bound.ts";
import { readGiven } from "../../core/flow/given-json.ts";
import { keyOf } from "../../core/flow/own-limits.ts";
import { uniqueKeyOf } from "../../core/flow/unique.ts";
import { keyedTaskId } from "../../core/record/ids.ts";
import { IDEMPOTENCY_KEY_MAX, type Limits } from "../../core/limits.ts";
import { createProgram } from "../../core/flow/create-program.ts";
import type { Decision, Program } from "../../core/flow/program.ts";
import { parseJson } from "../../core/record/json.ts";
import type { JsonText, TaskRecord } from "../../core/record/record.ts";
import { isA, messageOf, placeOf } from "../../core/record/stored-error.ts";
import { readTags, type Tags } from "../../core/record/tags.ts";
import type { CreateTask } from "../../core/api/create-task.ts";
import { bytesOfStep, bytesOfText } from "../../core/record/record-size.ts";
import { applyOwnContract, computeBy, OF_PROCESS, withPlace } from "./own-code.ts";
import { planTags } from "./task-tags.ts";
import { toStepRow } from "../task/step-row.ts";
import { tellViolation } from "../task/tell-violation.ts";

export interface PlannedTask {
  readonly record: TaskRecord;
  readonly program: Program;
  /** Of each of its steps, in their order. */
  readonly decisions: readonly Decision[];
}

const PRIORITY = 5;

export interface TaskPlan {
  readonly id: string;
  readonly flow: Flow;
  /** As it came; the contract is applied to it. */
  readonly input: unknown;
  readonly now: number;
  readonly limits: Limits;
  /** When a worker may take it, in store time; null or unset: not before somebody advances it. */
  readonly dueAt?: number | null | undefined;
  /** 0 to 9; by default 5. */
  readonly priority?: number | undefined;
  readonly tags?: Tags | undefined;
  /** In store time: if it has not begun by then, it is cancelled. Null: it never expires. Unset: as its flow says. */
  readonly expiresAt?: number | null | undefined;
  /** The schedule that makes it. */
  readonly schedule?: string | undefined;
  /** As `readTraceparent` gives it. */
  readonly traceparent?: string | null | undefined;
  /** For a child: who waits for it. */
  readonly parent?: { readonly taskId: string; readonly stepId: string; readonly depth: number };
}

/** The id of a new task, or the one that belongs to the request's idempotency key. Throws input_invalid. */
export function taskIdOf({ idempotencyKey }: Pick<CreateTask, "idempotencyKey">, newId: () => string): string {
  return idempotencyKey === undefined ? newId() : keyedTaskId(checkKey("Idempotency-Key", idempotencyKey));
}

/** Throws input_invalid, body_too_large, flow_invalid. If a limit of this process is the reason, `details.limit` names it. */
export function planTask(plan: TaskPlan): PlannedTask {
  const { flow } = plan;
  // its contract, tags, keys and plan are code of its file, which may never end
  return flow.file === undefined ? planBy(plan) : during("flow", { flow: flow.name, at: flow.at }, () => planBy(plan));
}

function planBy({
  id,
  flow,
  input: given,
  now,
  limits,
  dueAt,
  priority,
  tags,
  expiresAt,
  schedule,
  traceparent,
  parent,
}: TaskPlan): PlannedTask {
  const input = readInput(flow, given, limits.inputBytes);
  const tagsText = planTags(flow, input, tags);
  const program = createProgram(flow, {
    id,
    input,
    createdAt: now,
    stepsMax: limits.stepsPerTask,
    ...(tagsText !== null && { tags: readTags(tagsText) }),
  });
  // the steps of a `run` flow depend on outcomes: its first are planned when the task starts
  const decisions = flow.body.form === "plan" ? startPlan(flow, program) : [];
  if (decisions.length > limits.stepsPerTask) {
    throw new TaskonautError(
      "flow_invalid",
      `Flow ${flow.name} plans ${decisions.length} steps for this input; a task has at most ${limits.stepsPerTask} (TASKONAUT_MAX_STEPS).`,
      { details: { limit: "stepsPerTask" } },
    );
  }
  // the steps of a plan are tool calls: none of them is due by a clock
  const steps = decisions.map((decision, index) => toStepRow(id, decision, { index: index + 1, now, storeNow: now }));
  const record: TaskRecord = {
    task: {
      id,
      flow_name: flow.name,
      status: "PLANNED",
      version: 1,
      current_step: 0,
      observed_count: 0,
      input_payload: input,
      output_payload: null,
      error: null,
      lease_owner: null,
      due_at: dueAt ?? null,
      priority: priority ?? PRIORITY,
      limit_key: limitKeyOf(flow, input),
      unique_key: uniqueKeyBy(flow, input),
      expires_at: expiresAt === undefined ? expiryOf(flow, dueAt) : expiresAt,
      cancel_reason: null,
      wake_seq: 0,
      parked_reason: null,
      parked_code: null,
      flow_code: flow.code ?? null,
      flow_file: flow.file ?? null,
      parent_task_id: parent?.taskId ?? null,
      parent_step_id: parent?.stepId ?? null,
      tags: tagsText,
      given_tags: null,
      traceparent: traceparent ?? null,
      origin: null,
      waits: null,
      schedule: schedule ?? null,
      depth: parent === undefined ? 0 : parent.depth + 1,
      cancelled_after: null,
      cancelled_at: null,
      left_undone: null,
      recorded_bytes: steps.reduce(
        (bytes, step) => bytes + bytesOfStep(step),
        bytesOfText(input) + bytesOfText(tagsText ?? ""),
      ),
      created_at: now,
      updated_at: now,
      finished_at: null,
    },
    steps,
    calls: [],
  };
  return { record, program, decisions };
}

function readInput(flow: Flow, given: unknown, bytesMax: number): JsonText {
  return readGiven(applyOwnContract(flow, "Its input contract", flow.input, given === undefined ? {} : given), {
    what: "The input",
    of: `flow ${flow.name}`,
    named: `The input of flow ${flow.name}`,
    bytesMax,
    variable: "TASKONAUT_MAX_INPUT_BYTES",
    limit: "inputBytes",
  });
}

/** As the flow says. A task outside the queue may begin at any time, so its time counts from its creation. */
function expiryOf({ expiresInMs }: Flow, dueAt: number | null = null): number | null {
  return expiresInMs === undefined || dueAt === null ? null : dueAt + expiresInMs;
}

function limitKeyOf(flow: Flow, input: JsonText): string | null {
  const { limits } = flow;
  return limits?.key ? computeBy(flow, "limits.key", () => keyOf(`Flow ${flow.name}`, limits, parseJson(input))) : null;
}

function uniqueKeyBy(flow: Flow, input: JsonText): string | null {
  const { name, unique } = flow;
  return unique ? computeBy(flow, "unique.key", () => uniqueKeyOf(`Flow ${name}`, unique, parseJson(input))) : null;
}

function startPlan(flow: Flow, program: Program): ReturnType<Program["start"]>["planned"] {
  try {
    const { planned } = program.start();
    if (program.violation) throw program.violation; // also where the flow has caught it
    return planned;
  } catch (error) {
    if (isA(error, TaskonautError)) throw withPlace(error, flow);
    if (program.obstacle !== undefined) {
      throw new TaskonautError("flow_invalid", program.obstacle, { details: OF_PROCESS, cause: error });
    }
    const at = isA(error, Error) ? placeOf(error) : undefined;
    const why = program.violation
      ? tellViolation(program, UNBEGUN)
      : `${messageOf(error)}${at === undefined ? "" : ` (at ${at})`}`;
    throw new TaskonautError("flow_invalid", `Flow ${flow.name} could not plan its steps for this input: ${why}`, {
      ...(program.violation instanceof FlowStuckError && { details: OF_PROCESS }),
      cause: error,
    });
  }
}

/** Of a task that is not there yet. */
const UNBEGUN = { task: { observed_count: 0, cancelled_after: null, cancelled_at: null }, steps: [] };

/** Throws input_invalid. */
export function checkKey(path: string, key: string): string {
  if (key.length < 1 || key.length > IDEMPOTENCY_KEY_MAX)
    throw keyInvalid(path, `must have 1 to ${IDEMPOTENCY_KEY_MAX} characters`);
  // no store keeps them, and the id of another key would be derived from it
  if (key.includes("\0") || !key.isWellFormed())
    throw keyInvalid(path, "must not hold NUL or half of a surrogate pair");
  return key;
}

function keyInvalid(path: string, message: string): TaskonautError {
  return new TaskonautError("input_invalid", `An idempotency key ${message}.`, { errors: [{ path, message }] });
}

export function keyReused(id: string): TaskonautError {
  return new TaskonautError(
    "idempotency_key_reused",
    `The idempotency key was used before, for something else: task ${id}. Use a new key for what is new.`,
    { details: { id } },
  );
}
