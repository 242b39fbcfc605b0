// A flow: a named, deterministic program that decides which tools to call.

import type * as v from "valibot";
import type { Schema } from "./contract.ts";
import { definedAt } from "./defined-at.ts";
import { Faults, isObject, type Options, tellGiven } from "./definition.ts";
import type { OutputOf, PlanDefinition, RunDefinition } from "./flow-types.ts";
import { faultOfContract } from "./json-contract.ts";
import { isName, tellWrongName } from "./names.ts";
import { type OwnLimits, readLimits } from "./own-limits.ts";
import type { Retention } from "../limits.ts";
import type { Operation } from "./operation.ts";
import { tellWrongDuration } from "./duration.ts";
import { EXPIRES_MS_MIN } from "../limits.ts";
import { toMs } from "../record/duration.ts";
import { type OwnUnique, readUnique } from "./unique.ts";
import { readRetention } from "./retention.ts";
import { readFlowSchedules } from "./flow-schedules.ts";
import type { FlowSchedule } from "./schedule.ts";
import { isSignal } from "./signal.ts";

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
  /** What all workers together may drive of it; undefined: as much as they like. */
  readonly limits: OwnLimits | undefined;
  /** How long its tasks are kept once they have ended, where it says so. */
  readonly retention: Partial<Retention>;
  /** Undefined: any number of its tasks may be open, whatever their inputs. */
  readonly unique: OwnUnique | undefined;
  /** Undefined: its tasks wait for as long as it takes. */
  readonly expiresInMs: number | undefined;
  /** When its tasks are made by themselves. */
  readonly schedules: readonly FlowSchedule[];
  /** Gives a task its tags by its input. Of code of the user's file: `tagsOf` calls it. */
  readonly tags: ((input: unknown) => unknown) | undefined;
  /** Where it is defined: `/flows/pay.ts:12:9`; undefined where that cannot be told. */
  readonly at?: string | undefined;
  /** The file that it was loaded from; unset for those that come with the program. */
  readonly file?: string;
  /** A hash of its file and of the local files that it imports; unset for those that come with the program. */
  readonly code?: string;
}

export type FlowBody =
  | { readonly form: "plan"; readonly plan: (input: unknown) => readonly Operation<unknown>[] }
  | { readonly form: "run"; readonly run: (input: unknown) => Generator<Operation<unknown>, unknown, unknown> };

const NONE: OwnLimits = { running: null, runningPerKey: null, rate: null, key: undefined };

const OPTIONS: Options = {
  name: ["id", "flow"],
  description: ["title", "summary"],
  input: ["schema", "inputs", "inputSchema"],
  signals: ["signal"],
  concurrency: ["maxConcurrency"],
  limits: ["limit"],
  retention: ["keep", "ttl", "expireAfter"],
  unique: ["singleton", "dedupe", "uniqueBy"],
  expiresIn: ["expires", "expiry", "startWithin"],
  schedules: ["schedule", "cron", "crons"],
  tags: ["tag", "labels", "attributes"],
  plan: ["steps"],
  run: ["handler", "execute", "body"],
};

/**
 * Throws flow_invalid with everything that is wrong with the definition.
 *
 * @example defineFlow({ name: "greet", input: v.object({ to: v.string() }), *run({ to }) { return yield* call(greet, to); } })
 */
export function defineFlow<const In extends Schema, Run, Plan, const S = {}>(
  definition: PlanDefinition<In, Run, Plan, S> | RunDefinition<In, Run, Plan, S>,
): Flow<v.InferInput<In>, OutputOf<Run>>;
export function defineFlow(definition: unknown): Flow {
  const faults = new Faults();
  if (!isObject(definition)) {
    faults.add([], `it takes one object, and got ${tellGiven(definition)}`);
    return faults.refuse("defineFlow({ name, input, *run(input) { … } })");
  }
  const { name, description = "", input, signals, concurrency, retention } = definition;
  faults.addUnknownKeys(definition, "defineFlow", OPTIONS);
  faults.addWrongName("flow", name);
  if (typeof description !== "string")
    faults.add("description", `description must be a text, got ${tellGiven(description)}`);
  faults.addContract("input", input, ["takes", "gives"]);
  const declared = readSignals(signals, faults);
  if (concurrency !== undefined && !(Number.isSafeInteger(concurrency) && (concurrency as number) >= 1)) {
    faults.add("concurrency", `concurrency must be an integer, 1 or more, got ${tellGiven(concurrency)}`);
  }
  const limits = readLimits(definition["limits"], faults, "flow");
  if (limits && concurrency !== undefined) {
    faults.add("concurrency", "concurrency is another word for limits.running: a flow has one of them");
  }
  const kept = readRetention(retention, faults);
  const unique = readUnique(definition["unique"], faults);
  const expiresInMs = readExpiresIn(definition["expiresIn"], faults);
  const schedules = readFlowSchedules(definition["schedules"], input, faults);
  const { tags } = definition;
  if (tags !== undefined && typeof tags !== "function") {
    faults.add(
      "tags",
      `tags must be a function such as (input) => ({ customer: input.customer }), got ${tellGiven(tags)}`,
    );
  }
  const body = readBody(definition, faults);
  faults.throwOf(isName(name) ? `Flow ${name}` : "defineFlow");
  return {
    [FLOW]: true,
    name: name as string,
    description: description as string,
    input: input as Schema,
    signals: declared,
    limits: limits ?? (concurrency === undefined ? undefined : { ...NONE, running: concurrency as number }),
    retention: kept,
    unique,
    expiresInMs,
    schedules,
    // called as a method, should it ask for its `this`
    tags: tags === undefined ? undefined : (of) => (definition as { tags(input: unknown): unknown }).tags(of),
    body: body as FlowBody,
    at: definedAt(defineFlow),
  };
}

