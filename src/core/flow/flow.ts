// A flow: a named, deterministic program that decides which tools to call.

import type * as v from "valibot";
import type { Schema } from "./contract.ts";
import { TaskonautError } from "../errors.ts";
import { checkContract } from "./json-contract.ts";
import { checkName } from "./names.ts";
import type { Operation } from "./operation.ts";

/** On every flow that `defineFlow` of this copy of the program made: its operations are known to this copy alone. */
const FLOW = Symbol("taskonaut.flow");

/** A flow as the engine holds it. */
export interface Flow<In = unknown, Out = unknown> {
  readonly [FLOW]: true;
  readonly name: string;
  readonly description: string;
  readonly input: Schema<In>;
  /** By name: what a signal may carry. */
  readonly signals: ReadonlyMap<string, Schema>;
  /** Only a type: what the flow gives. */
  readonly output?: Out;
  readonly body: FlowBody;
  /** How many of its tasks all workers together may drive at once; undefined: as many as they like. */
  readonly concurrency: number | undefined;
  /** The file that it was loaded from; unset for those that come with the program. */
  readonly file?: string;
  /** A hash of its file and of the local files that it imports; unset for those that come with the program. */
  readonly code?: string;
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
  /** How many of its tasks all workers together may drive at once: 1 or more. Tasks that wait do not count. Default: no limit. */
  readonly concurrency?: number;
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
  const { name, description = "", input, signals = {}, concurrency } = definition;
  checkName("flow", name);
  checkContract(`Flow ${name}: input`, input, ["takes", "gives"]);
  for (const [signal, schema] of Object.entries(signals)) {
    checkName("signal", signal);
    checkContract(`Flow ${name}: signal ${signal}`, schema, ["takes", "gives"]);
  }
  if (concurrency !== undefined && !(Number.isSafeInteger(concurrency) && concurrency >= 1)) {
    throw new TaskonautError(
      "flow_invalid",
      `Flow ${name}: concurrency must be an integer, 1 or more, got ${concurrency}.`,
    );
  }
  return {
    [FLOW]: true,
    name,
    description,
    input,
    signals: new Map(Object.entries(signals)),
    concurrency,
    body: bodyOf(definition),
  };
}

/** Whether `defineFlow` of this copy of the program made it. */
export function isFlow(value: unknown): value is Flow {
  return typeof value === "object" && value !== null && FLOW in value;
}

/** Whether another copy of the program made it: nothing here could run it. */
export function isForeignFlow(value: unknown): boolean {
  if (typeof value !== "object" || value === null || FLOW in value) return false;
  return Object.getOwnPropertySymbols(value).some(({ description }) => description === FLOW.description);
}

/** `Function`, `AsyncFunction`, `GeneratorFunction`, `AsyncGeneratorFunction`, or what else it is. */
function kindOfBody({ plan, run }: { readonly plan?: unknown; readonly run?: unknown }): string {
  return Object.prototype.toString.call(plan ?? run).slice("[object ".length, -1);
}

function bodyOf(definition: PlanDefinition<Schema> | RunDefinition<Schema, unknown>): FlowBody {
  if ((definition.plan === undefined) === (definition.run === undefined)) {
    throw new TaskonautError(
      "flow_invalid",
      `Flow ${definition.name}: give either plan (all steps known at the start) or run (a generator function).`,
    );
  }
  const kind = kindOfBody(definition);
  if (kind.startsWith("Async")) {
    throw new TaskonautError(
      "flow_invalid",
      `Flow ${definition.name}: write *run(input) { … } or plan(input) { … }; an async function cannot be replayed. What has to be awaited belongs into a tool.`,
    );
  }
  if (definition.plan === undefined && kind !== "GeneratorFunction") {
    throw new TaskonautError(
      "flow_invalid",
      `Flow ${definition.name}: run must be a generator function: write *run(input) { … }, with a yield* for each decision. What is known at the start goes into plan(input) { … }.`,
    );
  }
  // the input that reaches them has passed the contract, so its type is what the schema gives
  if (definition.plan !== undefined) return { form: "plan", plan: (input) => definition.plan(input) };
  return { form: "run", run: (input) => definition.run(input) };
}
