// A tool: a named function with contracts, a retry policy, a timeout and an execution guarantee.

import type * as v from "valibot";
import type { Schema } from "./contract.ts";
import { TaskonautError } from "./errors.ts";
import type { Log } from "./log.ts";
import { checkName } from "./names.ts";
import { DEFAULT_RETRY, type RetryPolicy } from "./retry.ts";

/** What the tool can bear when a process dies in its middle; DESIGN: contracts and guarantees. */
export type Execution = "pure" | "at-least-once" | "at-most-once";

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
  /** Of one attempt. */
  readonly timeoutMs: number;
  run(input: Parsed, context: ToolContext): unknown;
}

const TIMEOUT_MS = 30_000;

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
  readonly retry?: Partial<RetryPolicy>;
  /** Of one attempt, milliseconds. Default: 30,000. */
  readonly timeoutMs?: number;
  run(input: v.InferOutput<In>, context: ToolContext): v.InferInput<Out> | Promise<v.InferInput<Out>>;
}

/** Throws flow_invalid for a definition that could not work. */
export function defineTool<In extends Schema, Out extends Schema>(
  definition: ToolDefinition<In, Out>,
): Tool<v.InferInput<In>, v.InferOutput<In>, v.InferOutput<Out>> {
  const { name, execution = "at-least-once" } = definition;
  checkName("tool", name);
  const retry = { ...DEFAULT_RETRY, ...definition.retry, ...(execution === "at-most-once" ? { attempts: 1 } : {}) };
  const timeoutMs = definition.timeoutMs ?? TIMEOUT_MS;
  checkRetry(name, retry);
  if (!(timeoutMs > 0))
    throw new TaskonautError("flow_invalid", `Tool ${name}: timeoutMs must be above 0, got ${timeoutMs}.`);
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

/** Thrown by a tool: trying again would not help. */
export class NonRetryableError extends Error {
  override readonly name: string = "NonRetryableError";
}

function checkRetry(tool: string, retry: RetryPolicy): void {
  const wrong =
    !Number.isInteger(retry.attempts) || retry.attempts < 1
      ? `attempts must be 1 or more, got ${retry.attempts}`
      : !(retry.baseMs >= 0 && retry.maxMs >= 0 && retry.factor >= 1)
        ? "baseMs and maxMs must be 0 or more, factor 1 or more"
        : !(retry.jitter >= 0 && retry.jitter <= 1)
          ? `jitter must be 0 to 1, got ${retry.jitter}`
          : undefined;
  if (wrong !== undefined) throw new TaskonautError("flow_invalid", `Tool ${tool}: retry: ${wrong}.`);
}
