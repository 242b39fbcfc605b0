// A tool: a named function with contracts, a retry policy, a timeout and an execution guarantee.

import type * as v from "valibot";
import type { Schema } from "./contract.ts";
import { definedAt } from "./defined-at.ts";
import { Faults, isObject, type Options, tellGiven } from "./definition.ts";
import { type Duration, toMs } from "../record/duration.ts";
import { TIMER_MS_MAX, tellWrongDuration } from "./duration.ts";
import type { Log } from "../log.ts";
import { isName } from "./names.ts";
import type { Progress } from "../record/progress.ts";
import { type OwnLimits, readLimits, type ToolLimitOptions } from "./own-limits.ts";
import type { Execution } from "../record/record.ts";
import { DEFAULT_RETRY, type RetryPolicy } from "./retry.ts";

export interface ToolContext {
  readonly taskId: string;
  readonly stepId: string;
  /** The same for every attempt and every execution of this step: give it to the remote side. */
  readonly idempotencyKey: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** The header `traceparent` for what the tool calls: it is in the task's trace then, below the step. */
  readonly traceparent: string;
  /** Aborts when the attempt's time is up, or when nobody needs the outcome any more. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /**
   * Tells how far the tool has come: `progress({ done: 3, total: 10, message: "page 3" })`. The latest is kept with the call
   * while it runs, written at most once a second. It never fails and never waits: what is no progress is refused with a
   * warning in the log.
   */
  readonly progress: (progress: Progress) => void;
}

export interface Tool<In = unknown, Parsed = unknown, Out = unknown> {
  readonly name: string;
  readonly description: string;
  readonly input: Schema<In, Parsed>;
  readonly output: Schema<unknown, Out>;
  readonly execution: Execution;
  readonly retry: RetryPolicy;
  /** Of one attempt; undefined: the limit of the program (30 s by default). */
  readonly timeoutMs: number | undefined;
  /** What all processes together may run of it; undefined: as much as they like. */
  readonly limits: ToolLimits | undefined;
  /** Where it is defined: `/flows/pay.ts:12:9`; undefined where that cannot be told. */
  readonly at?: string | undefined;
  run(input: Parsed, context: ToolContext): unknown;
}

/** `name`: of the limit; tools may share one. */
export interface ToolLimits extends OwnLimits {
  readonly name: string;
}

/** Calls a tool: by default its own `run`. The input has passed the tool's contract; what comes back is yet to. */
export type CallTool = (tool: Tool, input: unknown, context: ToolContext) => unknown;

/** As a tool's definition says it; what is left out is as in `DEFAULT_RETRY`. */
export interface RetryOptions {
  /** Attempts in all, the first included: 1 or more. Default: 3. */
  readonly attempts?: number;
  /** The wait after the first failure. Default: 100 ms. */
  readonly base?: Duration;
  /** What each further wait is multiplied by: 1 or more. Default: 2. */
  readonly factor?: number;
  /** No wait is longer. Under 25 days; default: 1 s. */
  readonly max?: Duration;
  /** 0 to 1: how much of a wait is drawn by lot. Default: 0.25. */
  readonly jitter?: number;
}

export interface ToolDefinition<In extends Schema, Out extends Schema> {
  /** A letter, then letters, digits, `_`, `-`, `.`; at most 100 characters. It is recorded: a stored word is forever. */
  readonly name: string;
  readonly description?: string;
  /** Applied before each call; a violation is not retried. */
  readonly input: In;
  /** Applied to what `run` gives; a violation is not retried. */
  readonly output: Out;
  /** Default: `at-least-once`. */
  readonly execution?: Execution;
  /** Default: 3 attempts, 100 ms doubling to at most 1 s. An `at-most-once` tool has one attempt. */
  readonly retry?: RetryOptions;
  /** Of one attempt: `"5s"`, or milliseconds; under 25 days. Default: 30 s. */
  readonly timeout?: Duration;
  /** How many of its steps run at once, of one key at once, and begin within a time, over all workers. Default: no limit. */
  readonly limits?: ToolLimitOptions<v.InferInput<In>>;
  run(input: v.InferOutput<In>, context: ToolContext): OutputOfContract<v.InferInput<Out>>;
}

/** What the output contract of a tool takes, at once or later. */
type OutputOfContract<T> = T | Promise<T>;

const EXECUTIONS: ReadonlySet<unknown> = new Set<Execution>(["pure", "at-least-once", "at-most-once"]);

const OPTIONS: Options = {
  name: ["id", "tool"],
  description: ["title", "summary"],
  input: ["schema", "inputs", "inputSchema", "parameters"],
  output: ["outputs", "outputSchema", "result"],
  execution: ["guarantee"],
  retry: ["retries"],
  timeout: ["timeoutMs"],
  limits: ["limit", "concurrency", "rate", "rateLimit"],
  run: ["handler", "execute"],
};

const RETRY_OPTIONS: Options = {
  attempts: ["maxAttempts", "retries", "times"],
  base: ["delay", "backoff", "baseMs"],
  factor: ["multiplier"],
  max: ["maxDelay", "maxMs"],
  jitter: [],
};

