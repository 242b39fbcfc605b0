// What is known of one task that is driven here, ahead of the store: its rows, its program, and the rules by which one
// leads to the other. Nothing here waits for anything.
//
// S1. A task is in the queue (due_at) while a worker may take it up: once it was queued, has waited, or is leased, until
//     it ends, is parked, or waits for somebody.
// S2. It is leased while a tool that is not pure runs here for whose outcome somebody waits, or a child is being created; one that was claimed from the
//     queue, until it is let go of: who held it again without a claim would not be counted.

import type { Clock } from "../../core/clock.ts";
import { stepId } from "../../core/record/ids.ts";
import type { Log } from "../../core/log.ts";
import type { Decision, Program, ProgramEnd, Turn } from "../../core/flow/program.ts";
import type { JsonText, StepRow, TaskRecord, TaskRow, Writable } from "../../core/record/record.ts";
import { isStepOpen, isTerminal, type TaskStatus } from "../../core/record/status.ts";
import { readError } from "../../core/record/stored-error.ts";
import { type Tool, withGuarantee } from "../../core/flow/tool.ts";
import type { Change } from "../../store/store.ts";
import { Draft, type Standing } from "./draft.ts";
import { cancelByForce, giveUpStep } from "./force-cancel.ts";
import { isWait, type WaitOutcome } from "./wait-events.ts";
import { CANCELLED_CHILD, endOfChild } from "./inbox-posts.ts";
import { bytesOfStep, bytesOfText } from "../../core/record/record-size.ts";
import { RunningSteps } from "./running-steps.ts";
import { toStepRow } from "./step-row.ts";
import type { StoreClock } from "../process/store-clock.ts";
import { TaskLog } from "./task-log.ts";

export interface StateTools {
  readonly clock: Clock;
  readonly storeClock: Pick<StoreClock, "guess">;
  readonly log: Log;
  readonly lease: { readonly workerId: string };
  codeOf(flow: string): string;
}

export class TaskState {
  readonly draft: Draft;
  readonly log: TaskLog;
  readonly running = new RunningSteps();
  /** Ids of open steps that an outsider or the clock settles, or sets going again. */
  readonly waits: Set<string>;
  /** Ids of steps for which this process holds the lease. */
  readonly leased = new Set<string>();
  /** Inbox rows of cancels that the flow has not been told yet. */
  cancels: readonly number[] = [];
  /** S2. */
  isClaimed: boolean;
  /** The version of the task's row with which all is durable that the flow was told and has decided so far. */
  decidedVersion = 0;
  /** Why nothing more is done here. */
  parked: string | undefined;
  #isParkedForAll = false;
  #outcomes = 0;
  /** Ids of steps without an outcome, in order of planning. */
  readonly #open = new Set<string>();
  /** Ids of steps whose outcome the flow has not been given yet, in the order in which they were recorded. */
  readonly #unobserved: string[] = [];
  #mustBeLookedAt = false;
  /** S1: since when a worker may take the task, in store time; null: it is not in the queue. */
  #queuedAt: number | null;
  /** Never goes back, whatever the clocks of the processes that drove the task say: it is the flow's `now()`. */
  #time: number;

  constructor(
    record: TaskRecord,
    readonly program: Program,
    readonly decisionOf: Map<string, Decision>,
    private readonly tools: StateTools,
    /** A worker has claimed it, and looks after it when it is let go of. */
    readonly isFromQueue: boolean,
  ) {
    this.isClaimed = isFromQueue;
    const { steps, task } = record;
    this.draft = new Draft(record, isFromQueue);
    this.draft.noteCode(program.flow.code ?? null);
    this.log = new TaskLog(tools.log, { task_id: task.id, flow: task.flow_name });
    this.waits = new Set();
    const unobserved: StepRow[] = [];
    for (const step of steps) {
      if (step.outcome_seq !== null) {
        this.#outcomes += 1;
        if (step.outcome_seq > task.observed_count) unobserved.push(step);
      }
      if (!isStepOpen(step.status)) continue;
      this.#open.add(step.id);
      if (isWait(step)) this.waits.add(step.id);
    }
    unobserved.sort((a, b) => (a.outcome_seq ?? 0) - (b.outcome_seq ?? 0));
    for (const step of unobserved) this.#unobserved.push(step.id);
    this.#queuedAt = task.due_at;
    this.#time = task.updated_at;
  }

