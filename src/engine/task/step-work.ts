// The work of one task's steps in this process: tools that run, and children that are created or run here. Its results
// go into the task's state.
//
// SW1. A flow hears of a cancel when the tools that the cancel gives up have ended or timed out: what they did is known
//     by then. The clean-up of a branch begins after the steps that were given up in it have ended. So no undo runs
//     beside the work that it undoes. Work after a lost race does not wait for the losers.

import { hasCode, TaskonautError } from "../../core/errors.ts";
import type { Tool } from "../../core/flow/tool.ts";
import type { JsonText, StepRow, ToolCallRow, Writable } from "../../core/record/record.ts";
import { traceparentOf } from "../../core/record/trace-ids.ts";
import type { PauseRow } from "../../store/store.ts";
import { type DriverTools, ObstacleError } from "./driver-tools.ts";
import { executeTool, type ExecutionResult } from "./execute-tool.ts";
import { describePause, heldBack } from "./held-back.ts";
import { holdsBack } from "../process/known-pauses.ts";
import type { InboxReader } from "./inbox-reader.ts";
import { openCall } from "./open-call.ts";
import { type Reporter, StepExecution } from "./step-execution.ts";
import { isRefusal, storeRefusal } from "./refused-child.ts";
import type { TaskState } from "./task-state.ts";
import type { TaskWriter } from "./task-writer.ts";

export class StepWork implements Reporter {
  /** When a waiting child should be run again, in store time; null: with the next look at the inbox. */
  readonly #childDue = new Map<string, number | null>();

  constructor(
    private readonly state: TaskState,
    private readonly writer: TaskWriter,
    private readonly inbox: InboxReader,
    private readonly tools: DriverTools,
    /** Called when a step has an outcome, or its child only waits. */
    private readonly onEnded: (step: StepRow) => void,
  ) {}

  start(step: StepRow): void {
    if (step.kind === "child") this.#startChild(step);
    else this.#startTool(step);
  }

  /** The pause that holds the step back; undefined: it may start. A child that exists already may continue. */
  findPause(step: StepRow): PauseRow | undefined {
    const { pauses } = this.tools;
    const flow = this.state.task.flow_name;
    if (step.kind === "tool") return pauses.find(flow, this.state.decisions.tool(step).name);
    return step.status === "PLANNED" ? pauses.find(flow) : undefined;
  }

  /** Stops tools that run here and that these pauses hold back. */
  interrupt(pauses: readonly PauseRow[]): void {
    const { running, task } = this.state;
    for (const id of running.ids()) {
      const step = this.state.step(id);
      if (step.kind !== "tool") continue;
      const tool = this.state.decisions.tool(step).name;
      const pause = pauses.find((row) => holdsBack(row, task.flow_name, tool));
      if (pause) running.interrupt(id, new Error(`It is told to stop: ${describePause(pause)}.`));
    }
  }

  /**
   * When the child of this step should be run again, in store time; null: with the next look; undefined: it has not
   * paused.
   */
  childDue(stepId: string): number | null | undefined {
    return this.#childDue.get(stepId);
  }

  /** Nobody knows whether the effect of the step's tool happened. */
  doubt(step: StepRow, error: JsonText): void {
    this.state.steps.doubt(step, error);
    this.inbox.wake(); // its end may have been posted already
    this.writer.writeSoon(); // a person should see it, whatever runs beside it
  }