/**
 * Throws flow_invalid with everything that is wrong with the definition.
 *
 * @example defineTool({ name: "greet", input: v.string(), output: v.string(), run: (to) => `Hello, ${to}` })
 */
export function defineTool<In extends Schema, Out extends Schema>(
  definition: ToolDefinition<In, Out>,
): Tool<v.InferInput<In>, v.InferOutput<In>, v.InferOutput<Out>> {
  const faults = new Faults();
  if (!isObject(definition)) {
    faults.add([], `it takes one object, and got ${tellGiven(definition)}`);
    return faults.refuse("defineTool({ name, input, output, run(input, ctx) { … } })");
  }
  const { name, description = "", execution = "at-least-once" } = definition;
  faults.addUnknownKeys(definition, "defineTool", OPTIONS);
  faults.addWrongName("tool", name);
  if (typeof description !== "string")
    faults.add("description", `description must be a text, got ${tellGiven(description)}`);
  // its input was recorded as JSON; what becomes JSON of its output is what the contract gives
  faults.addContract("input", definition.input, ["takes", "nothing"]);
  faults.addContract("output", definition.output, ["gives", "nothing"]);
  if (!EXECUTIONS.has(execution)) {
    const known = [...EXECUTIONS].map((each) => JSON.stringify(each)).join(" or ");
    faults.add("execution", `execution must be ${known}, got ${tellGiven(execution)}`);
  }
  const run: unknown = Reflect.get(definition, "run");
  if (run === undefined) faults.addMissing("run", "write run(input, ctx) { … }");
  else if (typeof run !== "function")
    faults.add("run", `run must be a function, run(input, ctx) { … }, got ${tellGiven(run)}`);
  const retry = toPolicy(definition.retry, execution, faults);
  const timeoutMs = definition.timeout === undefined ? undefined : toTimer(["timeout"], definition.timeout, faults);
  if (timeoutMs === 0) faults.add("timeout", "timeout must be above 0");
  const limits = readLimits(definition.limits, faults, "tool");
  faults.throwOf(isName(name) ? `Tool ${name}` : "defineTool");
  return {
    name,
    description,
    input: definition.input,
    output: definition.output,
    execution,
    retry,
    timeoutMs,
    limits: limits && { ...limits, name: definition.limits?.name ?? name },
    at: definedAt(defineTool),
    run: (input, context) => definition.run(input, context),
  };
}

/**
 * The tool as it was when a step with it was recorded: the guarantee that stood then stands. A call of it may have been
 * cut off since, and only what was said before the call tells what may be done now.
 */
export function withGuarantee(tool: Tool, execution: Execution): Tool {
  if (execution === tool.execution) return tool;
  const { retry } = tool;
  return { ...tool, execution, retry: { ...retry, attempts: attemptsUnder(execution, retry.attempts) } };
}

/** Thrown by a tool: trying again would not help. */
export class NonRetryableError extends Error {
  override readonly name: string = "NonRetryableError";
}

function toPolicy(given: unknown, execution: Execution, faults: Faults): RetryPolicy {
  if (given !== undefined && !isObject(given)) {
    faults.add("retry", `retry must be an object such as { attempts: 5, base: "200ms" }, got ${tellGiven(given)}`);
    return DEFAULT_RETRY;
  }
  const options: RetryOptions = given ?? {};
  const {
    attempts = DEFAULT_RETRY.attempts,
    base = DEFAULT_RETRY.baseMs,
    factor = DEFAULT_RETRY.factor,
    max = DEFAULT_RETRY.maxMs,
    jitter = DEFAULT_RETRY.jitter,
  } = options;
  const refuse = (key: keyof RetryOptions, what: string): void => {
    faults.add(["retry", key], `retry: ${key} must be ${what}, got ${tellGiven(options[key])}`);
  };
  faults.addUnknownKeys(options, "defineTool", RETRY_OPTIONS, ["retry"]);
  if (!Number.isInteger(attempts) || attempts < 1) refuse("attempts", "an integer, 1 or more");
  if (!isNumber(factor) || !(factor >= 1)) refuse("factor", "1 or more");
  if (!isNumber(jitter) || !(jitter >= 0 && jitter <= 1)) refuse("jitter", "0 to 1");
  return {
    attempts: attemptsUnder(execution, attempts),
    baseMs: toTimer(["retry", "base"], base, faults),
    factor,
    maxMs: toTimer(["retry", "max"], max, faults),
    jitter,
  };
}

function isNumber(value: unknown): boolean {
  return typeof value === "number";
}

function attemptsUnder(execution: Execution, attempts: number): number {
  return execution === "at-most-once" ? 1 : attempts;
}

/** What a running process waits for itself; a flow that sleeps for longer does so in the store. */
function toTimer(path: readonly string[], duration: Duration, faults: Faults): number {
  const field = path.join(": ");
  const ms = toMs(duration);
  if (ms === undefined) faults.add(path, `${field}: ${tellWrongDuration(duration)}`);
  else if (ms > TIMER_MS_MAX) {
    faults.add(
      path,
      `${field} must be under 25 days (at most ${TIMER_MS_MAX} ms), got ${tellGiven(duration)}. A flow can wait for longer by its sleep`,
    );
  }
  return ms ?? 1;
}
