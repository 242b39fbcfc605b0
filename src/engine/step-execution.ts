// One execution of a step's tool. Its key and its signal are made when somebody asks for them: most tools never do.

import { idempotencyKeyOf } from "../core/ids.ts";
import type { JsonText, StepRow } from "../core/record.ts";
import type { Tool } from "../core/tool.ts";
import type { Execution } from "./execute-tool.ts";

export class StepExecution implements Execution {
  readonly taskId: string;
  readonly stepId: string;
  readonly input: JsonText;
  #controller: AbortController | undefined;
  #reason: unknown;
  #isAborted = false;

  constructor(
    readonly tool: Tool,
    step: StepRow,
    readonly failures: number,
  ) {
    this.taskId = step.task_id;
    this.stepId = step.id;
    this.input = step.input_payload;
  }

  get idempotencyKey(): string {
    return idempotencyKeyOf({ taskId: this.taskId, stepId: this.stepId, tool: this.tool.name });
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isAborted) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    if (this.#isAborted) return;
    this.#isAborted = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}
