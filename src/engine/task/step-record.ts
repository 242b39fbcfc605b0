// Records the outcomes of the steps of one task that is driven here.

import type { TaskListener } from "../../core/api/task-listener.ts";
import type { Log } from "../../core/log.ts";
import type { JsonText, StepRow, ToolCallRow } from "../../core/record/record.ts";
import { bytesOfText } from "../../core/record/record-size.ts";
import { readError } from "../../core/record/stored-error.ts";
import type { Draft } from "./draft.ts";
import { giveUpStep } from "./force-cancel.ts";
import type { OpenSteps } from "./open-steps.ts";
import type { Place } from "./place.ts";
import type { TaskLog } from "./task-log.ts";
import type { TaskTime } from "./task-time.ts";
import type { WaitOutcome } from "./wait-events.ts";

export class StepRecord {
  constructor(
    private readonly draft: Draft,
    private readonly open: OpenSteps,
    private readonly place: Place,
    private readonly time: TaskTime,
    private readonly taskLog: TaskLog,
    private readonly log: Log,
    private readonly listener?: TaskListener,
  ) {}

  /**
   * The step is about to run here. `call`: if it has none yet; `starts`: how often it was started since its process
   * last lived.
   */
  noteStart({ id }: StepRow, starts: number, call: ToolCallRow | undefined): void {
    this.draft.patchStep(id, { status: "RUNNING", starts, updated_at: this.time.now() });
    if (call) this.draft.putCall(call);
  }

  /** Its child exists: a RUNNING step of kind child has its task. */
  noteChild({ id }: StepRow): void {
    this.draft.patchStep(id, { status: "RUNNING", updated_at: this.time.now() });
  }

  /** The holder of the task has not died with it. */
  clearStarts(id: string): void {
    if (this.open.has(id) && this.draft.step(id).starts > 0) this.draft.patchStep(id, { starts: 0 });
  }

  putCall(call: ToolCallRow): void {
    this.draft.putCall(call);
  }

  recordOutcome(step: StepRow, outcome: WaitOutcome): void {
    this.draft.noteDecided();
    const now = this.time.now();
    const row = this.draft.changeStep(step.id);
    row.outcome_seq = this.open.end(step.id);
    row.status = outcome.status;
    if (outcome.status === "COMPLETED") row.output_payload = outcome.output_payload;
    else row.error = outcome.error;
    row.starts = 0;
    row.doubt = null;
    if (step.kind === "tool") {
      row.due_at = null;
      row.limited_by = null;
    }
    row.updated_at = now;
    const task = this.draft.changeTask(now);
    task.recorded_bytes += bytesOfText(outcome.status === "COMPLETED" ? outcome.output_payload : outcome.error);
    if (step.step_index > task.current_step) task.current_step = step.step_index;
    this.taskLog.noteOutcome(row, outcome.status);
  }

  /** The outcome of a wait, or of a tool whose step was in doubt. */
  recordEvent(step: StepRow, outcome: WaitOutcome): void {
    const call = step.kind === "tool" ? this.draft.callOf(step.id) : undefined;
    if (call) this.draft.putCall(settledCall(call, outcome, this.time.now()));
    this.place.enqueue();
    this.recordOutcome(step, outcome);
  }

  /**
   * The wait before the next attempt is over, or somebody decided that the tool of a step in doubt is to be called
   * again.
   */
  reopen({ id, doubt, attempt_epoch }: StepRow): void {
    this.open.goOn(id);
    this.place.enqueue();
    if (doubt !== null) {
      this.draft.noteDecided();
      this.draft.patchStep(id, { doubt: null, attempt_epoch: attempt_epoch + 1 });
    }
    this.draft.patchStep(id, { due_at: null, limited_by: null, starts: 0, updated_at: this.time.now() });
    this.#touch();
  }

  /** Nobody knows whether the effect of its tool happened: somebody has to settle the step. */
  doubt(step: StepRow, error: JsonText): void {
    const { id, step_name } = step;
    this.draft.patchStep(id, { status: "RUNNING", doubt: error, updated_at: this.time.now() });
    this.open.wait(id);
    this.#touch();
    this.listener?.doubted(step);
    const reason = readError(error).message;
    this.log.warn?.("step in doubt", { ...this.taskLog.fields, step: step_name, reason });
  }

  /** The tool is to be called again at `dueAt`, in store time. */
  postpone(step: StepRow, dueAt: number): void {
    const { id } = step;
    this.listener?.postponed(step, dueAt);
    this.draft.patchStep(id, { status: "RUNNING", due_at: dueAt, starts: 0, updated_at: this.time.now() });
    this.open.wait(id);
    this.#touch();
  }

  /** The step waits in line for a ticket of its tool's limit, and asks again at `dueAt`, in store time. */
  waitForTicket({ id }: StepRow, limit: string, dueAt: number): void {
    this.draft.patchStep(id, { due_at: dueAt, limited_by: limit, updated_at: this.time.now() });
    this.open.wait(id);
    this.#touch();
  }

  /** The step does not begin any more: a group that has failed does not wait for it (G5). The flow observes that. */
  leaveLine(step: StepRow): void {
    this.draft.noteDecided();
    const now = this.time.now();
    giveUpStep(this.draft, step, now);
    const outcome_seq = this.open.end(step.id);
    this.draft.patchStep(step.id, { outcome_seq, due_at: null, starts: 0 });
    const task = this.draft.changeTask(now);
    if (step.step_index > task.current_step) task.current_step = step.step_index;
    this.taskLog.noteGivenUp(step);
  }

  /**
   * The tool was not called because it is paused. It is called after the pause. If a call is recorded that must not be
   * made twice, it did not happen: the next call has another epoch.
   */
  holdBack({ id, execution, attempt_epoch }: StepRow): void {
    const isOnce = execution === "at-most-once" && this.draft.callOf(id)?.attempt_epoch === attempt_epoch;
    this.draft.patchStep(id, {
      ...(isOnce && { attempt_epoch: attempt_epoch + 1 }),
      starts: 0,
      updated_at: this.time.now(),
    });
    this.#touch();
  }

  #touch(): void {
    this.draft.changeTask(this.time.now());
  }
}

/** The call of a step in doubt, after somebody has settled it. */
function settledCall(call: ToolCallRow, outcome: WaitOutcome, now: number): ToolCallRow {
  const isCompleted = outcome.status === "COMPLETED";
  return {
    ...call,
    status: outcome.status,
    response_payload: isCompleted ? outcome.output_payload : null,
    error: isCompleted ? null : outcome.error,
    last_error: isCompleted ? call.last_error : outcome.error,
    progress: null,
    finished_at: Math.max(now, call.started_at),
  };
}
