// One execution of a step's tool: contracts, attempts, timeouts. It records nothing; what came of it is data.

import type { Clock } from "../core/clock.ts";
import { applyContract, type ContractResult } from "../core/contract.ts";
import { toJsonText } from "../core/json.ts";
import type { Log } from "../core/log.ts";
import type { JsonText } from "../core/record.ts";
import { lotOf, retry } from "../core/retry.ts";
import { ContractError, messageOf, storeError } from "../core/stored-error.ts";
import { NonRetryableError, type Tool } from "../core/tool.ts";

export interface Execution {
  readonly tool: Tool;
  readonly taskId: string;
  readonly stepId: string;
  readonly idempotencyKey: string;
  readonly input: JsonText;
  /** Aborts the attempt that runs, and allows no other. */
  readonly signal: AbortSignal;
}

export interface ExecutionResult {
  /** `doubt`: the attempt of an at-most-once tool was cut short, so nobody knows whether its effect happened. */
  readonly outcome:
    | { readonly kind: "completed"; readonly output: JsonText }
    | { readonly kind: "failed"; readonly error: JsonText }
    | { readonly kind: "doubt"; readonly error: JsonText };
  readonly retryCount: number;
  readonly lastError: JsonText | null;
  readonly startedAt: number;
  readonly finishedAt: number;
}

interface Tools {
  readonly clock: Clock;
  readonly log: Log;
  /** Of the output's JSON text. */
  readonly outputBytesMax: number;
  /** Of one attempt of a tool that says nothing else. */
  readonly timeoutMs: number;
}

export class ToolTimeoutError extends Error {
  override readonly name = "ToolTimeoutError";
}

export async function executeTool(execution: Execution, tools: Tools): Promise<ExecutionResult> {
  const { tool, idempotencyKey: key } = execution;
  const startedAt = tools.clock.now();
  let lastError: JsonText | null = null;
  let failures = 0;
  const done = (outcome: ExecutionResult["outcome"], retryCount: number): ExecutionResult => ({
    outcome,
    retryCount,
    lastError,
    startedAt,
    finishedAt: Math.max(startedAt, tools.clock.now()),
  });
  try {
    const input = readInput(tool, execution.input);
    if (!input.ok) throw new ContractError(`The input of tool ${tool.name}`, input.errors);
    const output = await retry((attempt) => attemptOnce(execution, input.value, attempt, tools), tool.retry, {
      sleep: (ms, signal) => tools.clock.sleep(ms, signal),
      jitter: (count) => lotOf(`${key}#${count}`),
      isRetryable,
      onFailure(error, count) {
        failures = count;
        lastError = storeError(error);
        tools.log.warn?.("tool attempt failed", {
          task_id: execution.taskId,
          step_id: execution.stepId,
          tool: tool.name,
          attempt: count,
          error: messageOf(error),
        });
      },
      signal: execution.signal,
    });
    return done({ kind: "completed", output }, failures);
  } catch (thrown) {
    const error = storeError(thrown);
    lastError ??= error;
    const isCutShort = thrown instanceof ToolTimeoutError || execution.signal.aborted;
    const kind = tool.execution === "at-most-once" && isCutShort ? "doubt" : "failed";
    return done({ kind, error }, Math.max(0, failures - 1));
  }
}

/** Recorded JSON has no undefined and says null for it: where the contract refuses null, undefined was meant. */
function readInput(tool: Tool, text: JsonText): ContractResult<unknown> {
  const given = applyContract(tool.input, JSON.parse(text));
  if (given.ok || text !== "null") return given;
  const left = applyContract(tool.input, undefined);
  return left.ok ? left : given;
}

/** One call of the tool, its output as checked JSON text. */
async function attemptOnce(execution: Execution, input: unknown, attempt: number, tools: Tools): Promise<JsonText> {
  const { tool } = execution;
  const limit = new AbortController();
  const signal = AbortSignal.any([execution.signal, limit.signal]);
  const given = tool.run(input, {
    taskId: execution.taskId,
    stepId: execution.stepId,
    idempotencyKey: execution.idempotencyKey,
    attempt,
    signal,
    log: tools.log,
  });
  const value = given instanceof Promise ? await withinTime(given, execution, limit, tools) : given;
  const output = applyContract(tool.output, value);
  if (!output.ok) throw new ContractError(`The output of tool ${tool.name}`, output.errors);
  const json = toJsonText(output.value);
  if (!json.ok) throw new ContractError(`The output of tool ${tool.name}`, json.errors);
  const bytes = Buffer.byteLength(json.text);
  if (bytes > tools.outputBytesMax) {
    throw new ContractError(`The output of tool ${tool.name}`, [
      {
        path: "",
        message: `${bytes} bytes of JSON, the limit is ${tools.outputBytesMax} (TASKONAUT_MAX_OUTPUT_BYTES)`,
      },
    ]);
  }
  return json.text;
}

/** The tool's promise, the end of its time, or the abort of the execution: whichever comes first. */
async function withinTime(
  given: Promise<unknown>,
  execution: Execution,
  limit: AbortController,
  tools: Tools,
): Promise<unknown> {
  const { tool, signal } = execution;
  const timeoutMs = tool.timeoutMs ?? tools.timeoutMs;
  const stop = new AbortController();
  const timeUp = tools.clock.sleep(timeoutMs, AbortSignal.any([signal, stop.signal])).then(
    () => {
      const error = new ToolTimeoutError(`Tool ${tool.name} took longer than its ${timeoutMs} ms.`);
      limit.abort(error);
      throw error;
    },
    (reason: unknown) => {
      // stopped by us: the other promise has won; by the execution's signal: nobody waits for the tool any more
      if (signal.aborted) throw reason;
    },
  );
  try {
    return await Promise.race([given, timeUp.then(() => given)]);
  } finally {
    stop.abort();
    given.catch(() => {}); // an attempt that was cut short may still fail later: nobody is there to hear it
  }
}

function isRetryable(error: unknown): boolean {
  return !(error instanceof NonRetryableError || error instanceof ContractError);
}
