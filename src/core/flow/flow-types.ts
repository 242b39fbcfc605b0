// What the compiler says of a flow's definition. Where something is wrong, the type that is wanted is a sentence about it: so
// the editor shows that sentence, and not that one generator is no other.

import type * as v from "valibot";
import type { Duration } from "../record/duration.ts";
import type { Schema } from "./contract.ts";
import type { Operation } from "./operation.ts";
import type { LimitOptions } from "./own-limits.ts";
import type { OwnTags } from "./own-tags.ts";
import type { RetentionOption } from "./retention.ts";
import type { ScheduleDefinition } from "./schedule.ts";
import type { Signal } from "./signal.ts";
import type { UniqueOptions } from "./unique.ts";

interface FlowCommon<In extends Schema, S> {
  /** A letter, then letters, digits, `_`, `-`, `.`; at most 100 characters. It is recorded: a stored word is forever. */
  readonly name: string;
  readonly description?: string;
  /** Applied when a task is created; what it gives, as JSON, is what the flow gets. */
  readonly input: In;
  /** The signals that a task of this flow takes: `[approved]`, made by `defineSignal`, or `{ approved: schema }`. */
  readonly signals?: S & SignalsFault<NoInfer<S>>;
  /** How many of its tasks all workers together may drive at once: short for `limits: { running }`. Tasks that wait do not count. */
  readonly concurrency?: number;
  /** How many of its tasks run at once, of one key at once, and begin within a time, over all workers. Default: no limit. */
  readonly limits?: LimitOptions<v.InferOutput<In>>;
  /**
   * How long its tasks are kept once they have ended: `"7d"`, `"off"`, or `{ completed: "7d", failed: "off" }`. Default:
   * completed ones 30 days, failed and cancelled ones 90 (TASKONAUT_RETENTION_COMPLETED, …_FAILED, …_CANCELLED).
   */
  readonly retention?: RetentionOption;
  /** One open task for each key. Default: as many as one likes. */
  readonly unique?: UniqueOptions<v.InferOutput<In>>;
  /** A task that has not begun so long after it could is CANCELLED: `"10m"`, or milliseconds, 1 s or more. Default: never. */
  readonly expiresIn?: Duration;
  /** When its tasks are made by themselves, by whatever worker has the flow. */
  readonly schedules?: readonly ScheduleDefinition<v.InferInput<In>>[];
  /** Tags by which its tasks are found: `(input) => ({ customer: input.customer })`. Given once, when a task is created. */
  tags?(input: v.InferOutput<In>): OwnTags;
}

interface Bodies<In extends Schema, Run, Plan, S> {
  /** Each `yield*` is a decision; what it returns is the task's output. */
  run(input: v.InferOutput<In>): Run & RunFault<NoInfer<Run>, S>;
  /** Every step is known when the task is created. The output is `{ step name: output }`. */
  plan(input: v.InferOutput<In>): Plan & PlanFault<NoInfer<Plan>, NoInfer<Run>>;
}

/** A flow that decides as it goes. `Run` is the generator that it makes. */
export interface RunDefinition<In extends Schema, Run, Plan, S>
  extends FlowCommon<In, S>, Pick<Bodies<In, Run, Plan, S>, "run">, Partial<Pick<Bodies<In, Run, Plan, S>, "plan">> {}

/** A flow whose steps are all known at the start. `Plan` is the list that it makes. */
export interface PlanDefinition<In extends Schema, Run, Plan, S>
  extends FlowCommon<In, S>, Pick<Bodies<In, Run, Plan, S>, "plan">, Partial<Pick<Bodies<In, Run, Plan, S>, "run">> {}

/** Of a flow: what its `run` returns, or the outputs of its plan. */
export type OutputOf<Run> = [Run] extends [Generator<unknown, infer Out, never>]
  ? Out
  : Readonly<Record<string, unknown>>;

/** Signals that whoever yields these is known to wait for; `string`, where nobody knows, counts as none. */
type WaitsOf<Yielded> = Yielded extends Operation<unknown, infer Name> ? (string extends Name ? never : Name) : never;

type NotAsync =
  "a flow is not async: write *run(input) { … } or plan(input) { … }; what has to be awaited belongs in a tool";

/** A list, where what is wrong may be a number or a text, which a sentence would swallow. */
type Says<Sentence extends string> = readonly [Sentence];

type RunFault<Run, S> = unknown extends Run
  ? unknown
  : Run extends AsyncGenerator | Promise<unknown>
    ? NotAsync
    : Run extends Generator<infer Yielded, unknown, never>
      ? [Yielded] extends [Operation<unknown>]
        ? UndeclaredFault<Exclude<WaitsOf<Yielded>, NamesOf<S>>>
        : "a flow yields nothing but operations: write yield* call(tool, input)"
      : Says<"run is a generator function: write *run(input) { … }, with a yield* for each decision">;

type UndeclaredFault<Name extends string> = [Name] extends [never]
  ? unknown
  : `the flow waits for signal ${Name}, which its signals do not declare`;

type PlanFault<Plan, Run> = unknown extends Run
  ? unknown extends Plan
    ? unknown
    : Plan extends AsyncGenerator | Promise<unknown>
      ? NotAsync
      : Plan extends Generator
        ? "a generator belongs in *run(input) { … }; plan(input) { … } gives a list of calls"
        : Plan extends readonly Operation<unknown>[]
          ? unknown
          : Says<"plan gives a list of calls: [call(tool, input), …]">
  : "a flow has either *run or plan, not both";

type SignalsFault<S> = S extends readonly (infer Member)[]
  ? [Member] extends [Signal]
    ? unknown
    : readonly Says<"list what defineSignal(name, schema) gives, or write { name: schema }">[]
  : { readonly [Name in keyof S]: S[Name] extends Signal ? "list it instead: signals: [approved]" : Schema };

type NamesOf<S> = S extends readonly Signal<unknown, infer Name>[] ? Name : Extract<keyof S, string>;
