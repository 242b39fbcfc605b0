// One task as it is driven in this process: its rows, its program, the tools that run for it.
//
// D1. Transitions happen in memory, one at a time; `settle` makes them durable. Whoever is told of a transition is
//     told after `settle`, the log included: a driver that loses the task has changed nothing.
// D2. Before a tool starts that is not pure, and before a child is created, the task is leased to this process and
//     everything recorded so far is durable: an effect never runs ahead of the outcomes it depends on, and nobody else
//     cancels a child that is about to be created.
// D3. A driver that lost its task (somebody else wrote to it) aborts its tools and writes nothing more.
// D4. What the flow was told, what it decided and the state it leads to are put down in one go, with nothing awaited
//     in between: a write that came there would record half a transition, which no replay could match.

import { TaskonautError } from "../core/errors.ts";
import { childTaskId, idempotencyKeyOf, stepId } from "../core/ids.ts";
import type { Decision, Program, ProgramEnd, Turn } from "../core/program.ts";
import type { StepRow, TaskRecord, TaskRow } from "../core/record.ts";
import { isStepOpen, isTerminal, type TaskStatus } from "../core/status.ts";
import { readError, storeError } from "../core/stored-error.ts";
import type { Tool } from "../core/tool.ts";
import type { Change } from "../store/store.ts";
import { deliver } from "./deliver.ts";
import { Draft } from "./draft.ts";
import { FlowViolationError, LostTaskError, type DriverTools } from "./driver-tools.ts";
import { executeTool, type ExecutionResult } from "./execute-tool.ts";
import { findNews } from "./news.ts";
import { openCall } from "./open-call.ts";
import { CANCELLED_CHILD, cancelOf, endOfChild } from "./posts.ts";
import { outcomeOf } from "./recover.ts";
import { toStepRows } from "./step-rows.ts";
import { TaskLog } from "./task-log.ts";

/** While tools run, the inbox is looked at so often: a signal or a cancel from another process is seen by then. */
const POLL_MS = 500;

