// One execution of a step's tool: contracts, attempts, timeouts. It records nothing, and returns its outcome as data.

import type { TaskListener } from "../../core/api/task-listener.ts";
import { during } from "../../core/flow/activity.ts";
import type { Clock } from "../../core/clock.ts";
import { applyContract, type ContractResult } from "../../core/flow/contract.ts";
import { toContractJson } from "../../core/flow/given-json.ts";
import type { Log, LogFields } from "../../core/log.ts";
import type { JsonText } from "../../core/record/record.ts";
import { lotOf, retry } from "../../core/flow/retry.ts";
import { ContractError, isA, readError, stackOf, storeError, toStoredError } from "../../core/record/stored-error.ts";
import { type CallTool, NonRetryableError, type Tool } from "../../core/flow/tool.ts";
import type { ToolWatch } from "../../core/flow/tool-watch.ts";
import { Attempt, type Execution, fieldsOfAttempt, Running } from "./attempt.ts";
import type { Gate } from "./held-back.ts";

export interface ExecutionResult {
  readonly outcome:
    | { readonly kind: "completed"; readonly output: JsonText }
    | { readonly kind: "failed"; readonly error: JsonText }
    /**
     * The attempt of an at-most-once tool was cut short, so nobody knows whether its effect happened. `late` gives its
     * output after all, or undefined if it failed, which does not tell either. It may never settle.
     */
    | { readonly kind: "doubt"; readonly error: JsonText; readonly late: Promise<JsonText | undefined> }
    /** The wait before the next attempt is too long for this process: execute the tool again after `waitMs`. */
    | { readonly kind: "later"; readonly waitMs: number }
    /** A pause holds back the next attempt: execute the tool again when the pause is over. */
    | { readonly kind: "held" };
  /** Attempts before the last one; with `later` and `held`, before the next one. */
  readonly retryCount: number;
  readonly lastError: JsonText | null;
  readonly startedAt: number;
  readonly finishedAt: number;
}

export interface ExecutionTools {
  readonly clock: Clock;
  readonly log: Log;
  /** The log of tools; by default the same as for everything else. */
  readonly toolLog?: Log | undefined;
  /** The size limit of the output's JSON text. */
  readonly outputBytesMax: number;
  /** The timeout of one attempt, unless the tool sets its own. */
  readonly timeoutMs: number;
  /** The longest wait between attempts that happens in this process. */
  readonly retryWaitMs: number;
  /** Undefined: nothing is ever paused. */
  readonly pauses?: Gate;
  /** Undefined: nobody looks for uncaught errors of tools. */
  readonly watch?: ToolWatch | undefined;
  /** Undefined: the tool's own `run` is called. */
  readonly call?: CallTool | undefined;
  /** Undefined: nobody shows events. */
  readonly listener?: TaskListener | undefined;
}

class ToolTimeoutError extends Error {
  override readonly name = "ToolTimeoutError";
}

/** Ends `retry` if the next attempt is far away. */
class Later extends Error {
  constructor(readonly waitMs: number) {
    super();
  }
}

/** Ends `retry` if the next attempt is paused. */
class Held extends Error {}

/** An uncaught error of a running attempt: nobody knows what the tool has done by then. */
class Uncaught extends Error {
  constructor(readonly error: unknown) {
    super();
  }
}

/** The state of an attempt so far. */
type Try =
  | { readonly value: unknown; readonly context: Attempt; readonly running: Running | undefined }
  | { readonly error: unknown };

/** Returns at once if the tool answers at once and its first attempt succeeds: then there is nothing to wait for. */
export function executeTool(execution: Execution, tools: ExecutionTools): ExecutionResult | Promise<ExecutionResult> {
  return inOneGo(execution, () => execute(execution, tools));
}

/** The synchronous part of a tool is noted with its owner, because it may never end. */
function inOneGo<T>(execution: Execution, piece: () => T): T {
  return during("tool", execution, piece);
}