  get status(): TaskStatus {
    return this.draft.task.status;
  }

  get isEnded(): boolean {
    return isTerminal(this.status);
  }

  get flowEnd(): ProgramEnd | undefined {
    return this.program.end;
  }

  /** Whether the task was told to cancel, and its flow has not heard of it yet. */
  get isCancelling(): boolean {
    return this.cancels.length > 0;
  }

  isOpen(id: string): boolean {
    return this.#open.has(id);
  }

  /** By step_index. */
  openSteps(): StepRow[] {
    return [...this.#open].map((id) => this.draft.step(id)).toSorted((a, b) => a.step_index - b.step_index);
  }

  /** The earliest recorded outcome that the flow has not been given yet. */
  get nextUnobserved(): StepRow | undefined {
    const id = this.#unobserved[0];
    return id === undefined ? undefined : this.draft.step(id);
  }

  /** With the guarantee that was recorded: the code may have been edited since. */
  tool(step: StepRow): Tool {
    const tool = this.decisionOf.get(step.id)?.tool;
    if (!tool) throw new Error(`Step ${step.id} of task ${step.task_id} has no tool.`);
    return step.execution === null ? tool : withGuarantee(tool, step.execution);
  }

  /** Steps whose tool or child is to be started now; in a `plan` flow the first open one alone. */
  stepsToStart(): StepRow[] {
    const { isSequential } = this.program;
    if (isSequential && (this.running.size > 0 || this.#unobserved.length > 0)) return [];
    const steps: StepRow[] = [];
    for (const id of this.#open) {
      const step = this.draft.step(id);
      if (this.#isStartable(step) && !this.running.has(id)) steps.push(step);
      if (isSequential) break;
    }
    return steps;
  }

  /** A child that is RUNNING has its task: by hand it is run on, from the queue it goes by itself. */
  #isStartable({ id, kind, status }: StepRow): boolean {
    if (kind === "tool") return !this.waits.has(id);
    return kind === "child" && (status === "PLANNED" || !this.isClaimed);
  }

  /** Whether a transition can be made here and now without news from outside. */
  hasWork(): boolean {
    if (this.#unobserved.length > 0) return true;
    for (const id of this.#open) {
      const step = this.draft.step(id);
      if (step.kind === "tool" ? !this.waits.has(id) : step.kind === "child" && step.status === "PLANNED") return true;
      if (this.program.isSequential) return false;
    }
    return false;
  }

  /** Whether there is something to do for the task, by whoever drives it, before anything comes from outside. */
  isAtWork(): boolean {
    if (this.status === "PLANNED" || this.status === "RUNNING" || this.flowEnd !== undefined) return true;
    return this.running.size > 0 || this.cancels.length > 0 || this.hasWork();
  }

  /** What a replay looks at; to be read at once. */
  recorded(): { readonly task: TaskRow; readonly steps: readonly StepRow[] } {
    return { task: this.draft.task, steps: this.draft.steps() };
  }

  /** Whether anything ever came from outside, as far as is known. */
  get hasHeard(): boolean {
    return this.draft.hasHeard;
  }

  // ---- what was told to the flow, and what it decided

  /** The outcome that the flow has just been given. */
  noteObserved({ id }: StepRow, now: number): void {
    this.#noteDecided();
    this.#unobserved.shift();
    const step = this.draft.changeStep(id);
    step.observed_at = now;
    step.updated_at = now;
    this.draft.changeTask(now).observed_count += 1;
  }

  noteCancelled(now: number): void {
    for (const seq of this.cancels) this.draft.consume(seq);
    this.cancels = [];
    this.#noteDecided();
    this.set({ cancelled_after: this.draft.task.observed_count, cancelled_at: now });
  }

  takeUp({ planned, abandoned }: Turn, storeNow: number): void {
    if (planned.length === 0 && abandoned.length === 0) return;
    this.#noteDecided();
    const { id: taskId } = this.draft.task;
    const now = this.now();
    for (const path of abandoned) this.giveUp(this.draft.step(stepId(taskId, path)), now);
    for (const decision of planned) {
      const row = toStepRow(taskId, decision, { index: this.draft.stepCount + 1, now, storeNow });
      this.draft.putStep(row);
      this.draft.grow(bytesOfStep(row));
      this.#open.add(row.id);
      if (isWait(row)) this.waits.add(row.id);
      this.decisionOf.set(row.id, decision);
    }
  }

  /** What comes with the next change of the task's row has to be durable before an effect that follows from it. */
  #noteDecided(): void {
    this.decidedVersion = this.draft.task.version + 1;
  }

  /** A task that is cancelled before its flow has begun ends at once. */
  cancelUnbegun(): void {
    const now = this.now();
    this.set({ cancelled_after: 0, cancelled_at: now });
    for (const id of this.#open) this.giveUp(this.draft.step(id), now);
    this.end({ kind: "completed", output: "null" });
  }

  giveUp(step: StepRow, now: number): void {
    if (!this.#open.delete(step.id)) return; // it has an outcome already, which the flow will ignore
    this.waits.delete(step.id);
    giveUpStep(this.draft, step, now);
    this.leased.delete(step.id);
    this.running.giveUp(step.id, new Error("Nobody waits for this step any more."));
  }

  /** Whatever the flow would have to clean up: the task has ended, and tools that still run are not heard any more. */
  cancelByForce(): void {
    const from = this.status;
    cancelByForce(this.draft, this.now());
    this.log.noteMove(from, "CANCELLED", null);
    this.cancels = [];
    this.#open.clear();
    this.waits.clear();
    this.#unobserved.length = 0;
    this.isClaimed = false;
    this.leased.clear();
    this.running.giveUpAll(new Error("The task was cancelled by force."));
  }

  /** The flow is about to hear of a cancel: what it will give up need not run on. It hears when that has come to its end. */
  abortGivenUp(reason: Error): void {
    for (const path of this.program.givenUpByCancel()) this.running.abort(stepId(this.draft.task.id, path), reason);
  }

  /** Whether the flow is about to hear of a cancel, and gives the step up then. */
  isMoot({ path }: StepRow): boolean {
    return this.cancels.length > 0 && this.program.givenUpByCancel().has(path);
  }

  end(end: ProgramEnd): void {
    const { task } = this.draft;
    const [open] = this.openSteps();
    if (open) throw new Error(`Task ${task.id} would end with step ${open.step_index} (${open.step_name}) open.`);
    const isCancelled = task.cancelled_after !== null;
    if (task.parent_task_id !== null) this.draft.post(endOfChild(task, isCancelled ? CANCELLED_CHILD : end));
    const error = end.kind === "failed" && !isCancelled ? end.error : null;
    const row = this.move(isCancelled ? "CANCELLED" : error === null ? "COMPLETED" : "FAILED", error);
    row.finished_at = row.updated_at;
    row.error = error;
    if (end.kind === "completed" && !isCancelled) row.output_payload = end.output;
    row.recorded_bytes += bytesOfText(row.output_payload ?? row.error ?? "");
  }

  // ---- outcomes

  recordOutcome(step: StepRow, outcome: WaitOutcome): void {
    this.#noteDecided();
    this.#outcomes += 1;
    this.#open.delete(step.id);
    this.waits.delete(step.id);
    this.#unobserved.push(step.id);
    const isTool = step.kind === "tool";
    const now = this.now();
    const row = this.draft.changeStep(step.id);
    row.status = outcome.status;
    if (outcome.status === "COMPLETED") row.output_payload = outcome.output_payload;
    else row.error = outcome.error;
    row.outcome_seq = this.#outcomes;
    row.starts = 0;
    row.doubt = null;
    if (isTool) row.due_at = null;
    row.updated_at = now;
    const task = this.draft.changeTask(now);
    task.recorded_bytes += bytesOfText(outcome.status === "COMPLETED" ? outcome.output_payload : outcome.error);
    if (step.step_index > task.current_step) task.current_step = step.step_index;
    this.log.noteOutcome(step, outcome.status);
  }

  /** The outcome of a wait; of a tool, where it was in doubt. */
  recordNews(step: StepRow, outcome: WaitOutcome): void {
    const call = this.draft.callOf(step.id);
    if (step.kind === "tool" && call) {
      const isCompleted = outcome.status === "COMPLETED";
      this.draft.putCall({
        ...call,
        status: outcome.status,
        response_payload: isCompleted ? outcome.output_payload : null,
        error: isCompleted ? null : outcome.error,
        last_error: isCompleted ? call.last_error : outcome.error,
        finished_at: Math.max(this.now(), call.started_at),
      });
    }
    this.enqueue();
    this.recordOutcome(step, outcome);
  }

  /** The wait before the next attempt is over, or somebody said of a step in doubt that its tool is to be called again. */
  reopen({ id, doubt, attempt_epoch }: StepRow): void {
    this.waits.delete(id);
    this.enqueue();
    if (doubt !== null) {
      this.#noteDecided();
      this.draft.patchStep(id, { doubt: null, attempt_epoch: attempt_epoch + 1 });
    }
    this.draft.patchStep(id, { due_at: null, starts: 0, updated_at: this.now() });
    this.set({});
  }

  /** Nobody knows whether the effect of its tool happened: somebody has to settle it. */
  doubt({ id, step_name }: StepRow, error: JsonText): void {
    this.draft.patchStep(id, { status: "RUNNING", doubt: error, updated_at: this.now() });
    this.waits.add(id);
    this.set({});
    const reason = readError(error).message;
    this.tools.log.warn?.("step in doubt", { ...this.log.fields, step: step_name, reason });
  }

  /** The tool is to be called again at `dueAt`, in store time. */
  postpone({ id }: StepRow, dueAt: number): void {
    this.draft.patchStep(id, { status: "RUNNING", due_at: dueAt, starts: 0, updated_at: this.now() });
    this.waits.add(id);
    this.set({});
  }

  outcomeOfCall(step: StepRow): void {
    const call = this.draft.callOf(step.id);
    if (!call || call.attempt_epoch !== step.attempt_epoch) return;
    if (call.status === "COMPLETED" && call.response_payload !== null) {
      this.recordOutcome(step, { status: "COMPLETED", output_payload: call.response_payload });
    } else if (call.status === "FAILED" && call.error !== null) {
      this.recordOutcome(step, { status: "FAILED", error: call.error });
    }
  }

  // ---- parking

  /**
   * Why the task is not driven on, with these steps planned: its record would be larger than this process allows. What ran
   * is recorded in any case. Undefined where nothing stands against it: a cancelled task may clean up, whatever its size.
   */
  reasonToStop(bytesMax: number, planned: readonly Decision[]): string | undefined {
    const { recorded_bytes: bytes, cancelled_after } = this.draft.task;
    if (cancelled_after !== null || this.cancels.length > 0) return undefined;
    let more = 0;
    for (const { input } of planned) more += bytesOfStep({ input_payload: input });
    if (bytes + more <= bytesMax) return undefined;
    return `Its record holds ${bytes} bytes${more === 0 ? "" : `, with its next steps ${bytes + more}`}; here a task may have ${bytesMax} (TASKONAUT_MAX_TASK_BYTES). Raise the limit and take the task up again with resume-task, or cancel it.`;
  }

  /** `forAll`: this process cannot go on, and every worker that has the flow tries it now and then, whatever its code. */
  park(reason: string, { forAll = false } = {}): void {
    this.parked = reason;
    this.#isParkedForAll = forAll;
    if (this.draft.task.parked_reason !== reason) this.set({});
    this.isClaimed = false;
    this.tools.log.warn?.("task parked", { ...this.log.fields, reason });
  }

  /** What stood against the task is gone, and it is there for workers too. */
  unpark(): void {
    this.parked = undefined;
    this.enqueue();
    for (const id of this.#open) {
      if (this.draft.step(id).starts > 0) this.draft.patchStep(id, { starts: 0, updated_at: this.now() });
    }
    this.set({});
  }

  // ---- the task's row

  set(patch: Partial<TaskRow>): void {
    this.draft.setTask(this.now(), patch);
  }

  /** Something that is written with the row has changed: queue, lease, parking, or rows beside it. */
  touch(): void {
    this.set({});
  }

  /** What is to be written next; undefined where nothing has changed. */
  takeChange(): Change | undefined {
    return this.draft.isDirty ? this.draft.takeChange(this.#standing()) : undefined;
  }

  /** Whether the row says of queue, lease and parking what is true. */
  get stands(): boolean {
    const { due_at, lease_owner, parked_reason } = this.draft.task;
    const standing = this.#standing();
    return (
      due_at === standing.due_at && lease_owner === standing.lease_owner && parked_reason === standing.parked_reason
    );
  }

  /** What the row said of parking is out of date: this goes on. */
  #standing(): Standing {
    const { parked } = this;
    if (this.isEnded) return ENDED;
    if (parked === undefined) {
      return { due_at: this.#dueAt(), lease_owner: this.#owner(), parked_reason: null, parked_code: null };
    }
    const parked_code = this.#isParkedForAll ? null : this.tools.codeOf(this.draft.task.flow_name);
    return { due_at: null, lease_owner: null, parked_reason: parked, parked_code };
  }

  /** A transition that leaves the task where it is: it was told something, and waits for more. */
  stay(): void {
    this.set({});
    this.draft.moves += 1;
  }

  /** `error`: why it FAILED. Gives the task's row, for what else changes with it. */
  move(to: TaskStatus, error: JsonText | null = null): Writable<TaskRow> {
    const from = this.status;
    const row = this.draft.moveTask(this.now(), to);
    this.log.noteMove(from, to, error);
    return row;
  }

  /**
   * A task that was claimed is left as it is, for others. `mayHaveNews`: something may have come that nobody has looked
   * at: then a worker is to look.
   */
  letGo({ mayHaveNews }: { readonly mayHaveNews: boolean }): void {
    this.isClaimed = false;
    this.#mustBeLookedAt = mayHaveNews && !this.isEnded;
    if (!this.draft.isDirty && !this.stands) this.set({});
  }

  /** S1. While there is work to do it stays what it was: what is in an index should not change for nothing. */
  #dueAt(): number | null {
    if (this.isClaimed || this.isAtWork() || this.#mustBeLookedAt) {
      if (this.#owner() !== null || this.#mustBeLookedAt) this.enqueue();
      return this.#queuedAt;
    }
    let earliest: number | null = null;
    for (const id of this.waits) {
      const { due_at } = this.draft.step(id);
      if (due_at !== null && (earliest === null || due_at < earliest)) earliest = due_at;
    }
    return earliest;
  }

  /** From now on, at the latest, a worker may take the task when nobody living holds it. */
  enqueue(): void {
    if (this.#queuedAt !== null && this.#queuedAt <= this.storeTime()) return;
    this.#queuedAt = this.storeTime();
  }

  /** S2. */
  #owner(): string | null {
    return this.leased.size > 0 || this.isClaimed ? this.tools.lease.workerId : null;
  }

  /** The time of this process; for rows. */
  now(): number {
    const now = this.tools.clock.now();
    if (now > this.#time) this.#time = now;
    return this.#time;
  }

  /** The store's time, as near as it is known without asking. */
  storeTime(): number {
    return this.tools.storeClock.guess();
  }
}

/** Of a task that has ended. */
const ENDED = { due_at: null, lease_owner: null, parked_reason: null, parked_code: null } as const;