/** But not more often than this, however much is due. */
const POLL_MIN_MS = 10;

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
  /** The transition that is being made. */
  #moving: Promise<unknown> | undefined;
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
  readonly #log: TaskLog;
  /** Ids of open steps that an outsider or the clock settles. */
  readonly #waits: Set<string>;
  /** When a child that only waits should be run again, in store time; null: with the next look at the inbox. */
  readonly #childDue = new Map<string, number | null>();
  /** What the store's clock is ahead of ours, as last seen. */
  #storeAheadMs = 0;
  /** Inbox rows of cancels that the flow has not been told yet. */
  #cancels: readonly number[] = [];
  /** Something may have come from outside since the inbox was read. */
  #isWoken: boolean;
  #onEvent: (() => void) | undefined;
  /** Never goes back, whatever the clocks of the processes that drove the task say: it is the flow's `now()`. */
  #time: number;

  constructor(
    record: TaskRecord,
    private readonly program: Program,
    private readonly decisionOf: Map<string, Decision>,
    private readonly tools: DriverTools,
    { isNew }: { readonly isNew: boolean },
  ) {
    this.#draft = new Draft(record);
    this.#log = new TaskLog(tools.log, { task_id: record.task.id, flow: record.task.flow_name });
    const { steps, task } = record;
    const recorded = steps
      .filter((step) => step.outcome_seq !== null)
      .toSorted((a, b) => (a.outcome_seq ?? 0) - (b.outcome_seq ?? 0));
    this.#outcomes = recorded.length;
    this.#unobserved = recorded.slice(task.observed_count).map((step) => step.id);
    const open = steps.filter((step) => isStepOpen(step.status));
    this.#open = new Set(open.map((step) => step.id));
    this.#waits = new Set(open.filter((step) => step.kind !== "tool").map((step) => step.id));
    this.#isWoken = !isNew; // nobody can have written to a task that was just created
    this.#time = task.updated_at;
    program.log = (message, fields) => {
      tools.log.info?.(message, fields);
    };
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

  /** Resolves when nothing is under way any more, and what came of it is durable or cannot be made so. */
  async idle(): Promise<void> {
    // a transition under way may be about to start tools: they get their time like those that run
    while (this.#moving || this.#running.size > 0) {
      await Promise.all([this.#moving, ...[...this.#running.values()].map((step) => step.ended)]);
    }
    await this.settle().catch(() => {}); // whoever drives the task hears of it
  }

  /** Drives no more: tools that run are aborted and what comes of them is not recorded, so that another may take over. */
  abandon(reason: unknown): void {
    this.#failure ??= reason instanceof Error ? reason : new Error(String(reason));
    for (const { abort } of this.#running.values()) abort.abort(reason);
    this.#onEvent?.();
  }

  /** Something came for this task: look at the inbox soon. */
  wake(): void {
    this.#isWoken = true;
    this.#onEvent?.();
  }

  /**
   * Makes one transition in memory (D1). False: there is none to make, because the task has ended or only waits.
   * Throws LostTaskError, FlowViolationError, task_parked, and what the store throws.
   */
  async advance(): Promise<boolean> {
    const moved = this.#advance();
    // how it comes out is told to the caller
    this.#moving = moved.catch(() => false);
    try {
      return await moved;
    } finally {
      this.#moving = undefined;
    }
  }

  async #advance(): Promise<boolean> {
    switch (this.status) {
      case "PLANNED":
        await this.#begin();
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
        const news = this.#log.take();
        if (!(await this.#submit(change))) throw new LostTaskError(change.taskId);
        this.durableMoves = moves;
        for (const tell of news) tell();
        for (const post of change.posts) this.tools.children.onPosted(post);
      }
    } catch (error) {
      this.abandon(error);
    } finally {
      this.#writing = undefined;
    }
  }

  /** A change under a lease says what effects came of, or that one is about to begin: no outage may leave that open. */
  #submit(change: Change): Promise<boolean> {
    const me = this.tools.lease.workerId;
    const isLeased = change.expectedOwner === me || change.task.lease_owner === me;
    return isLeased ? deliver(change, this.tools) : this.tools.writer.submitChange(change);
  }

  // ---- transitions

  async #begin(): Promise<void> {
    if (this.#isWoken) await this.#collect();
    if (this.#cancels.length > 0) {
      this.#set({ cancelled_after: 0, cancelled_at: this.#now() });
      this.#cancelSteps();
      this.#end({ kind: "completed", output: "null" });
      return;
    }
    const takeUp = this.program.isSequential ? undefined : await this.#tell(() => this.program.start());
    takeUp?.();
    this.#move("RUNNING");
  }

  async #work(): Promise<void> {
    if (this.#isWoken) await this.#collect();
    if (!this.#flowEnd && this.#cancels.length === 0) {
      await this.#startSteps();
      await this.#awaitOutcome();
    }
    const outcome = this.#nextUnobserved;
    if (this.program.isSequential && outcome?.status === "FAILED" && this.#cancels.length === 0) {
      const takeUp = await this.#feed(outcome);
      takeUp();
    }
    const end = this.#flowEnd;
    if (end?.kind === "failed") this.#end(end);
    else this.#move("WAITING_OBSERVATION");
  }

  async #observe(): Promise<boolean> {
    const isNews = this.#nextUnobserved !== undefined || this.#flowEnd !== undefined || this.#cancels.length > 0;
    if (!isNews && !(await this.#collect()) && !(await this.#followChildren())) {
      // an outsider has made it due, but had nothing for it
      if (this.#draft.task.due_at !== this.#dueAt()) this.#set({});
      return false;
    }
    const step = this.#nextUnobserved;
    const takeUp = step ? await this.#feed(step) : this.#cancels.length > 0 ? await this.#cancel() : undefined;
    takeUp?.(); // D4
    const end = this.#flowEnd;
    if (end) this.#end(end);
    else if (this.#hasWork()) this.#move("RUNNING");
    else this.#stay();
    return true;
  }

  /** Gives the flow one recorded outcome. What is given back takes up what it decided. */
  #feed(step: StepRow): Promise<() => void> {
    const now = this.#now();
    return this.#tell(
      () => this.program.observe(step.path, outcomeOf(step), now),
      () => {
        this.#unobserved.shift();
        this.#draft.putStep({ ...step, observed_at: now, updated_at: now });
        this.#set({ observed_count: this.#draft.task.observed_count + 1 });
      },
    );
  }

  /** Tells the flow that it is cancelled. What it plans from then on is done; then the task is CANCELLED. */
  #cancel(): Promise<() => void> {
    const now = this.#now();
    return this.#tell(
      () => this.program.cancel(now),
      () => {
        for (const seq of this.#cancels) this.#draft.consume(seq);
        this.#cancels = [];
        this.#set({ cancelled_after: this.#draft.task.observed_count, cancelled_at: now });
      },
    );
  }

  /**
   * Runs a piece of the flow. What is given back puts down what it was told (`record`) and what it decided; a violation
   * leaves the record untouched.
   */
  async #tell(run: () => Turn, record?: () => void): Promise<() => void> {
    const turn = run();
    if (this.program.violation) throw new FlowViolationError(this.program.violation.message);
    const isTimed = turn.planned.some(({ kind }) => kind === "sleep" || kind === "signal");
    const storeNow = isTimed ? await this.#readStoreClock() : 0;
    return () => {
      record?.();
      this.#takeUp(turn, storeNow);
    };
  }

  #takeUp({ planned, abandoned }: Turn, storeNow: number): void {
    const now = this.#now();
    for (const path of abandoned) this.#giveUp(this.#draft.step(stepId(this.#draft.task.id, path)), now);
    const rows = toStepRows(this.#draft.task.id, planned, { from: this.#draft.stepCount, now, storeNow });
    for (const { row, decision } of rows) {
      this.#draft.putStep(row);
      this.#open.add(row.id);
      if (row.kind !== "tool") this.#waits.add(row.id);
      this.decisionOf.set(row.id, decision);
    }
  }

  /** Reads the inbox and the clock. True: there is an outcome to observe now, or a cancel. */
  async #collect(): Promise<boolean> {
    this.#isWoken = false;
    const { wakeSeq, rows } = await this.tools.store.readInbox(this.#draft.task.id);
    const isTimed = [...this.#waits].some((id) => this.#draft.step(id).due_at !== null);
    const now = isTimed ? await this.#readStoreClock() : 0;
    const waits = [...this.#waits].map((id) => this.#draft.step(id)).toSorted((a, b) => a.step_index - b.step_index);
    const inbox = rows.filter((row) => !this.#draft.isConsumed(row.seq));
    const { outcome, consumed, cancels } = findNews(waits, inbox, now);
    if (outcome && !this.#nextUnobserved) {
      for (const seq of consumed) this.#draft.consume(seq);
      this.#recordOutcome(outcome.step, outcome.outcome);
    }
    // until the flow has heard of it, the inbox is not done with: there may be more
    if (outcome) this.#isWoken = true;
    else this.#draft.seeWake(wakeSeq);
    if (cancels.length > 0 && this.#draft.task.cancelled_after === null && this.#cancels.length === 0) {
      this.#cancels = cancels;
      const reason = new Error("The task was cancelled.");
      for (const { abort } of this.#running.values()) abort.abort(reason);
    }
    return this.#nextUnobserved !== undefined || this.#cancels.length > 0;
  }

  /** Runs the children that are waited for, and looks whether any has ended. */
  async #followChildren(): Promise<boolean> {
    const children = [...this.#waits].map((id) => this.#draft.step(id)).filter((step) => step.kind === "child");
    if (children.length === 0) return false;
    for (const step of children) if (!this.#running.has(step.id)) this.#startChild(step);
    await this.#awaitOutcome();
    return this.#nextUnobserved !== undefined || this.#cancels.length > 0 || (await this.#collect());
  }

  #cancelSteps(): void {
    const now = this.#now();
    for (const id of this.#open) this.#giveUp(this.#draft.step(id), now);
  }

  #giveUp(step: StepRow, now: number): void {
    if (!this.#open.delete(step.id)) return; // it has an outcome already, which the flow will ignore
    this.#waits.delete(step.id);
    this.#draft.putStep({ ...step, status: "CANCELLED", updated_at: now });
    if (step.kind === "child") this.#draft.post(cancelOf(childTaskId(step.id)));
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

  #end(end: ProgramEnd): void {
    const { task } = this.#draft;
    const finished_at = this.#now();
    const isCancelled = task.cancelled_after !== null;
    if (task.parent_task_id !== null) this.#draft.post(endOfChild(task, isCancelled ? CANCELLED_CHILD : end));
    if (isCancelled) this.#move("CANCELLED", { finished_at });
    else if (end.kind === "completed") this.#move("COMPLETED", { output_payload: end.output, finished_at });
    else this.#move("FAILED", { error: end.error, finished_at });
  }

  // ---- steps

  async #startSteps(): Promise<void> {
    const ready = this.#stepsToStart();
    for (const step of ready) if (step.kind === "tool") this.#reuseCall(step);
    const steps = ready.map((step) => this.#draft.step(step.id)).filter((step) => isStepOpen(step.status));
    if (steps.some((step) => this.#isHeld(step))) await this.#claim(steps);
    for (const { id, kind } of steps) {
      if (kind === "child") this.#startChild(this.#draft.step(id));
      else this.#start(this.#draft.step(id));
    }
  }

  #startChild(step: StepRow): void {
    const flow = this.decisionOf.get(step.id)?.flow;
    if (!flow) throw new Error(`Step ${step.id} of task ${step.task_id} has no flow.`);
    const abort = new AbortController();
    const ended = this.tools.children.run({ flow, step, depth: this.#draft.task.depth }).then(
      (due) => this.#onChildPaused(step.id, undefined, due),
      (error: unknown) => this.#onChildPaused(step.id, error),
    );
    this.#running.set(step.id, { abort, ended });
  }

  #onChildPaused(id: string, error: unknown, due: number | null = null): void {
    this.#childDue.set(id, due);
    this.#running.delete(id);
    const wasLeased = this.#leased.delete(id);
    const isRefused = error instanceof TaskonautError && REFUSALS.has(error.code);
    if (this.#failure === undefined) {
      if (isRefused && this.#open.has(id)) {
        this.#recordOutcome(this.#draft.step(id), { status: "FAILED", error: storeError(error) });
      } else if (error !== undefined && !isRefused) this.abandon(error);
      else if (wasLeased && !this.isEnded) this.#set({}); // the lease may go now
    }
    this.wake();
    if (!this.#onEvent) this.writeSoon();
  }

  /** Waits while steps run here, until there is something to observe. */
  async #awaitOutcome(): Promise<void> {
    while (!this.#nextUnobserved && this.#running.size > 0 && this.#cancels.length === 0) {
      const event = Promise.withResolvers<void>();
      this.#onEvent = event.resolve;
      const stop = new AbortController();
      const tick = this.tools.clock.sleep(this.#pauseMs(), stop.signal).then(
        () => this.#onTick(),
        () => {}, // the event came first
      );
      await Promise.race([event.promise, tick]);
      stop.abort();
      this.#onEvent = undefined;
      if (this.#failure !== undefined) throw this.#failure;
      this.#throwIfParked();
      if (this.#isWoken && !this.#nextUnobserved) await this.#collect();
    }
  }

  /** Until the next wait is due, within the bounds of the poll: a sleep beside a tool ends when it is due. */
  #pauseMs(): number {
    const times = [...this.#waits].flatMap((id) => this.#draft.step(id).due_at ?? this.#childDue.get(id) ?? []);
    return Math.max(POLL_MIN_MS, Math.min(POLL_MS, ...times.map((due) => due - this.#storeTime() + 1)));
  }

  /** Children that wait go on beside the tools of their parent. */
  #onTick(): void {
    for (const id of this.#waits) {
      const due = this.#childDue.get(id);
      if (due === undefined || this.#running.has(id) || (due !== null && due > this.#storeTime())) continue;
      this.#startChild(this.#draft.step(id));
    }
    this.wake();
  }

  async #readStoreClock(): Promise<number> {
    const now = await this.tools.store.now();
    this.#storeAheadMs = now - this.tools.clock.now();
    return now;
  }

  /** The store's time, as near as it is known without asking. */
  #storeTime(): number {
    return this.tools.clock.now() + this.#storeAheadMs;
  }

  #stepsToStart(): StepRow[] {
    if (this.program.isSequential && (this.#running.size > 0 || this.#nextUnobserved)) return [];
    const steps: StepRow[] = [];
    for (const id of this.#open) {
      const step = this.#draft.step(id);
      if ((step.kind !== "tool" && step.kind !== "child") || this.#running.has(id)) continue;
      steps.push(step);
      if (this.program.isSequential) break;
    }
    return steps;
  }

  /** A call that was recorded as ended is never made again: its row tells the outcome. */
  #reuseCall(step: StepRow): void {
    const call = this.#draft.callOf(step.id);
    if (!call || call.attempt_epoch !== step.attempt_epoch) return;
    if (call.status === "RUNNING" && this.#tool(step).execution === "at-most-once") {
      this.#park(
        `Step ${step.step_index} (${step.step_name}) is in doubt: its tool is at-most-once, and the process that called it did not record an outcome.`,
      );
      this.#throwIfParked();
    }
    if (call.status === "COMPLETED" && call.response_payload !== null) {
      this.#recordOutcome(step, { status: "COMPLETED", output_payload: call.response_payload });
    } else if (call.status === "FAILED" && call.error !== null) {
      this.#recordOutcome(step, { status: "FAILED", error: call.error });
    }
  }

  /** Whether the task is leased while this step runs here. */
  #isHeld(step: StepRow): boolean {
    return step.kind === "child" || this.#tool(step).execution !== "pure";
  }

  /** D2: owned by this process, and durable, before any effect. */
  async #claim(steps: readonly StepRow[]): Promise<void> {
    await this.tools.lease.hold();
    const now = this.#now();
    for (const step of steps) {
      if (!this.#isHeld(step)) continue;
      this.#leased.add(step.id);
      this.#draft.putStep({ ...step, status: "RUNNING", updated_at: now });
      if (step.kind !== "tool") continue;
      const call = this.#draft.callOf(step.id);
      if (call?.attempt_epoch !== step.attempt_epoch) {
        this.#draft.putCall(openCall(call, step, this.#tool(step), now));
      }
    }
    this.#set({});
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
      {
        clock: this.tools.clock,
        log: this.tools.log,
        outputBytesMax: this.tools.limits.outputBytes,
        timeoutMs: this.tools.limits.toolTimeoutMs,
      },
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
    // a tool that gave up because the task is cancelled has no outcome: the flow hears of the cancel instead
    const isMoot = this.#cancels.length > 0 && result.outcome.kind !== "completed";
    if (this.#failure === undefined && this.#open.has(id) && !isMoot) {
      if (result.outcome.kind === "doubt") {
        this.#park(
          `Step ${step.step_index} (${step.step_name}) is in doubt: ${readError(result.outcome.error).message}`,
        );
      } else this.#recordResult(step, tool, result, result.outcome);
    } else if (!this.isEnded && this.#failure === undefined) this.#set({}); // the lease may go now
    if (this.#onEvent) this.#onEvent();
    else this.writeSoon();
  }

  #recordResult(
    step: StepRow,
    tool: Tool,
    result: ExecutionResult,
    outcome: Exclude<ExecutionResult["outcome"], { kind: "doubt" }>,
  ): void {
    const known = this.#draft.callOf(step.id);
    const call = known?.attempt_epoch === step.attempt_epoch ? known : openCall(known, step, tool, result.startedAt);
    const isCompleted = outcome.kind === "completed";
    this.#draft.putCall({
      ...call,
      status: isCompleted ? "COMPLETED" : "FAILED",
      retry_count: result.retryCount,
      // of an earlier epoch too: a person should see why it was opened again
      last_error: result.lastError ?? call.last_error,
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
    this.#waits.delete(step.id);
    this.#unobserved.push(step.id);
    this.#draft.putStep({ ...step, ...outcome, outcome_seq: this.#outcomes, updated_at: this.#now() });
    this.#set({ current_step: Math.max(this.#draft.task.current_step, step.step_index) });
    this.#log.noteOutcome(step, outcome.status);
  }

  /** What stood against the task is gone; a step in doubt parks it again. */
  unpark(): void {
    this.#parked = undefined;
    this.#set({});
  }

  #park(reason: string): void {
    this.#parked = reason;
    if (this.#draft.task.parked_reason !== reason) this.#set({});
    this.tools.log.warn?.("task parked", { ...this.#log.fields, reason });
  }

  #throwIfParked(): void {
    if (this.#parked === undefined) return;
    this.writeSoon();
    throw new TaskonautError("task_parked", `Task ${this.#draft.task.id} is parked. ${this.#parked}`, {
      details: { id: this.#draft.task.id },
    });
  }

  // ---- small parts

  get #flowEnd(): ProgramEnd | undefined {
    return this.program.end;
  }

  /** The earliest recorded outcome that the flow has not been given yet. */
  get #nextUnobserved(): StepRow | undefined {
    const id = this.#unobserved[0];
    return id === undefined ? undefined : this.#draft.step(id);
  }

  #hasWork(): boolean {
    if (this.#unobserved.length > 0) return true;
    for (const id of this.#open) {
      const { kind, status } = this.#draft.step(id);
      if (kind === "tool" || (kind === "child" && status === "PLANNED")) return true;
    }
    return false;
  }

  #tool(step: StepRow): Tool {
    const tool = this.decisionOf.get(step.id)?.tool;
    if (!tool) throw new Error(`Step ${step.id} of task ${step.task_id} has no tool.`);
    return tool;
  }

  /** The lease is held exactly as long as tools run here. What the row said of parking is out of date: this goes on. */
  #set(patch: Partial<TaskRow>): void {
    const parked_reason = this.#parked ?? null;
    const due_at = parked_reason === null ? this.#dueAt() : null;
    this.#draft.setTask(this.#now(), { ...patch, due_at, parked_reason, lease_owner: this.#owner() });
  }

  /** A transition that leaves the task where it is: it was told something, and waits for more. */
  #stay(): void {
    this.#set({});
    this.#moves += 1;
  }

  #move(to: TaskStatus, patch: Partial<TaskRow> = {}): void {
    const from = this.status;
    this.#draft.moveTask(this.#now(), to, {
      ...patch,
      parked_reason: null,
      due_at: isTerminal(to) ? null : this.#dueAt(),
      lease_owner: isTerminal(to) ? null : this.#owner(),
    });
    this.#moves += 1;
    this.#log.noteMove(from, to, patch.error ?? null);
  }

  /** When the earliest wait is due, where nothing but waits is left; a worker need not look before. */
  #dueAt(): number | null {
    if (this.#waits.size === 0 || this.#waits.size < this.#open.size || this.#unobserved.length > 0) return null;
    const times = [...this.#waits].flatMap((id) => this.#draft.step(id).due_at ?? []);
    return times.length > 0 ? Math.min(...times) : null;
  }

  #owner(): string | null {
    return this.#leased.size > 0 ? this.tools.lease.workerId : null;
  }

  #now(): number {
    this.#time = Math.max(this.#time, this.tools.clock.now());
    return this.#time;
  }
}

/** What a child can be refused for: that is the step's failure. All else is the trouble of this process. */
const REFUSALS: ReadonlySet<string> = new Set(["input_invalid", "flow_invalid", "flow_not_found", "body_too_large"]);