function execute(execution: Execution, tools: ExecutionTools): ExecutionResult | Promise<ExecutionResult> {
  const { tool, failures = 0 } = execution;
  const startedAt = tools.clock.now();
  const done = (
    outcome: ExecutionResult["outcome"],
    retryCount: number,
    lastError: JsonText | null,
  ): ExecutionResult => ({
    outcome,
    retryCount,
    lastError,
    startedAt,
    finishedAt: Math.max(startedAt, tools.clock.now()),
  });
  if (execution.isAborted) {
    const error = storeError(execution.signal.reason);
    return done({ kind: "failed", error }, failures, error);
  }
  const { pauses } = tools;
  const held = (): ExecutionResult => done({ kind: "held" }, failures, null);
  if (pauses && !pauses.areKnown) return onceKnown(pauses, () => executeTool(execution, tools), held);
  if (pauses?.find(execution.flow, tool.name)) return held();
  const input = readInput(tool, execution.input);
  if (!input.ok) {
    const error = storeError(new ContractError(`The input of tool ${tool.name}`, input.errors), tool.at);
    return done({ kind: "failed", error }, failures, error);
  }
  const { value } = input;
  const first = tryOnce(execution, value, failures + 1, tools);
  if ("value" in first && !isA(first.value, Promise)) {
    try {
      return done({ kind: "completed", output: checkOutput(tool, first.value, tools) }, failures, null);
    } catch (error) {
      return tryOn(execution, { error }, value, tools, done);
    }
  }
  return tryOn(execution, first, value, tools, done);
}

/** Makes attempts until one succeeds or none is left. `first` was made already. */
async function tryOn(
  execution: Execution,
  first: Try,
  input: unknown,
  tools: ExecutionTools,
  done: (outcome: ExecutionResult["outcome"], retryCount: number, lastError: JsonText | null) => ExecutionResult,
): Promise<ExecutionResult> {
  const { tool, idempotencyKey: key } = execution;
  let lastError: JsonText | null = null;
  let lastBefore: JsonText | null = null;
  let failures = execution.failures ?? 0;
  const firstNumber = failures + 1;
  let hasCrashed = false;
  const attemptOnce = async (number: number): Promise<JsonText> => {
    if (number !== firstNumber && tools.pauses) {
      const isKnown = await tools.pauses.know().then(isSo, isNotSo);
      execution.signal.throwIfAborted(); // in the meantime
      if (!isKnown) throw new Held();
      if (tools.pauses.find(execution.flow, tool.name)) throw new Held();
    }
    const made = number === firstNumber ? first : inOneGo(execution, () => tryOnce(execution, input, number, tools));
    if ("error" in made) throw made.error;
    const { value } = made;
    try {
      const output = isA(value, Promise) ? await withinTime(value, execution, made, tools) : value;
      return inOneGo(execution, () => checkOutput(tool, output, tools));
    } catch (error) {
      hasCrashed = isA(error, Uncaught);
      throw isA(error, Uncaught) ? error.error : error;
    }
  };
  try {
    const output = await retry(attemptOnce, tool.retry, {
      first: firstNumber,
      sleep(ms, signal) {
        if (ms > tools.retryWaitMs) throw new Later(ms);
        const { taskId, stepId } = execution;
        tools.listener?.attemptFailed({ taskId, stepId, attempt: failures, error: tellLast(lastError), nextMs: ms });
        return tools.clock.sleep(ms, signal);
      },
      jitter: (count) => lotOf(`${key}#${count}`),
      isRetryable,
      onFailure(error, count) {
        if (isA(error, Held)) return;
        lastBefore = lastError;
        failures = count;
        // what a tool throws is read, and may have code of its own
        lastError = inOneGo(execution, () => storeError(error, tool.at));
        const { signal } = execution;
        const fields = {
          ...fieldsOfAttempt(execution, count),
          tool: tool.name,
          ...describeFailure(error, tools, tool.at),
        };
        // after an abort (a cancel, a shutdown) the failure of a tool is not its fault
        if (signal.aborted) tools.log.info?.("tool attempt aborted", fields);
        else tools.log.warn?.("tool attempt failed", fields);
      },
      signal: execution.signal,
    });
    return done({ kind: "completed", output }, failures, lastError);
  } catch (thrown) {
    if (isA(thrown, Later)) return done({ kind: "later", waitMs: thrown.waitMs }, failures, lastError);
    if (isA(thrown, Held)) return done({ kind: "held" }, failures, lastError);
    // the attempt that was cut short does not count
    if (execution.isInterrupted) return done({ kind: "held" }, Math.max(firstNumber - 1, failures - 1), lastBefore);
    const error = inOneGo(execution, () => storeError(thrown, tool.at));
    const isCutShort = isA(thrown, ToolTimeoutError) || hasCrashed || execution.signal.aborted;
    if (tool.execution === "at-most-once" && isCutShort && "value" in first) {
      return done({ kind: "doubt", error, late: outputAfterAll(tool, first.value, tools) }, 0, lastError ?? error);
    }
    return done({ kind: "failed", error }, Math.max(0, failures - 1), lastError ?? error);
  }
}

function tellLast(error: JsonText | null): string {
  return error === null ? "" : readError(error).message;
}

