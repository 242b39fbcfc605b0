// A flow: a named, deterministic program that decides which tools to call.

import type * as v from "valibot";
import type { Schema } from "./contract.ts";
import { TaskonautError } from "./errors.ts";
import { checkName } from "./names.ts";
import type { Operation } from "./operation.ts";

/** On every flow that defineFlow made, whichever copy of this module it came from. */
export const FLOW = Symbol.for("taskonaut.flow");

/** A flow as the engine holds it. */
export interface Flow<In = unknown, Out = unknown> {
  /** Marks what `defineFlow` made, whichever copy of this module made it. */
  readonly [FLOW]: true;
  readonly name: string;
  readonly description: string;
  readonly input: Schema<In>;
  /** By name: what a signal may carry. */
  readonly signals: ReadonlyMap<string, Schema>;
  /** Only a type: what the flow gives. */
  readonly output?: Out;
  readonly body: FlowBody;
  /** The file that it was loaded from; unset for those that come with the program. */
  readonly file?: string;
}

export type FlowBody =
  | { readonly form: "plan"; readonly plan: (input: unknown) => readonly Operation<unknown>[] }
  | { readonly form: "run"; readonly run: (input: unknown) => Generator<Operation<unknown>, unknown, unknown> };

interface FlowCommon<In extends Schema> {
  /** A letter, then letters, digits, `_`, `-`, `.`; at most 100 characters. It is recorded: a stored word is forever. */
  readonly name: string;
  readonly description?: string;
  /** Applied when a task is created; what it gives, as JSON, is what the flow gets. */
  readonly input: In;
  /** The signals that a task of this flow takes, each with the contract of its payload. */
  readonly signals?: Readonly<Record<string, Schema>>;
}

/** Every step is known when the task is created. The output is `{ step name: output }`. */
export interface PlanDefinition<In extends Schema> extends FlowCommon<In> {
  plan(input: v.InferOutput<In>): readonly Operation<unknown>[];
  readonly run?: never;
}

/** Each `yield*` is a decision; what it returns is the task's output. */
export interface RunDefinition<In extends Schema, Out> extends FlowCommon<In> {
  run(input: v.InferOutput<In>): Generator<Operation<unknown>, Out, unknown>;
  readonly plan?: never;
}

/** Throws flow_invalid for a definition that could not work. */
export function defineFlow<In extends Schema, Out>(definition: RunDefinition<In, Out>): Flow<v.InferInput<In>, Out>;
export function defineFlow<In extends Schema>(
  definition: PlanDefinition<In>,
): Flow<v.InferInput<In>, Readonly<Record<string, unknown>>>;
export function defineFlow(definition: PlanDefinition<Schema> | RunDefinition<Schema, unknown>): Flow {
  const { name, description = "", input, signals = {} } = definition;
  checkName("flow", name);
  checkSchema(`Flow ${name}: input`, input);
  for (const [signal, schema] of Object.entries(signals)) {
    checkName("signal", signal);
    checkSchema(`Flow ${name}: signal ${signal}`, schema);
  }
  return {
    [FLOW]: true,
    name,
    description,
    input,
    signals: new Map(Object.entries(signals)),
    body: bodyOf(definition),
  };
}

export function isFlow(value: unknown): value is Flow {
  return typeof value === "object" && value !== null && FLOW in value;
}

function checkSchema(what: string, schema: unknown): void {
  const { kind, async } = (schema ?? {}) as Partial<Schema>;
  if (kind === "schema" && !async) return;
  throw new TaskonautError("flow_invalid", `${what} must be a synchronous valibot schema.`);
}

function isAsync(body: unknown): boolean {
  return typeof body === "function" && body.constructor.name.startsWith("Async");
}

function bodyOf(definition: PlanDefinition<Schema> | RunDefinition<Schema, unknown>): FlowBody {
  if ((definition.plan === undefined) === (definition.run === undefined)) {
    throw new TaskonautError(
      "flow_invalid",
      `Flow ${definition.name}: give either plan (all steps known at the start) or run (a generator function).`,
    );
  }
  if ([definition.plan, definition.run].some(isAsync)) {
    throw new TaskonautError(
      "flow_invalid",
      `Flow ${definition.name}: write *run(input) { … } or plan(input) { … }; an async function cannot be replayed. What has to be awaited belongs into a tool.`,
    );
  }
  // the input that reaches them has passed the contract, so its type is what the schema gives
  if (definition.plan !== undefined) return { form: "plan", plan: (input) => definition.plan(input) };
  return { form: "run", run: (input) => definition.run(input) };
}
