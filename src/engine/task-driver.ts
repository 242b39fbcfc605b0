// One task as it is driven in this process: its rows, its program, the tools that run for it.
//
// D1. Transitions happen in memory, one at a time; `settle` makes them durable. Whoever is told of a transition is
//     told after `settle`, the log included: a driver that loses the task has changed nothing.
// D2. Before a tool starts that is not pure, the task is leased to this process and everything recorded so far is
//     durable: an effect never runs ahead of the outcomes it depends on.
// D3. A driver that lost its task (somebody else wrote to it) aborts its tools and writes nothing more.

import type { Clock } from "../core/clock.ts";
import { TaskonautError } from "../core/errors.ts";
import { idempotencyKeyOf, stepId, toolCallId } from "../core/ids.ts";
import type { Limits } from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import type { Program, ProgramEnd, Turn } from "../core/program.ts";
import type { StepRow, TaskRecord, TaskRow, ToolCallRow } from "../core/record.ts";
import { isStepOpen, isTerminal, type TaskStatus } from "../core/status.ts";
import { readError, storeError } from "../core/stored-error.ts";
import type { Tool } from "../core/tool.ts";
import type { CommitWriter } from "./commit-writer.ts";
import { Draft } from "./draft.ts";
import { executeTool, type ExecutionResult } from "./execute-tool.ts";
import type { Lease } from "./lease.ts";
import { outcomeOf } from "./recover.ts";
import { toStepRows } from "./step-rows.ts";

/** Somebody else wrote to the task: read it again. */
export class LostTaskError extends Error {
  override readonly name = "LostTaskError";
}

export interface DriverTools {
  readonly writer: CommitWriter;
  readonly lease: Lease;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: Limits;
}

interface RunningStep {
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

export class TaskDriver {
  /** Transitions that are durable, made by this driver. */
  durableMoves = 0;
  #moves = 0;
  #failure: Error | undefined;
  #writing: Promise<void> | undefined;
  #outcomes: number;
  /** Ids of steps without an outcome, in order of planning. */
  readonly #open: Set<string>;
  /** Ids of steps whose outcome the flow has not been given yet, in the order in which they were recorded. */
  readonly #unobserved: string[];
  /** Ids of steps for which this process holds the lease. */
  readonly #leased = new Set<string>();
  /** Why nothing more is done here: a step whose outcome a person has to settle. */
  #parked: string | undefined;
  readonly #draft: Draft;
  readonly #running = new Map<string, RunningStep>();
  /** Log lines about what is not durable yet. */
  readonly #news: (() => void)[] = [];
  #onOutcome: (() => void) | undefined;

  constructor(
    record: TaskRecord,
    private readonly program: Program,
    private readonly toolOf: Map<string, Tool>,
    private readonly tools: DriverTools,
  ) {
    this.#draft = new Draft(record);
    const { steps, task } = record;
    const recorded = steps
      .filter((step) => step.outcome_seq !== null)
      .toSorted((a, b) => (a.outcome_seq ?? 0) - (b.outcome_seq ?? 0));
    this.#outcomes = recorded.length;
    this.#unobserved = recorded.slice(task.observed_count).map((step) => step.id);
    this.#open = new Set(steps.filter((step) => isStepOpen(step.status)).map((step) => step.id));
  }

  get status(): TaskStatus {
    return this.#draft.task.status;
  }

  get isEnded(): boolean {
    return isTerminal(this.status);
  }

  /** Whether it drives no more: the task was lost, a write failed, or the process leaves. */
  get isAbandoned(): boolean {
    return this.#failure !== undefined;
  }

  /** Whether tools of this task run in this process. */
  get isBusy(): boolean {
    return this.#running.size > 0;
  }