async function outputAfterAll(tool: Tool, value: unknown, tools: ExecutionTools): Promise<JsonText | undefined> {
  try {
    return checkOutput(tool, await value, tools);
  } catch {
    return undefined;
  }
}

/** Recorded JSON has null instead of undefined: if the contract refuses null, undefined was meant. */
function readInput(tool: Tool, text: JsonText): ContractResult<unknown> {
  const given = applyContract(tool.input, JSON.parse(text));
  if (given.ok || text !== "null") return given;
  const left = applyContract(tool.input, undefined);
  return left.ok ? left : given;
}

/** The error and its place in the tool's own code; at debug level with the stack. */
function describeFailure(thrown: unknown, { log }: ExecutionTools, toolAt: string | undefined): LogFields {
  const { name, message, code, at, cause } = toStoredError(thrown, toolAt);
  return {
    error: message,
    error_class: name,
    ...(code !== undefined && { error_code: code }),
    ...(at !== undefined && { at }),
    ...(cause && { cause: cause.message }),
    ...(log.debug && isA(thrown, Error) && { stack: stackOf(thrown) }),
  };
}

/** Calls the tool once; its output is not checked yet. */
function tryOnce(execution: Execution, input: unknown, attempt: number, tools: ExecutionTools): Try {
  try {
    const context = new Attempt(execution, attempt, tools.toolLog ?? tools.log);
    const { tool } = execution;
    const call = (): unknown => awaitable(tools.call ? tools.call(tool, input, context) : tool.run(input, context));
    const running = tools.watch && new Running(execution, attempt);
    const value = tools.watch && running ? tools.watch.within(running, call) : call();
    return { value, context, running };
  } catch (error) {
    return { error };
  }
}

/**
 * Any value with a `then` is treated as a promise, and its `then` is called only once: a query builder does nothing
 * before that call, and repeats its work at each further call.
 */
function awaitable(value: unknown): unknown {
  if ((typeof value !== "object" && typeof value !== "function") || value === null || isA(value, Promise)) return value;
  if (typeof (value as { then?: unknown }).then !== "function") return value;
  return new Promise((resolve) => {
    resolve(value);
  });
}

/** `held`: nobody can say whether the effect happened. */
async function onceKnown(
  pauses: Gate,
  begin: () => ExecutionResult | Promise<ExecutionResult>,
  held: () => ExecutionResult,
): Promise<ExecutionResult> {
  try {
    await pauses.know();
  } catch {
    return held();
  }
  return begin();
}

function isSo(): true {
  return true;
}

function isNotSo(): false {
  return false;
}

/** The output as checked JSON text. */
function checkOutput(tool: Tool, value: unknown, { outputBytesMax }: ExecutionTools): JsonText {
  const json = toContractJson(applyContract(tool.output, value));
  if (!json.ok) throw new ContractError(`The output of tool ${tool.name}`, json.errors);
  const bytes = Buffer.byteLength(json.text);
  if (bytes <= outputBytesMax) return json.text;
  throw new ContractError(`The output of tool ${tool.name}`, [
    { path: "", message: `${bytes} bytes of JSON, the limit is ${outputBytesMax} (TASKONAUT_MAX_OUTPUT_BYTES)` },
  ]);
}

/** Waits for the tool's promise or its timeout, whichever comes first. */
async function withinTime(
  given: Promise<unknown>,
  { tool }: Execution,
  { context, running }: Pick<Extract<Try, { context: Attempt }>, "context" | "running">,
  tools: ExecutionTools,
): Promise<unknown> {
  const timeoutMs = tool.timeoutMs ?? tools.timeoutMs;
  const stop = new AbortController();
  const timeUp = tools.clock.sleep(timeoutMs, stop.signal).then(
    () => {
      const error = new ToolTimeoutError(`Tool ${tool.name} took longer than its ${timeoutMs} ms.`);
      Attempt.end(context, error);
      throw error;
    },
    () => {}, // the tool was first
  );
  const crashed = Promise.withResolvers<never>();
  running?.listen((error) => {
    Attempt.end(context, new Error("The tool left an error uncaught."));
    crashed.reject(new Uncaught(error));
  });
  if (running) tools.watch?.begin(running);
  try {
    return await Promise.race([given, timeUp.then(() => given), crashed.promise]);
  } finally {
    if (running) tools.watch?.end(running);
    running?.listen(undefined);
    stop.abort();
    given.catch(() => {}); // an attempt that was cut short may still fail later, and nobody listens
  }
}

function isRetryable(error: unknown): boolean {
  return !isA(error, NonRetryableError) && !isA(error, ContractError) && !isA(error, Held);
}