function readExpiresIn(given: unknown, faults: Faults): number | undefined {
  if (given === undefined) return undefined;
  const ms = toMs(given);
  if (ms === undefined) faults.add("expiresIn", `expiresIn: ${tellWrongDuration(given)}`);
  else if (ms < EXPIRES_MS_MIN) faults.add("expiresIn", `expiresIn must be a second or more, got ${tellGiven(given)}`);
  return ms;
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

/** By name: a list of what `defineSignal` gave, or schemas under their names. */
function readSignals(given: unknown, faults: Faults): ReadonlyMap<string, Schema> {
  const declared = new Map<string, Schema>();
  if (given === undefined) return declared;
  if (Array.isArray(given)) {
    for (const signal of given as readonly unknown[]) {
      if (!isSignal(signal)) {
        faults.add(
          "signals",
          `signals: a list holds what defineSignal(name, schema) gave, and this one has ${tellGiven(signal)}`,
        );
      } else if (declared.has(signal.name)) faults.add("signals", `signals: ${signal.name} is listed twice`);
      else declared.set(signal.name, signal.schema);
    }
    return declared;
  }
  if (!isObject(given)) {
    faults.add("signals", `signals must be [approved] or { approved: schema }, got ${tellGiven(given)}`);
    return declared;
  }
  for (const [name, schema] of Object.entries(given)) {
    const path = ["signals", name];
    if (isSignal(schema)) {
      faults.add(path, `signal ${name} is made by defineSignal: list it, as in signals: [${schema.name}]`);
      continue;
    }
    if (!isName(name)) faults.add(path, tellWrongName("signal", name));
    const fault = faultOfContract(schema, ["takes", "gives"]);
    if (fault !== undefined) faults.add(path, `signal ${name} ${fault}`);
    declared.set(name, schema as Schema);
  }
  return declared;
}

/** `Function`, `AsyncFunction`, `GeneratorFunction`, `AsyncGeneratorFunction`, or what else it is. */
function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

/** Undefined where a fault was added. */
function readBody(definition: Readonly<Record<string, unknown>>, faults: Faults): FlowBody | undefined {
  const { plan, run } = definition;
  if ((plan === undefined) === (run === undefined)) {
    if (plan === undefined) {
      faults.addMissing("run", "write *run(input) { … }, or plan(input) { … } where all steps are known at the start");
    } else faults.add("plan", "a flow has either *run or plan, not both");
    return undefined;
  }
  const key = plan === undefined ? "run" : "plan";
  const kind = kindOf(plan ?? run);
  if (kind.startsWith("Async")) {
    faults.add(
      key,
      `a flow is not async: write *run(input) { … } or plan(input) { … }, for an async function cannot be replayed. What has to be awaited belongs in a tool`,
    );
  } else if (key === "run" && kind !== "GeneratorFunction") {
    faults.add(
      key,
      "run must be a generator function: write *run(input) { … }, with a yield* for each decision. What is known at the start goes into plan(input) { … }",
    );
  } else if (key === "plan" && kind !== "Function") {
    faults.add(
      key,
      "plan must be a function that gives a list of calls: write plan(input) { return [call(tool, input)]; }. What decides as it goes is *run(input) { … }",
    );
  }
  // the input that reaches them has passed the contract, so its type is what the schema gives
  const body = definition as { plan(input: unknown): readonly Operation<unknown>[] } & {
    run(input: unknown): Generator<Operation<unknown>, unknown, unknown>;
  };
  if (key === "plan") return { form: "plan", plan: (input) => body.plan(input) };
  return { form: "run", run: (input) => body.run(input) };
}