  /** Resolves when no tool runs any more, and what came of them is durable or cannot be made so. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all([...this.#running.values()].map((step) => step.ended));
    await this.settle().catch(() => {}); // whoever drives the task hears of it
  }

  /** Drives no more: tools that run are aborted and what comes of them is not recorded, so that another may take over. */
  abandon(reason: unknown): void {
    this.#failure ??= reason instanceof Error ? reason : new Error(String(reason));
    for (const { abort } of this.#running.values()) abort.abort(reason);
    this.#onOutcome?.();
  }

  /**
   * Makes one transition in memory (D1). False: there is none to make, because the task has ended or only waits.
   * Throws LostTaskError, task_parked, and what the store throws.
   */
  async advance(): Promise<boolean> {
    switch (this.status) {
      case "PLANNED":
        this.#begin();
        return true;
      case "RUNNING":
        await this.#work();
        return true;
      case "WAITING_OBSERVATION":
        return this.#observe();
      case "COMPLETED":
      case "FAILED":
      case "CANCELLED":
        return false;
    }
  }

  /** Starts to write what has changed, without waiting: more may join while the event loop turns. */
  writeSoon(): void {
    if (this.#writing || !this.#draft.isDirty) return;
    const turned = Promise.withResolvers<void>();
    setImmediate(turned.resolve);
    this.#writing = turned.promise.then(() => this.#write());
  }

  /** Resolves when everything so far is durable. Throws LostTaskError, or what the store throws. */
  async settle(): Promise<void> {
    while (this.#failure === undefined && (this.#writing || this.#draft.isDirty)) {
      this.#writing ??= this.#write();
      await this.#writing;
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The record, all of it durable. Throws as `settle` does. */
  async durableRecord(): Promise<TaskRecord> {
    // an outcome may come in between the end of a write and the moment in which we hear of it
    do await this.settle();
    while (this.#writing !== undefined || this.#draft.isDirty);
    return this.#draft.record;
  }

  async #write(): Promise<void> {
    try {
      for (;;) {
        const moves = this.#moves;
        const change = this.#failure === undefined ? this.#draft.takeChange() : undefined;
        if (!change) break;
        const news = this.#news.splice(0);
        if (!(await this.tools.writer.submitChange(change))) throw new LostTaskError(change.taskId);
        this.durableMoves = moves;
        for (const tell of news) tell();
      }
    } catch (error) {
      this.abandon(error);
    } finally {
      this.#writing = undefined;
    }
  }

  // ---- transitions

  #begin(): void {
    if (this.#draft.stepCount === 0) this.#take(this.program.isSequential ? undefined : this.program.start());
    this.#move("RUNNING");
  }

  async #work(): Promise<void> {
    if (!this.#end) {
      await this.#startSteps();
      while (!this.#nextUnobserved && this.#running.size > 0) {
        await new Promise<void>((resolve) => (this.#onOutcome = resolve));
        this.#onOutcome = undefined;
        if (this.#failure !== undefined) throw this.#failure;
        this.#throwIfParked();
      }
    }
    const outcome = this.#nextUnobserved;
    if (this.program.isSequential && outcome?.status === "FAILED") {
      this.#feed(outcome);
      this.#finish();
    } else if (this.#end?.kind === "failed") this.#finish();
    else this.#move("WAITING_OBSERVATION");
  }

  #observe(): boolean {
    const step = this.#nextUnobserved;
    if (step) this.#feed(step);
    if (this.#end) this.#finish();
    else if (this.#hasWork()) this.#move("RUNNING");
    else return step !== undefined;
    return true;
  }

  /** Gives the flow one recorded outcome, and takes up what it decides. */
  #feed(step: StepRow): void {
    const now = this.#now();
    this.#unobserved.shift();
    this.#draft.putStep({ ...step, observed_at: now, updated_at: now });
    this.#set({ observed_count: this.#draft.task.observed_count + 1 });
    this.#take(this.program.observe(step.path, outcomeOf(step)));
  }

  #take(turn: Turn | undefined): void {
    if (!turn) return;
    const now = this.#now();
    const { task } = this.#draft;
    for (const path of turn.abandoned) this.#giveUp(path, now);
    for (const { row, tool } of toStepRows(task.id, turn.planned, { from: this.#draft.stepCount, now })) {
      this.#draft.putStep(row);
      this.#open.add(row.id);
      if (tool) this.toolOf.set(row.id, tool);
    }
  }

  #giveUp(path: string, now: number): void {
    const step = this.#draft.step(stepId(this.#draft.task.id, path));
    if (!this.#open.delete(step.id)) return; // it has an outcome already, which the flow will ignore
    this.#draft.putStep({ ...step, status: "CANCELLED", updated_at: now });
    const reason = new Error("Nobody waits for this step any more.");
    const call = this.#draft.callOf(step.id);
    if (call?.status === "RUNNING") {
      const error = storeError(reason);
      this.#draft.putCall({
        ...call,
        status: "FAILED",
        error,
        last_error: error,
        finished_at: Math.max(now, call.started_at),
      });
    }
    this.#running.get(step.id)?.abort.abort(reason);
  }

  #finish(): void {
    const end = this.#end;
    if (!end) throw new Error("The flow has not ended.");
    const finished_at = this.#now();
    if (end.kind === "completed") this.#move("COMPLETED", { output_payload: end.output, finished_at });
    else this.#move("FAILED", { error: end.error, finished_at });
  }

  // ---- steps

  async #startSteps(): Promise<void> {
    const ready = this.#stepsToStart();
    for (const step of ready) this.#reuseCall(step);
    const toStart = ready.map((step) => this.#draft.step(step.id)).filter((step) => isStepOpen(step.status));
    if (toStart.some((step) => this.#tool(step).execution !== "pure")) await this.#claim(toStart);
    for (const step of toStart) this.#start(step);
  }

  #stepsToStart(): StepRow[] {
    if (this.program.isSequential && (this.#running.size > 0 || this.#nextUnobserved)) return [];
    const steps: StepRow[] = [];
    for (const id of this.#open) {
      const step = this.#draft.step(id);
      if (step.kind !== "tool" || this.#running.has(id)) continue;
      steps.push(step);
      if (this.program.isSequential) break;
    }
    return steps;
  }

  /** A call that was recorded as ended is never made again: its row tells the outcome. */
  #reuseCall(step: StepRow): void {
    const call = this.#draft.callOf(step.id);
    if (call?.status === "RUNNING" && this.#tool(step).execution === "at-most-once") {
      this.#park(
        `Step ${step.step_index} (${step.step_name}) is in doubt: its tool is at-most-once, and the process that called it did not record an outcome.`,
      );
      this.#throwIfParked();
    }
    if (call?.status === "COMPLETED" && call.response_payload !== null) {
      this.#recordOutcome(step, { status: "COMPLETED", output_payload: call.response_payload });
    } else if (call?.status === "FAILED" && call.error !== null) {
      this.#recordOutcome(step, { status: "FAILED", error: call.error });
    }
  }

  /** D2: owned by this process, and durable, before any effect. */
  async #claim(steps: readonly StepRow[]): Promise<void> {
    await this.tools.lease.hold();
    const now = this.#now();
    for (const step of steps) {
      const tool = this.#tool(step);
      if (tool.execution === "pure") continue;
      this.#leased.add(step.id);
      this.#draft.putStep({ ...step, status: "RUNNING", updated_at: now });
      if (!this.#draft.callOf(step.id)) this.#draft.putCall(newCall(step, tool, now));
    }
    this.#draft.setTask(now, { lease_owner: this.tools.lease.workerId, parked_reason: null });
    await this.settle();
  }

  #start(step: StepRow): void {
    const tool = this.#tool(step);
    const abort = new AbortController();
    const execution = executeTool(
      {
        tool,
        taskId: step.task_id,
        stepId: step.id,
        idempotencyKey: idempotencyKeyOf({ taskId: step.task_id, stepId: step.id, tool: tool.name }),
        input: step.input_payload,
        signal: abort.signal,
      },
      { clock: this.tools.clock, log: this.tools.log, outputBytesMax: this.tools.limits.outputBytes },
    );
    const ended = execution
      .then((result) => this.#onEnded(step.id, tool, result))
      .catch((error: unknown) => this.abandon(error)); // a bug of ours: nobody may wait for this step for ever
    this.#running.set(step.id, { abort, ended });
  }

  #onEnded(id: string, tool: Tool, result: ExecutionResult): void {
    this.#running.delete(id);
    this.#leased.delete(id);
    const step = this.#draft.step(id);
    if (this.#failure === undefined && this.#open.has(id)) {
      if (result.outcome.kind === "doubt") {
        this.#park(
          `Step ${step.step_index} (${step.step_name}) is in doubt: ${readError(result.outcome.error).message}`,
        );
      } else this.#recordResult(step, tool, result, result.outcome);
    } else if (!this.isEnded && this.#failure === undefined) this.#set({}); // the lease may go now
    if (this.#onOutcome) this.#onOutcome();
    else this.writeSoon();
  }

  #recordResult(
    step: StepRow,
    tool: Tool,
    result: ExecutionResult,
    outcome: Exclude<ExecutionResult["outcome"], { kind: "doubt" }>,
  ): void {
    const call = this.#draft.callOf(step.id) ?? newCall(step, tool, result.startedAt);
    const isCompleted = outcome.kind === "completed";
    this.#draft.putCall({
      ...call,
      status: isCompleted ? "COMPLETED" : "FAILED",
      retry_count: result.retryCount,
      last_error: result.lastError,
      response_payload: isCompleted ? outcome.output : null,
      error: isCompleted ? null : outcome.error,
      started_at: result.startedAt,
      finished_at: result.finishedAt,
    });
    this.#recordOutcome(
      step,
      isCompleted
        ? { status: "COMPLETED", output_payload: outcome.output }
        : { status: "FAILED", error: outcome.error },
    );
  }

  #recordOutcome(
    step: StepRow,
    outcome: Pick<StepRow, "status"> & Partial<Pick<StepRow, "output_payload" | "error">>,
  ): void {
    this.#outcomes += 1;
    this.#open.delete(step.id);
    this.#unobserved.push(step.id);
    this.#draft.putStep({ ...step, ...outcome, outcome_seq: this.#outcomes, updated_at: this.#now() });
    this.#set({ current_step: Math.max(this.#draft.task.current_step, step.step_index) });
    this.#news.push(() => this.#logOutcome(step, outcome.status));
  }

  #park(reason: string): void {
    this.#parked = reason;
    if (this.#draft.task.parked_reason !== reason) this.#set({ parked_reason: reason, due_at: null });
    this.tools.log.warn?.("task parked", { ...this.#fields(), reason });
  }

  #throwIfParked(): void {
    if (this.#parked === undefined) return;
    this.writeSoon();
    throw new TaskonautError("task_parked", `Task ${this.#draft.task.id} is parked. ${this.#parked}`, {
      details: { id: this.#draft.task.id },
    });
  }

  // ---- small parts

  get #end(): ProgramEnd | undefined {
    return this.program.end;
  }

  /** The earliest recorded outcome that the flow has not been given yet. */
  get #nextUnobserved(): StepRow | undefined {
    const id = this.#unobserved[0];
    return id === undefined ? undefined : this.#draft.step(id);
  }

  #hasWork(): boolean {
    if (this.#unobserved.length > 0) return true;
    for (const id of this.#open) if (this.#draft.step(id).kind === "tool") return true;
    return false;
  }

  #tool(step: StepRow): Tool {
    const tool = this.toolOf.get(step.id);
    if (!tool) throw new Error(`Step ${step.id} of task ${step.task_id} has no tool.`);
    return tool;
  }

  /** The lease is held exactly as long as tools run here. */
  #set(patch: Partial<TaskRow>): void {
    this.#draft.setTask(this.#now(), { ...patch, lease_owner: this.#owner() });
  }

  #move(to: TaskStatus, patch: Partial<TaskRow> = {}): void {
    const from = this.status;
    this.#draft.moveTask(this.#now(), to, {
      ...patch,
      parked_reason: null,
      lease_owner: isTerminal(to) ? null : this.#owner(),
    });
    this.#moves += 1;
    this.#news.push(() => this.#logMove(from, to));
  }

