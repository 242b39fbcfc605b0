// What the answers of a taskonaut server look like: enough of it to tell another server apart. Fields may be added, so
// objects are open; the answer itself is handed on untouched, in its own order of keys.

import * as v from "valibot";
import type { ErrorCode, Violation } from "../core/errors.ts";
import type { FlowDescription } from "../core/taskonaut.ts";
import type { Task } from "../core/task.ts";

/** A schema that checks a shape and stands for a type of core, whose fields beyond that shape it takes on trust. */
export type Answer<T> = v.GenericSchema<T, T>;

export const TaskAnswer = v.looseObject({
  id: v.string(),
  status: v.picklist(["PLANNED", "RUNNING", "WAITING_OBSERVATION", "COMPLETED", "FAILED", "CANCELLED"]),
  flow_name: v.string(),
  current_step: v.number(),
  waiting_for: v.array(v.looseObject({ kind: v.string(), until: v.nullable(v.string()) })),
  steps: v.array(v.looseObject({ id: v.string(), step_index: v.number(), tool_calls: v.array(v.looseObject({})) })),
  tool_calls: v.array(v.looseObject({ id: v.string(), idempotency_key: v.string() })),
}) as unknown as Answer<Task>;

export const TasksAnswer: Answer<readonly Task[]> = v.array(TaskAnswer);

export const FlowAnswer = v.looseObject({
  name: v.string(),
  description: v.string(),
  form: v.picklist(["plan", "run"]),
  input_schema: v.looseObject({}),
  signals: v.record(v.string(), v.looseObject({})),
}) as unknown as Answer<FlowDescription>;

export const FlowsAnswer: Answer<readonly FlowDescription[]> = v.array(FlowAnswer);

export const ReadyAnswer: Answer<{ status: string }> = v.looseObject({ status: v.literal("ready") });

/** A problem (RFC 9457) as our servers write it. */
export const ProblemAnswer = v.looseObject({
  code: v.string(),
  detail: v.string(),
  errors: v.optional(v.array(v.object({ path: v.string(), message: v.string() }))),
}) as unknown as Answer<{ code: ErrorCode | (string & {}); detail: string; errors?: readonly Violation[] }>;
