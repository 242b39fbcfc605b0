// A flow: a named, deterministic program that decides which tools to call.

import type * as v from "valibot";
import type { Schema } from "./contract.ts";
import { TaskonautError } from "./errors.ts";
import { checkName } from "./names.ts";
import type { Operation } from "./operation.ts";

/** A flow as the engine holds it. */
export interface Flow {
  readonly name: string;
  readonly description: string;
  readonly input: Schema;
  readonly body: FlowBody;
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
}

export type FlowDefinition<In extends Schema> = FlowCommon<In> &
  (
    | {
        /** Every step is known when the task is created. The output is `{ step name: output }`. */
        plan(input: v.InferOutput<In>): readonly Operation<unknown>[];
        readonly run?: never;
      }
    | {
        /** Each `yield*` is a decision; what it returns is the task's output. */
        run(input: v.InferOutput<In>): Generator<Operation<unknown>, unknown, unknown>;
        readonly plan?: never;
      }
  );

/** Throws flow_invalid for a definition that could not work. */
export function defineFlow<In extends Schema>(definition: FlowDefinition<In>): Flow {
  const { name, description = "", input } = definition;
  checkName("flow", name);
  if (input?.kind !== "schema" || input.async) {
    throw new TaskonautError("flow_invalid", `Flow ${name}: input must be a synchronous valibot schema.`);
  }
  return { name, description, input, body: bodyOf(definition) };
}

function bodyOf<In extends Schema>(definition: FlowDefinition<In>): FlowBody {
  if ((definition.plan === undefined) === (definition.run === undefined)) {
    throw new TaskonautError(
      "flow_invalid",
      `Flow ${definition.name}: give either plan (all steps known at the start) or run (a generator function).`,
    );
  }
  // the input that reaches them has passed the contract, so its type is what the schema gives
  if (definition.plan !== undefined) return { form: "plan", plan: (input) => definition.plan(input) };
  return { form: "run", run: (input) => definition.run(input) };
}
