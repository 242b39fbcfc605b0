// A tool: a named function with contracts, a retry policy, a timeout and an execution guarantee.

import type * as v from "valibot";
import type { Schema } from "./contract.ts";
import { TIMER_MS_MAX, toMilliseconds, type Duration } from "./duration.ts";
import { TaskonautError } from "../errors.ts";
import { checkContract } from "./json-contract.ts";
import type { Log } from "../log.ts";
import { checkName } from "./names.ts";
import type { Execution } from "../record/record.ts";
import { DEFAULT_RETRY, type RetryPolicy } from "./retry.ts";

export interface ToolContext {
  readonly taskId: string;
  readonly stepId: string;
  /** The same for every attempt and every execution of this step: give it to the remote side. */
  readonly idempotencyKey: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** Aborts when the attempt's time is up, or when nobody needs the outcome any more. */
  readonly signal: AbortSignal;
  readonly log: Log;
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
  run(input: Parsed, context: ToolContext): unknown;
}

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
  run(input: v.InferOutput<In>, context: ToolContext): v.InferInput<Out> | Promise<v.InferInput<Out>>;
}

const EXECUTIONS: ReadonlySet<unknown> = new Set<Execution>(["pure", "at-least-once", "at-most-once"]);

/** Throws flow_invalid for a definition that could not work. */
export function defineTool<In extends Schema, Out extends Schema>(
  definition: ToolDefinition<In, Out>,
): Tool<v.InferInput<In>, v.InferOutput<In>, v.InferOutput<Out>> {
  const { name, execution = "at-least-once" } = definition;
  checkName("tool", name);
  // its input was recorded as JSON; what becomes JSON of its output is what the contract gives
  checkContract(`Tool ${name}: input`, definition.input, ["takes", "nothing"]);
  checkContract(`Tool ${name}: output`, definition.output, ["gives", "nothing"]);
  if (!EXECUTIONS.has(execution)) {
    throw new TaskonautError(
      "flow_invalid",
      `Tool ${name}: execution must be ${[...EXECUTIONS].map((each) => JSON.stringify(each)).join(" or ")}, got ${JSON.stringify(execution)}.`,
    );
  }
  if (typeof definition.run !== "function")
    throw new TaskonautError("flow_invalid", `Tool ${name}: run must be a function: write run(input, ctx) { … }.`);
  const retry = toPolicy(name, definition.retry ?? {}, execution);
  const timeoutMs = definition.timeout === undefined ? undefined : toTimer(name, "timeout", definition.timeout);
  if (timeoutMs === 0) throw new TaskonautError("flow_invalid", `Tool ${name}: timeout must be above 0.`);
  return {
    name,
    description: definition.description ?? "",
    input: definition.input,
    output: definition.output,
    execution,
    retry,
    timeoutMs,
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

function toPolicy(tool: string, options: RetryOptions, execution: Execution): RetryPolicy {
  const {
    attempts = DEFAULT_RETRY.attempts,
    base = DEFAULT_RETRY.baseMs,
    factor = DEFAULT_RETRY.factor,
    max = DEFAULT_RETRY.maxMs,
    jitter = DEFAULT_RETRY.jitter,
  } = options;
  const refuse = (what: string): never => {
    throw new TaskonautError("flow_invalid", `Tool ${tool}: retry: ${what}.`);
  };
  if (!Number.isInteger(attempts) || attempts < 1) refuse(`attempts must be an integer, 1 or more, got ${attempts}`);
  if (!(factor >= 1)) refuse(`factor must be 1 or more, got ${factor}`);
  if (!(jitter >= 0 && jitter <= 1)) refuse(`jitter must be 0 to 1, got ${jitter}`);
  return {
    attempts: attemptsUnder(execution, attempts),
    baseMs: toTimer(tool, "retry: base", base),
    factor,
    maxMs: toTimer(tool, "retry: max", max),
    jitter,
  };
}

function attemptsUnder(execution: Execution, attempts: number): number {
  return execution === "at-most-once" ? 1 : attempts;
}

/** What a running process waits for itself; a flow that sleeps for longer does so in the store. */
function toTimer(tool: string, field: string, duration: Duration): number {
  const ms = toMilliseconds(duration);
  if (ms <= TIMER_MS_MAX) return ms;
  throw new TaskonautError(
    "flow_invalid",
    `Tool ${tool}: ${field} must be under 25 days (at most ${TIMER_MS_MAX} ms), got ${JSON.stringify(duration)}. A flow can wait for longer by its sleep.`,
  );
}
