// The state of one task that is driven here, ahead of the store: its rows, its program, and the rules that connect the
// two. Nothing here waits, and nothing else changes a row.

import type { Clock } from "../../core/clock.ts";
import type { Flow } from "../../core/flow/flow.ts";
import type { Decision, Program, ProgramEnd, Turn } from "../../core/flow/program.ts";
import type { TaskListener } from "../../core/api/task-listener.ts";
import type { Log } from "../../core/log.ts";
import { stepId } from "../../core/record/ids.ts";
import { bytesOfStep, bytesOfText } from "../../core/record/record-size.ts";
import type { JsonText, StepRow, TaskRecord, TaskRow, ToolCallRow, Writable } from "../../core/record/record.ts";
import { isTerminal, type TaskStatus } from "../../core/record/status.ts";
import type { Audited } from "../../store/audit-store.ts";
import type { Change } from "../../store/store.ts";
import type { StoreClock } from "../process/store-clock.ts";
import { Draft } from "./draft.ts";
import type { Flows } from "./flows.ts";
import { cancelByForce, giveUpStep } from "./force-cancel.ts";
import { CANCELLED_CHILD, endOfChild } from "./inbox-posts.ts";
import { OpenSteps } from "./open-steps.ts";
import { Place } from "./place.ts";
import { type LeavingTool, RunningSteps } from "./running-steps.ts";
import { isSameStanding, type Standing } from "./standing.ts";
import { retagged } from "./program-task.ts";
import { StepDecisions } from "./step-decisions.ts";
import { StepRecord } from "./step-record.ts";
import { toStepRow } from "./step-row.ts";
import { TaskLog } from "./task-log.ts";
import { TaskTime } from "./task-time.ts";

export interface StateTools {
  readonly clock: Clock;
  readonly storeClock: Pick<StoreClock, "guess">;
  readonly log: Log;
  readonly lease: { readonly workerId: string };
  readonly flows: Pick<Flows, "codeOf">;
  readonly listener?: TaskListener | undefined;
}

export class TaskState {
  readonly log: TaskLog;
  readonly running: RunningSteps;
  /** Records the outcomes of its steps. */
  readonly steps: StepRecord;
  readonly decisions: StepDecisions;
  /** The entries of its inbox that were read and consumed. */
  readonly inbox: Pick<Draft, "isConsumed" | "consume" | "seeWake" | "hasHeard">;
  readonly #draft: Draft;
  readonly #open: OpenSteps;
  readonly #place: Place;
  /** Inbox rows of cancels that the flow has not heard of yet. */
  #cancels: readonly number[] = [];
  readonly #time: TaskTime;

