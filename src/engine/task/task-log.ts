// The log lines of one task. They are written when the change is durable, because a driver that loses the task has
// changed nothing. If a level is off, nothing is kept for it. Live views hear of the changes at the same moments.

import type { TaskListener } from "../../core/api/task-listener.ts";
import type { Log, LogFields } from "../../core/log.ts";
import type { JsonText, StepRow, TaskRow } from "../../core/record/record.ts";
import { isTerminal, type StepStatus, type TaskStatus } from "../../core/record/status.ts";
import { readError } from "../../core/record/stored-error.ts";

type Line = () => void;

const NONE: readonly Line[] = [];

export class TaskLog {
  readonly #lines: Line[] = [];

  constructor(
    private readonly log: Log,
    /** On every line. */
    readonly fields: { readonly task_id: string; readonly flow: string },
    private readonly listener?: TaskListener,
  ) {}

  /** The lines noted so far, to be logged when the change is durable. */
  take(): readonly Line[] {
    return this.#lines.length === 0 ? NONE : this.#lines.splice(0);
  }

  noteCreated(): void {
    if (this.log.info) this.#lines.push(() => this.log.info?.("task created", this.fields));
  }

  noteOutcome(step: StepRow, status: StepStatus): void {
    if (this.listener) this.#lines.push(() => this.listener?.ended(step, status, messageOf(step.error)));
    if (status === "FAILED" ? this.log.warn : this.log.debug) this.#lines.push(() => this.#tellOutcome(step, status));
  }

  /** Nobody waits for it any more. */
  noteGivenUp(step: StepRow): void {
    if (this.listener) this.#lines.push(() => this.listener?.ended(step, "CANCELLED", undefined));
  }

  /** `task`: its row at that moment. `error`: why it FAILED; `stack`: the stack of that error, for debugging. */
  noteMove(from: TaskStatus, task: TaskRow, error: JsonText | null, stack?: string): void {
    const { status: to } = task;
    if (this.listener) {
      const moved = { ...task };
      this.#lines.push(() => this.listener?.moved(moved));
    }
    const isTold = this.log.debug ?? (isTerminal(to) ? this.log.info : undefined);
    if (isTold) this.#lines.push(() => this.#tellMove(from, to, error, stack));
  }

  /** Logs at once, whether or not the change can be written. */
  tellParked(task: TaskRow, reason: string, { isByHand }: { readonly isByHand: boolean }): void {
    this.listener?.parked(task, reason);
    const { warn, info } = this.log;
    (isByHand ? info : warn)?.("task parked", { ...this.fields, reason });
  }

  #tellOutcome(step: StepRow, status: StepStatus): void {
    const { log } = this;
    const fields = { ...this.fields, step: step.step_name, tool: step.target };
    if (status === "FAILED") log.warn?.("step failed", fields);
    else log.debug?.("step ended", fields);
  }

  #tellMove(from: TaskStatus, to: TaskStatus, error: JsonText | null, stack?: string): void {
    const { log } = this;
    log.debug?.("task moved", { ...this.fields, from, to });
    if (error !== null)
      log.info?.("task failed", {
        ...this.fields,
        ...describeError(error),
        ...(log.debug && stack !== undefined && { stack }),
      });
    else if (isTerminal(to)) log.info?.("task ended", { ...this.fields, status: to });
  }
}

function messageOf(error: JsonText | null): string | undefined {
  return error === null ? undefined : readError(error).message;
}

function describeError(text: JsonText): LogFields {
  const { message, at, cause } = readError(text);
  return { error: message, ...(at !== undefined && { at }), ...(cause && { cause: cause.message }) };
}
