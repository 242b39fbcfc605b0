// Drives one task in this process: one transition after the other.
//
// `transitions.ts` says what the next transition needs; this file supplies it, and `task-writer.ts` makes the result
// durable.
//
// TD1. A driver that has lost its task (another process wrote to it) aborts its tools and writes nothing more.

import type { Decision, Program } from "../../core/flow/program.ts";
import type { TaskRecord } from "../../core/record/record.ts";
import type { TaskStatus } from "../../core/record/status.ts";
import type { Audited } from "../../store/audit-store.ts";
import type { PauseRow } from "../../store/store.ts";
import type { DriverTools } from "./driver-tools.ts";
import { InboxReader } from "./inbox-reader.ts";
import type { LeavingTool } from "./running-steps.ts";
import { StepRunner } from "./step-runner.ts";
import { TaskState } from "./task-state.ts";
import { TaskWriter, type OnSettled } from "./task-writer.ts";
import { type Need, type Result, Transitions } from "./transitions.ts";

/** How a driver got its task. */
export interface DriverStart {
  /** The store does not have the task yet: the first write inserts it in its state at that moment. */
  readonly isUnborn?: boolean;
  /** The task was just created: nobody can have written to it. */
  readonly isNew?: boolean;
  /** The task was claimed from the queue for this process, which holds it until it ends or only waits. */
  readonly isClaimed?: boolean;
  /** The worker that held the task is dead, and may have died of its work. */
  readonly isOrphan?: boolean;
  /** Tools that former drivers of the task have left running here. */
  readonly left?: readonly LeavingTool[];
}

export class TaskDriver {
  readonly #state: TaskState;
  readonly #writer: TaskWriter;
  readonly #inbox: InboxReader;
  readonly #steps: StepRunner;
  readonly #transitions: Transitions;
  /** The transition in progress, if it takes time. */
  #moving: Promise<unknown> | undefined;
  /** Stops waiting for the driver to be idle. */
  #onAbandoned: (() => void) | undefined;

