// The flows of the fake Taskonaut, with the contracts of their inputs and signals.

import * as v from "valibot";
import { applyContract, type ContractResult, type Schema } from "../../src/core/flow/contract.ts";
import { TaskonautError, type Violation } from "../../src/core/errors.ts";
import type { Json } from "../../src/core/record/json-value.ts";
import type { Task } from "../../src/core/api/task.ts";
import type { FlowDescription, SignalTask } from "../../src/core/api/taskonaut.ts";

const EchoAddInput = v.strictObject({
  text: v.optional(v.string(), "hello"),
  a: v.optional(v.pipe(v.number(), v.safeInteger()), 1),
  b: v.optional(v.pipe(v.number(), v.safeInteger()), 2),
});

export const ECHO_ADD: FlowDescription = {
  name: "echo_add",
  description: "Echoes a text, then adds two integers.",
  form: "plan",
  file: null,
  concurrency: null,
  retention_ms: { completed: 2_592_000_000, failed: 7_776_000_000, cancelled: null },
  schedules: [],
  pauses: [],
  input_schema: {
    type: "object",
    properties: {
      text: { type: "string", default: "hello", description: "the text to echo" },
      a: { type: "integer", default: 1, maximum: 100 },
      b: { type: "integer", default: 2 },
    },
    additionalProperties: false,
  },
  signals: {},
};

/** Takes any input, and waits for nothing in particular. */
export const FREE: FlowDescription = {
  ...ECHO_ADD,
  name: "free",
  description: "The flow free.",
  input_schema: { type: "object" },
  signals: { approved: { type: "object", required: ["by"] }, nudged: {} },
};

/** Of the signals of the flow `free`. */
const SIGNALS: ReadonlyMap<string, Schema> = new Map<string, Schema>([
  ["approved", v.strictObject({ by: v.string() })],
  ["nudged", v.unknown()],
]);

export function checkSignal({ flow_name }: Task, { name, payload }: SignalTask): void {
  const schema = flow_name === "free" ? SIGNALS.get(name) : undefined;
  const errors = schema ? resultErrors(applyContract(schema, payload)) : [{ path: "name", message: "unknown signal" }];
  if (errors.length > 0) throw new TaskonautError("input_invalid", `No such signal ${name}, or not so.`, { errors });
}

function resultErrors(result: ContractResult<unknown>): readonly Violation[] {
  return result.ok ? [] : result.errors;
}

export function checkEchoAdd(input: unknown): Json {
  const result = applyContract(EchoAddInput, input);
  if (result.ok) return result.value;
  throw new TaskonautError("input_invalid", "The input breaks the contract of echo_add.", { errors: result.errors });
}
