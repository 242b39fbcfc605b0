// Executions of tools on a clock that the test owns.

import * as v from "valibot";
import type { Schema } from "../../src/core/flow/contract.ts";
import { SILENT } from "../../src/core/log.ts";
import type { RetryPolicy } from "../../src/core/flow/retry.ts";
import { readError } from "../../src/core/record/stored-error.ts";
import {
  defineTool,
  type RetryOptions,
  type Tool,
  type ToolContext,
  type ToolDefinition,
} from "../../src/core/flow/tool.ts";
import { executeTool, type ExecutionResult } from "../../src/engine/task/execute-tool.ts";
import type { Gate } from "../../src/engine/task/held-back.ts";
import { FakeClock } from "./fake-clock.ts";

export const KEY = "task:step:tool";
export const RETRY: RetryPolicy = { attempts: 3, baseMs: 100, factor: 2, maxMs: 1000, jitter: 0 };

const NEVER: Gate = { areKnown: true, know: async () => {}, find: () => undefined };

/** As a tool's definition says it. */
export function optionsOf({ attempts, baseMs, factor, maxMs, jitter }: RetryPolicy): RetryOptions {
  return { attempts, base: baseMs, factor, max: maxMs, jitter };
}

const count = v.strictObject({ n: v.number("a number") });

/** A tool on numbers; `run` is what matters. */
export function toolOf(
  run: (n: number, context: ToolContext) => unknown,
  extra: Partial<ToolDefinition<Schema, Schema>> = {},
): Tool {
  return defineTool({
    name: "tool",
    input: count,
    output: count,
    retry: optionsOf(RETRY),
    run: (input, context) => run((input as { n: number }).n, context),
    ...extra,
  });
}

interface Running {
  readonly clock: FakeClock;
  readonly stop: AbortController;
  /** As it was given: at once, or a promise of it. */
  readonly given: ExecutionResult | Promise<ExecutionResult>;
  readonly result: Promise<ExecutionResult>;
}

export function execute(
  tool: Tool,
  {
    input = '{"n":1}',
    log = SILENT,
    outputBytesMax = 1000,
    retryWaitMs = 2000,
    failures = 0,
    isAborted = false,
    pauses = NEVER,
  } = {},
): Running {
  const clock = new FakeClock(5000);
  const stop = new AbortController();
  const { signal } = stop;
  const names = { taskId: "task", flow: "flow", step: "named", stepId: "step" };
  const execution = { tool, ...names, idempotencyKey: KEY, input, failures, signal, isAborted };
  const given = executeTool(execution, { clock, log, outputBytesMax, timeoutMs: 30_000, retryWaitMs, pauses });
  return { clock, stop, given, result: Promise.resolve(given) };
}

/** The result, after as much time as it needs. */
export async function resultOf(tool: Tool, options?: Parameters<typeof execute>[1]): Promise<ExecutionResult> {
  const { clock, result } = execute(tool, options);
  await clock.advance(1_000_000);
  return result;
}

export function errorOf({ outcome }: ExecutionResult): {
  kind: string;
  name?: string;
  message?: string;
  errors?: unknown;
} {
  if (!("error" in outcome)) return { kind: outcome.kind };
  // where it was made is of no interest
  const { at: _at, ...error } = readError(outcome.error);
  return { kind: outcome.kind, ...error };
}

/** Fails until the attempt `worksAt`. */
export function failingUntil(worksAt: number, contexts: ToolContext[] = []): Tool {
  return toolOf((n, context) => {
    contexts.push(context);
    if (context.attempt < worksAt) throw new Error(`attempt ${context.attempt}`);
    return { n };
  });
}
