// One execution of a step's tool. Its signal is created on demand: most tools end before anybody asks for it.

import { idempotencyKeyOf } from "../../core/record/ids.ts";
import type { JsonText, StepRow, TaskRow } from "../../core/record/record.ts";
import type { Tool } from "../../core/flow/tool.ts";
import type { Execution } from "./attempt.ts";

/** Receives the progress of a step's tool. */
export interface Reporter {
  onProgress(stepId: string, tool: Tool, progress: JsonText): void;
}

export class StepExecution implements Execution {
  readonly flow: string;
  readonly traceparent: string | null;
  readonly taskId: string;
  readonly step: string;
  readonly stepId: string;
  readonly idempotencyKey: string;
  readonly epoch: number;
  readonly input: JsonText;
  #controller: AbortController | undefined;
  #reason: unknown;
  #isAborted = false;
  #isInterrupted = false;

  constructor(
    readonly tool: Tool,
    task: Pick<TaskRow, "flow_name" | "traceparent">,
    step: StepRow,
    readonly failures: number,
    private readonly reporter: Reporter,
  ) {
    this.flow = task.flow_name;
    this.traceparent = task.traceparent;
    this.taskId = step.task_id;
    this.step = step.step_name;
    this.stepId = step.id;
    this.idempotencyKey = idempotencyKeyOf({ taskId: step.task_id, stepId: step.id, tool: tool.name });
    this.epoch = step.attempt_epoch;
    this.input = step.input_payload;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isAborted) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  get isAborted(): boolean {
    return this.#isAborted;
  }

  onProgress(progress: JsonText): void {
    this.reporter.onProgress(this.stepId, this.tool, progress);
  }

  get isInterrupted(): boolean {
    return this.#isInterrupted;
  }

  /** Stops for a pause. An at-most-once tool runs on, because nobody would know what it did until then. */
  interrupt(reason: unknown): void {
    if (this.tool.execution === "at-most-once" || this.#isAborted) return;
    this.#isInterrupted = true;
    this.abort(reason);
  }

  abort(reason: unknown): void {
    if (this.#isAborted) return;
    this.#isAborted = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}