  constructor(
    record: TaskRecord,
    program: Program,
    decisionOf: Map<string, Decision>,
    private readonly tools: DriverTools,
    { isUnborn = false, isNew = isUnborn, isClaimed = false, isOrphan = false, left = [] }: DriverStart,
  ) {
    this.#state = new TaskState(record, program, decisionOf, tools, isClaimed, isUnborn, left);
    this.#writer = new TaskWriter(this.#state, tools, (reason) => this.#onFailed(reason));
    // if nobody has left anything yet: from now on, news makes the task due again, whatever is written
    const isQuiet = isNew || (isClaimed && record.task.wake_seq === 0 && !this.#state.hasWaits);
    this.#inbox = new InboxReader(this.#state, tools, !isQuiet);
    this.#steps = new StepRunner(this.#state, this.#writer, this.#inbox, tools, isOrphan);
    this.#transitions = new Transitions({
      state: this.#state,
      program,
      inbox: this.#inbox,
      steps: this.#steps,
      tools,
      mustCheckEnd: isNew || !program.isSequential,
    });
    program.log = tools.flowLog;
  }

  get id(): string {
    return this.#state.task.id;
  }

  get status(): TaskStatus {
    return this.#state.status;
  }

  get isEnded(): boolean {
    return this.#state.isEnded;
  }

  /** Whether the driver has stopped: the task was lost, a write failed, or the process shuts down. */
  get isAbandoned(): boolean {
    return this.#writer.failure !== undefined;
  }

  /** The number of durable transitions that this driver has made. */
  get durableMoves(): number {
    return this.#writer.durableMoves;
  }

  /** When a worker may take the task, as last written, in store time. */
  get dueAt(): number | null {
    return this.#state.task.due_at;
  }

  /** Whether tools of this task run in this process. */
  get isBusy(): boolean {
    return !this.isAbandoned && this.#state.running.size > 0;
  }

  /** The work that runs here, whether or not anybody still waits for its outcome. */
  get toolsThatRun(): readonly LeavingTool[] {
    return this.#state.running.tools;
  }

  /** Whether part of it is still to be written: an outage may delay that for long. */
  get isUnsettled(): boolean {
    return this.#writer.isUnsettled;
  }

  /** Whether there is nothing to do here until something comes from outside, or a time comes. */
  get onlyWaits(): boolean {
    return this.status === "WAITING_OBSERVATION" && !this.#inbox.isWoken && !this.#state.isAtWork();
  }

  /**
   * Makes one transition in memory, at once if it needs nothing. False: there is none, because the task has ended or
   * only waits. Throws LostTaskError, FlowViolationError, task_parked, flow_paused, and what the store throws.
   */
  advance(): boolean | Promise<boolean> {
    this.#throwIfFailed();
    const first = this.#transitions.begin();
    if (first === "moved") return true;
    if (first === "rests") return false;
    const moved = this.#supplyFrom(first);
    this.#moving = moved.catch(() => {}); // the caller hears of the result
    return moved;
  }

  async #supplyFrom(first: Need): Promise<boolean> {
    try {
      for (let next: Need | Result = first; ; next = this.#transitions.advance()) {
        if (next === "moved") return true;
        if (next === "rests") return false;
        await this.#supply(next);
        this.#throwIfFailed();
        if (this.isEnded) return true; // by force
      }
    } finally {
      this.#moving = undefined;
    }
  }

  async #supply(need: Need): Promise<void> {
    switch (need) {
      case "inbox":
        if (this.#state.isUnborn) await this.#writer.settle();
        await this.#inbox.collect();
        return this.#transitions.supplied(need);
      case "store-time":
        return this.#transitions.supplied(need, await this.tools.storeClock.read());
      case "end-check":
        return this.#transitions.endChecked();
      case "tickets":
        return this.#steps.takeTickets();
      case "pauses":
        return this.#steps.readPauses();
      case "line":
        return this.#steps.waitInLine();
      case "written":
        return this.#steps.write();
      case "outcome":
        await this.#steps.awaitOutcome();
        return this.#transitions.supplied(need);
    }
  }

  /** TD1. Transitions that need nothing would go on and on: a failed write stops them. */
  #throwIfFailed(): void {
    const { failure } = this.#writer;
    if (failure !== undefined) throw failure;
  }

  /** Records news from outside, without a transition. True: there was some. Throws what the store throws. */
  async hear(): Promise<boolean> {
    const { version } = this.#state.task;
    if (!this.isEnded) await this.#inbox.collect();
    return this.#state.task.version !== version;
  }

  /** Stops its tools that run here and that these pauses hold back. */
  interrupt(pauses: readonly PauseRow[]): void {
    this.#steps.interrupt(pauses);
  }

  /** Something came for this task: read the inbox soon. */
  wake(): void {
    this.#inbox.wake();
    this.#steps.tell();
  }

  /** The obstacle of the task is gone, and workers may take it again. */
  unpark(audited: Audited = {}): void {
    this.#state.unpark(audited);
  }

  /** From now on, a worker may take the task: what holds it back here may end. */
  enqueue(): void {
    this.#state.enqueue();
  }

  /** Releases a claimed task as it is, for other workers; settle it afterwards. */
  release(): void {
    this.#steps.clearSuspects();
    this.#state.letGo({ isUnread: this.#inbox.isWoken });
  }

  /**
   * Stops driving: running tools are aborted and their outcomes are not recorded, so that another process may take
   * over.
   */
  abandon(reason: unknown): void {
    this.#writer.fail(reason);
  }

  /** Starts to write the changes, without waiting: more may join in this turn of the event loop. */
  writeSoon(): void {
    this.#writer.writeSoon();
  }

  /** Resolves when everything so far is durable. Throws LostTaskError, or what the store throws. */
  settle(): Promise<void> {
    return this.#writer.settle();
  }

  /** Like `settle`, but calls `tell` in the same moment in which the result is known. `tell` must not throw. */
  onSettled(tell: OnSettled): void {
    this.#writer.onSettled(tell);
  }

  /** The record, all of it durable. Throws as `settle` does. */
  durableRecord(): Promise<TaskRecord> {
    return this.#writer.durableRecord();
  }

  /** Resolves when nothing is in progress any more, and the results are durable or cannot be made so. */
  async idle(): Promise<void> {
    const { running } = this.#state;
    const abandoned = new Promise<void>((resolve) => {
      this.#onAbandoned = resolve;
    });
    // a transition in progress may be about to start tools: they get their time like running tools
    while (!this.isAbandoned && (this.#moving || running.size > 0)) {
      await Promise.race([Promise.all([this.#moving, running.ended()]), abandoned]);
    }
    await this.settle().catch(() => {}); // the driver's caller hears of it
  }

  #onFailed(reason: Error): void {
    this.#state.running.giveUpAll(reason);
    this.#steps.onFailed(reason);
    this.#onAbandoned?.();
    this.#steps.tell();
  }
}