  #startTool(step: StepRow): void {
    const { state } = this;
    const tool = state.decisions.tool(step);
    const failures = state.callOf(step)?.retry_count ?? 0;
    const execution = new StepExecution(tool, state.task, step, failures, this);
    this.tools.listener?.started(step, failures + 1, tool.retry.attempts);
    const before = this.#endOfBefore(step);
    const execute = (): ExecutionResult | Promise<ExecutionResult> => executeTool(execution, this.tools.execution);
    const result = before ? before.then(execute) : execute();
    if (!(result instanceof Promise)) return this.#onEnded(step.id, tool, result);
    const ended = result
      .then(async (late) => {
        if (late.outcome.kind === "later") await this.tools.storeClock.read();
        return this.#onEnded(step.id, tool, late);
      })
      .catch((error: unknown) => {
        // nobody may wait for this step forever
        state.running.delete(step.id);
        state.stopHolding(step.id);
        this.writer.fail(error);
      });
    state.running.add(step.id, {
      path: step.path,
      abort: (reason) => execution.abort(reason),
      interrupt: (reason) => execution.interrupt(reason),
      ended,
    });
  }

  /** SW1. Undefined if there is nothing to wait for. */
  #endOfBefore({ id }: StepRow): Promise<unknown> | undefined {
    const { running } = this.state;
    return running.endOfBefore(this.state.decisions.of(id)?.cleansUp);
  }

  /** For the first attempt, the call must exist. */
  onProgress(id: string, tool: Tool, progress: JsonText): void {
    const { state, writer, tools } = this;
    if (writer.failure !== undefined || !state.isOpen(id)) return;
    const step = state.step(id);
    if (!state.callOf(step)) {
      state.steps.noteStart(step, 1, openCall(state.lastCallOf(step), step, tool, state.now()));
      state.touch();
    }
    tools.listener?.progressed(step, progress);
    tools.progress.note({ taskId: step.task_id, stepId: id, tool: tool.name, progress });
  }

  #onEnded(id: string, tool: Tool, result: ExecutionResult): void {
    const { state, writer } = this;
    this.tools.progress.forget(id);
    state.running.delete(id);
    const wasLeased = state.stopHolding(id);
    const step = state.step(id);
    const { outcome } = result;
    // a tool that stopped because the task is cancelled has no outcome: the flow hears of the cancel instead
    const isMoot = outcome.kind !== "completed" && state.isMoot(step);
    if (writer.failure === undefined && state.isOpen(id) && !isMoot) this.#record(step, tool, result);
    else if (writer.failure === undefined && wasLeased && !state.isEnded) state.touch(); // the lease may end now
    if (tool.execution === "at-most-once") this.#tellLate(step, outcome);
    this.onEnded(step);
  }

  #record(step: StepRow, tool: Tool, result: ExecutionResult): void {
    const { state } = this;
    const { outcome } = result;
    if (outcome.kind === "doubt") return this.doubt(step, outcome.error);
    const open = state.callOf(step);
    if (outcome.kind === "held" && result.retryCount === (open?.retry_count ?? 0)) return state.steps.holdBack(step);
    const call: Writable<ToolCallRow> = open
      ? { ...open }
      : openCall(state.lastCallOf(step), step, tool, result.startedAt);
    call.progress = null;
    call.retry_count = result.retryCount;
    // the row of an earlier epoch stays: a person should see why the step was opened again
    call.last_error = result.lastError ?? call.last_error;
    if (outcome.kind === "later" || outcome.kind === "held") {
      state.steps.putCall(call);
      if (outcome.kind === "held") return state.steps.holdBack(step);
      return state.steps.postpone(step, state.storeTime() + outcome.waitMs);
    }
    call.started_at = result.startedAt;
    call.finished_at = result.finishedAt;
    if (outcome.kind === "completed") {
      const { output } = outcome;
      call.status = "COMPLETED";
      call.response_payload = output;
      call.error = null;
      state.steps.putCall(call);
      state.steps.recordOutcome(step, { status: "COMPLETED", output_payload: output });
    } else {
      const { error } = outcome;
      call.status = "FAILED";
      call.response_payload = null;
      call.error = error;
      state.steps.putCall(call);
      state.steps.recordOutcome(step, { status: "FAILED", error });
    }
  }

  /** If the outcome can no longer be recorded here, the task's new driver may still want it. */
  #tellLate(step: StepRow, outcome: ExecutionResult["outcome"]): void {
    const { onLateOutput } = this.tools;
    if (outcome.kind === "completed") this.writer.settle().catch(() => onLateOutput(step, outcome.output));
    if (outcome.kind !== "doubt") return;
    outcome.late.then((output) => (output === undefined ? undefined : onLateOutput(step, output))).catch(() => {}); // it never rejects
  }

  // ---- children

  #startChild(step: StepRow): void {
    const { state } = this;
    const flow = state.decisions.of(step.id)?.flow;
    if (!flow) throw new Error(`Step ${step.id} of task ${step.task_id} has no flow.`);
    const { depth, priority, traceparent: own } = state.task;
    const { children, listener } = this.tools;
    listener?.started(step, 1, 1);
    // without a traceparent, each task has its own trace
    const traceparent = own === null ? null : traceparentOf(state.task, { id: step.id, epoch: step.attempt_epoch });
    const child = { flow, step, depth, priority, dueAt: state.storeTime(), traceparent };
    const { pauses } = this.tools;
    const make = (): Promise<number | null> =>
      state.isClaimed ? children.create(child).then(() => null) : children.run(child);
    const makeUnlessPaused = (): Promise<number | null> => {
      const pause = this.findPause(step);
      if (pause) return Promise.reject(heldBack(step.task_id, pause));
      return pauses.areKnown || step.status !== "PLANNED" ? make() : pauses.know().then(makeUnlessPaused);
    };
    const before = this.#endOfBefore(step);
    const isWanted = (): boolean => state.isOpen(step.id) && this.writer.failure === undefined;
    const made = before ? before.then(() => (isWanted() ? makeUnlessPaused() : null)) : makeUnlessPaused();
    const ended = made.then(
      (due) => this.#onChildPaused(step.id, undefined, due),
      (error: unknown) => this.#onChildPaused(step.id, error),
    );
    state.running.add(step.id, { path: step.path, abort: undefined, ended });
  }

  /** The child cannot be created here. Work beside it continues. */
  #stopAt({ step_index, step_name }: StepRow, { message }: ObstacleError): void {
    if (this.state.isEnded) return;
    this.state.park(`Step ${step_index} (${step_name}) cannot be done by this process: ${message}`, { forAll: true });
  }

  #onChildPaused(id: string, error: unknown, due: number | null = null): void {
    const { state, writer } = this;
    this.#childDue.set(id, due);
    state.running.delete(id);
    const wasLeased = state.stopHolding(id);
    if (writer.failure === undefined) {
      const step = state.step(id);
      const isRefused = error instanceof TaskonautError && isRefusal(error.code);
      const isMade = error === undefined && state.isOpen(id) && step.status === "PLANNED";
      // not earlier: a RUNNING step of kind child has its task
      if (isMade) state.steps.noteChild(step);
      if (isRefused && state.isOpen(id))
        state.steps.recordOutcome(step, { status: "FAILED", error: storeRefusal(error) });
      else if (error instanceof ObstacleError) this.#stopAt(step, error);
      else if (hasCode(error, "flow_paused")) state.touch(); // it is reported when there is nothing else to do
      else if (error !== undefined && !isRefused) writer.fail(error);
      else if ((wasLeased || isMade) && !state.isEnded) state.touch(); // the lease may end now
    }
    this.inbox.wake();
    this.onEnded(state.step(id));
  }
}