  constructor(
    record: TaskRecord,
    private readonly program: Program,
    decisionOf: Map<string, Decision>,
    private readonly tools: StateTools,
    /** A worker has claimed the task, and handles it after its release. */
    readonly isFromQueue: boolean,
    /** The store does not have the task yet. */
    isUnborn: boolean,
    left: readonly LeavingTool[],
  ) {
    this.running = new RunningSteps(left);
    this.decisions = new StepDecisions(decisionOf);
    const { steps, task } = record;
    this.#draft = new Draft(record, { isOwn: isFromQueue, isUnborn });
    this.inbox = this.#draft;
    this.#draft.noteCode(program.flow.code ?? null);
    this.#open = new OpenSteps(steps, task.observed_count, (id) => this.step(id), program.isSequential);
    this.log = new TaskLog(tools.log, { task_id: task.id, flow: task.flow_name }, tools.listener);
    if (isUnborn) this.log.noteCreated();
    this.#place = new Place(tools.lease.workerId, () => this.storeTime(), task.due_at, isFromQueue);
    this.#time = new TaskTime(tools.clock, task.updated_at);
    this.steps = new StepRecord(this.#draft, this.#open, this.#place, this.#time, this.log, tools.log, tools.listener);
  }

  // ---- the rows, as they are now: ask again after a change

  get task(): TaskRow {
    return this.#draft.task;
  }

  get record(): TaskRecord {
    return this.#draft.record;
  }

  /** The input of a replay; read it at once. */
  recorded(): { readonly task: TaskRow; readonly steps: readonly StepRow[] } {
    return { task: this.#draft.task, steps: this.#draft.steps() };
  }

  step(id: string): StepRow {
    return this.#draft.step(id);
  }

  /** The call of this step in its current epoch. */
  callOf({ id, attempt_epoch }: StepRow): ToolCallRow | undefined {
    const call = this.#draft.callOf(id);
    return call?.attempt_epoch === attempt_epoch ? call : undefined;
  }

  /** The call of this step, in any epoch. */
  lastCallOf({ id }: StepRow): ToolCallRow | undefined {
    return this.#draft.callOf(id);
  }

  // ---- how it stands

  get status(): TaskStatus {
    return this.#draft.task.status;
  }

  get isEnded(): boolean {
    return isTerminal(this.status);
  }

  get flow(): Flow {
    return this.program.flow;
  }

  get flowEnd(): ProgramEnd | undefined {
    return this.program.end;
  }

  /** `plan` flows: steps run one after the other. */
  get isSequential(): boolean {
    return this.program.isSequential;
  }

  get isClaimed(): boolean {
    return this.#place.isClaimed;
  }

  /** Whether the task was told to cancel, and its flow has not heard of it yet. */
  get isCancelling(): boolean {
    return this.#cancels.length > 0;
  }

  get parkedReason(): string | undefined {
    return this.#place.parkedReason;
  }

  /** Once this version of the task's row is durable, so is everything that the flow was told and has decided so far. */
  get decidedVersion(): number {
    return this.#draft.decidedVersion;
  }

  isOpen(id: string): boolean {
    return this.#open.has(id);
  }

  someOpen(holds: (step: StepRow) => boolean): boolean {
    return this.#open.some(holds);
  }

  /** By step_index. */
  openSteps(): StepRow[] {
    return this.#open.rows();
  }

  get hasWaits(): boolean {
    return this.#open.areWaiting;
  }

  waitingSteps(): StepRow[] {
    return this.#open.waiting();
  }

  get nextUnobserved(): StepRow | undefined {
    return this.#open.nextUnobserved;
  }

  stepsToStart(): StepRow[] {
    return this.#open.toStart(this.running, this.isClaimed);
  }

  hasWork(): boolean {
    return this.#open.hasWork();
  }

  /** Whether the task's driver has something to do before anything comes from outside. */
  isAtWork(): boolean {
    if (this.status === "PLANNED" || this.status === "RUNNING" || this.flowEnd !== undefined) return true;
    return this.running.size > 0 || this.isCancelling || this.hasWork();
  }

  // ---- what was told to the flow, and what it decided

  /** The outcome that the flow has just been given. */
  noteObserved({ id }: StepRow, now: number): void {
    this.#draft.noteDecided();
    this.#open.noteObserved();
    const step = this.#draft.changeStep(id);
    step.observed_at = now;
    step.updated_at = now;
    this.#draft.changeTask(now).observed_count += 1;
  }

  /** Cancels that were found in the inbox: a further one changes nothing. */
  noteCancels(cancels: readonly number[]): void {
    if (cancels.length === 0 || this.task.cancelled_after !== null || this.isCancelling) return;
    this.#cancels = cancels;
    this.#place.enqueue();
    // steps that the flow will give up need not run on: it hears of the cancel when they have ended
    const reason = new Error("The task was cancelled.");
    for (const path of this.program.givenUpByCancel()) this.running.abort(stepId(this.task.id, path), reason);
  }

  /** The flow was told that it is cancelled. */
  noteCancelled(now: number): void {
    for (const seq of this.#cancels) this.#draft.consume(seq);
    this.#cancels = [];
    this.#draft.noteDecided();
    this.#set({ cancelled_after: this.task.observed_count, cancelled_at: now });
  }

  takeUp({ planned, abandoned, tags }: Turn, storeNow: number): void {
    if (planned.length === 0 && abandoned.length === 0 && !tags) return;
    this.#draft.noteDecided();
    if (tags) this.#draft.retag(retagged(this.task, tags));
    const { id: taskId } = this.task;
    const now = this.now();
    for (const path of abandoned) this.#giveUp(this.step(stepId(taskId, path)), now);
    for (const decision of planned) {
      const row = toStepRow(taskId, decision, { index: this.#draft.stepCount + 1, now, storeNow });
      this.#draft.putStep(row);
      this.#draft.grow(bytesOfStep(row));
      this.#open.add(row);
      this.decisions.add(row.id, decision);
      this.tools.listener?.planned(row);
    }
  }

  #giveUp(step: StepRow, now: number): void {
    if (!this.#open.giveUp(step.id)) return; // it already has an outcome, which the flow will ignore
    giveUpStep(this.#draft, step, now);
    this.log.noteGivenUp(step);
    this.#place.stopHolding(step.id);
    this.running.giveUp(step.id, new Error("Nobody waits for this step any more."));
  }

  /** Whether the flow is about to hear of a cancel, and will then give the step up. */
  isMoot({ path }: StepRow): boolean {
    return this.isCancelling && this.program.givenUpByCancel().has(path);
  }

  // ---- transitions

  move(to: "RUNNING" | "WAITING_OBSERVATION"): void {
    this.#moveTo(to, null);
  }

  /** `error`: why it FAILED. Returns the task's row, for other changes that belong to it. */
  #moveTo(to: TaskStatus, error: JsonText | null, stack?: string): Writable<TaskRow> {
    const from = this.status;
    const row = this.#draft.moveTask(this.now(), to);
    this.log.noteMove(from, row, error, stack);
    return row;
  }

  /** A transition that keeps the task's status: it was told something, and waits for more. */
  stay(): void {
    this.#draft.noteStay(this.now());
  }

  end(end: ProgramEnd): void {
    const { task } = this;
    const open = this.#open.first;
    if (open) throw new Error(`Task ${task.id} would end with step ${open.step_index} (${open.step_name}) open.`);
    const isCancelled = task.cancelled_after !== null;
    if (task.parent_task_id !== null) this.#draft.post(endOfChild(task, isCancelled ? CANCELLED_CHILD : end));
    const error = end.kind === "failed" && !isCancelled ? end.error : null;
    const to = isCancelled ? "CANCELLED" : error === null ? "COMPLETED" : "FAILED";
    const row = this.#moveTo(to, error, this.program.endStack);
    row.finished_at = row.updated_at;
    row.error = error;
    if (end.kind === "completed" && !isCancelled) row.output_payload = end.output;
    row.recorded_bytes += bytesOfText(row.output_payload ?? row.error ?? "");
  }

  /** A task that is cancelled before its flow has begun ends at once. */
  cancelUnbegun(reason: string | null = null): void {
    const now = this.now();
    this.#set({ cancelled_after: 0, cancelled_at: now, cancel_reason: reason });
    for (const step of this.openSteps()) this.#giveUp(step, now);
    this.end({ kind: "completed", output: "null" });
  }

  /** The task has ended, whatever its flow would clean up, and running tools are no longer heard. */
  cancelByForce(): void {
    const from = this.status;
    cancelByForce(this.#draft, this.now());
    this.log.noteMove(from, this.task, null);
    this.#cancels = [];
    this.#open.giveUpAll();
    this.#place.stopHoldingAll();
    this.running.giveUpAll(new Error("The task was cancelled by force."));
  }

  // ---- its place: queue, lease, parking

  /** For this step the task is held (U2). */
  hold(id: string): void {
    this.#place.hold(id);
  }

  /** Returns whether the task was held for this step. */
  stopHolding(id: string): boolean {
    return this.#place.stopHolding(id);
  }

  /** `forAll`: this process cannot continue it, and every worker that has the flow tries it, whatever its code. */
  park(reason: string, { forAll = false } = {}): void {
    this.#place.park(reason, forAll ? null : this.tools.flows.codeOf(this.task.flow_name));
    if (this.task.parked_reason !== reason) this.touch();
    // a caller learns it from the error
    this.log.tellParked(this.task, reason, { isByHand: !this.isFromQueue && this.task.parent_task_id === null });
  }

  /** The obstacle of the task is gone, and workers may take it again. */
  unpark({ audit }: Audited): void {
    this.#draft.note(audit);
    this.#place.unpark();
    for (const { id, starts } of this.openSteps()) {
      if (starts > 0) this.#draft.patchStep(id, { starts: 0, updated_at: this.now() });
    }
    this.touch();
  }

  /** From now on, a worker may take the task. */
  enqueue(): void {
    this.#place.enqueue();
    if (!this.stands) this.touch();
  }

  /** Releases a claimed task for other workers. `isUnread`: something may have come that nobody has read. */
  letGo({ isUnread }: { readonly isUnread: boolean }): void {
    this.#place.letGo(isUnread && !this.isEnded);
    if (!this.isDirty && !this.stands) this.touch();
  }

  /** Whether the row has the current queue, lease and parking. */
  get stands(): boolean {
    return isSameStanding(this.#draft.task, this.#standing());
  }

  #standing(): Standing {
    const { isEnded } = this;
    return this.#place.standing({
      isEnded,
      isAtWork: isEnded || this.isAtWork(),
      firstDue: () => this.#open.firstDue(),
      waits: (isResting) => this.#open.waits(isResting),
    });
  }

  // ---- what is written

  get isDirty(): boolean {
    return this.#draft.isDirty;
  }

  /** The store does not have the task: the next take returns all of it, to be inserted. */
  get isUnborn(): boolean {
    return this.#draft.isUnborn;
  }

  get moves(): number {
    return this.#draft.moves;
  }

  /** The next change to be written; undefined if nothing has changed. */
  takeChange(): Change | undefined {
    return this.isDirty ? this.#draft.takeChange(this.#standing()) : undefined;
  }

  /** Marks a change that is written with the task's row: its standing, or rows beside it. */
  touch(): void {
    this.#draft.changeTask(this.now());
  }

  #set(patch: Partial<TaskRow>): void {
    this.#draft.setTask(this.now(), patch);
  }

  // ---- clocks

  /** The time of this process; for rows. */
  now(): number {
    return this.#time.now();
  }

  /** The store's time, as closely as it is known without a query. */
  storeTime(): number {
    return this.tools.storeClock.guess();
  }
}
