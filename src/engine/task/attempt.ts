// One attempt of a tool, as the tool sees it. Parts that most tools never use are created on demand.

import { type Log, type LogFields, type LogMethod, withFields } from "../../core/log.ts";
import type { JsonText } from "../../core/record/record.ts";
import { traceparentOf } from "../../core/record/trace-ids.ts";
import { readProgress } from "../../core/flow/progress.ts";
import type { Tool, ToolContext } from "../../core/flow/tool.ts";
import type { RunningAttempt } from "../../core/flow/tool-watch.ts";

export interface Execution {
  readonly tool: Tool;
  readonly taskId: string;
  /** The names of the flow and the step, for the log. */
  readonly flow: string;
  readonly step: string;
  readonly stepId: string;
  readonly idempotencyKey: string;
  /** The traceparent of the task; by default null. */
  readonly traceparent?: string | null;
  /** The epoch of the step; by default 0. */
  readonly epoch?: number;
  readonly input: JsonText;
  /** Earlier failed attempts, in this process or in others; by default 0. */
  readonly failures?: number;
  /**
   * Aborts the running attempt because its outcome is no longer needed, and allows no further attempt. The attempt is
   * over when the tool ends, whether it reacts or not, or when its time is up: then its effect is known. The signal is
   * read only if an attempt takes time.
   */
  readonly signal: AbortSignal;
  /** The outcome is no longer needed before the attempt begins: the tool is not called. */
  readonly isAborted?: boolean;
  /** A pause stops the attempt. It is made again after the pause. */
  readonly isInterrupted?: boolean;
  /** Receives the tool's progress reports. It must not throw. */
  onProgress?(progress: JsonText): void;
}

export class Attempt implements ToolContext {
  #own: AbortController | undefined;
  #signal: AbortSignal | undefined;
  #progress: ToolContext["progress"] | undefined;
  #hasRefused = false;

  readonly taskId: string;
  readonly stepId: string;
  /** An own property: a tool that passes on a copy (`{ ...context }`) must not lose the key of its effect. */
  readonly idempotencyKey: string;
  readonly #execution: Execution;

  /** An own property for the same reason. */
  readonly log: Log;

  constructor(
    execution: Execution,
    readonly attempt: number,
    log: Log,
  ) {
    this.#execution = execution;
    this.log = new AttemptLog(log, execution, attempt);
    this.taskId = execution.taskId;
    this.stepId = execution.stepId;
    this.idempotencyKey = execution.idempotencyKey;
  }

  get traceparent(): string {
    const { traceparent = null, epoch = 0 } = this.#execution;
    return traceparentOf({ id: this.taskId, traceparent }, { id: this.stepId, epoch });
  }

  get signal(): AbortSignal {
    this.#own ??= new AbortController();
    this.#signal ??= AbortSignal.any([this.#execution.signal, this.#own.signal]);
    return this.#signal;
  }

  /** A bound function: a tool may take it out of its context. */
  get progress(): ToolContext["progress"] {
    return (this.#progress ??= (progress) => this.#tellProgress(progress));
  }

  #tellProgress(progress: unknown): void {
    // nobody waits for the result
    if (this.#own?.signal.aborted || this.#execution.isAborted) return;
    const read = readProgress(progress);
    if (read.ok) return this.#execution.onProgress?.(read.text);
    if (this.#hasRefused) return;
    this.#hasRefused = true;
    this.log.warn?.("tool progress refused", { tool: this.#execution.tool.name, error: read.message });
  }

  /** The attempt has timed out. */
  static end(attempt: Attempt, reason: Error): void {
    attempt.#own?.abort(reason);
  }
}

/** Adds the task, step and attempt to each line. */
class AttemptLog implements Log {
  #made: Log | undefined;
  readonly #log: Log;
  readonly #execution: Execution;
  readonly #attempt: number;

  constructor(log: Log, execution: Execution, attempt: number) {
    this.#log = log;
    this.#execution = execution;
    this.#attempt = attempt;
  }

  get error(): LogMethod | undefined {
    return this.#own.error;
  }

  get warn(): LogMethod | undefined {
    return this.#own.warn;
  }

  get info(): LogMethod | undefined {
    return this.#own.info;
  }

  get debug(): LogMethod | undefined {
    return this.#own.debug;
  }

  get #own(): Log {
    return (this.#made ??= withFields(this.#log, fieldsOfAttempt(this.#execution, this.#attempt)));
  }
}

/** On every line of an attempt. */
export function fieldsOfAttempt({ taskId, flow, step, stepId }: Execution, attempt: number): LogFields {
  return { task_id: taskId, flow, step, step_id: stepId, attempt };
}

/** An attempt, as the handler of uncaught errors sees it. */
export class Running implements RunningAttempt {
  #onFailure: ((error: unknown) => void) | undefined;

  constructor(
    private readonly execution: Execution,
    private readonly attempt: number,
  ) {}

  get fields(): LogFields {
    return { ...fieldsOfAttempt(this.execution, this.attempt), tool: this.execution.tool.name };
  }

  listen(onFailure: ((error: unknown) => void) | undefined): void {
    this.#onFailure = onFailure;
  }

  fail(error: unknown): boolean {
    if (!this.#onFailure) return false;
    this.#onFailure(error);
    return true;
  }
}