  #logOutcome(step: StepRow, status: StepRow["status"]): void {
    const { log } = this.tools;
    if (status === "FAILED") log.warn?.("step failed", { ...this.#fields(), step: step.step_name, tool: step.target });
    else log.debug?.("step ended", { ...this.#fields(), step: step.step_name, tool: step.target });
  }

  #logMove(from: TaskStatus, to: TaskStatus): void {
    const { log } = this.tools;
    log.debug?.("task moved", { ...this.#fields(), from, to });
    if (to === "FAILED") log.info?.("task failed", { ...this.#fields(), error: this.#endMessage() });
    else if (isTerminal(to)) log.info?.("task ended", { ...this.#fields(), status: to });
  }

  #endMessage(): unknown {
    return this.#end?.kind === "failed" ? readError(this.#end.error).message : undefined;
  }

  #owner(): string | null {
    return this.#leased.size > 0 ? this.tools.lease.workerId : null;
  }

  #fields(): { task_id: string; flow: string } {
    return { task_id: this.#draft.task.id, flow: this.#draft.task.flow_name };
  }

  #now(): number {
    return this.tools.clock.now();
  }
}

function newCall(step: StepRow, tool: Tool, now: number): ToolCallRow {
  const idempotency_key = idempotencyKeyOf({ taskId: step.task_id, stepId: step.id, tool: tool.name });
  return {
    id: toolCallId(idempotency_key, step.id),
    task_id: step.task_id,
    task_step_id: step.id,
    idempotency_key,
    tool_name: tool.name,
    status: "RUNNING",
    retry_count: 0,
    last_error: null,
    request_payload: step.input_payload,
    response_payload: null,
    error: null,
    started_at: now,
    finished_at: null,
    created_at: now,
  };
}
