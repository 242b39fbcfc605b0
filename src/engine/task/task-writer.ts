// The durable side of one task that is driven here: its changes become commits, one after the other.
//
// T1. Only one write of a task is in progress at a time; changes made meanwhile go with the next write.
// T2. After a write that was lost or failed, nothing more is written: the driver has to start again from the store.
// T3. A transition is reported (to the log, to other tasks) once it is durable.
// T4. If a released task is due, workers are told.
// T5. The first write of a task that is not in the store inserts it in its state at that moment: a flow that has ended
//     by then costs one commit. Nobody can have left anything for the task, and nobody else holds it.

import type { TaskRecord } from "../../core/record/record.ts";
import { isTerminal } from "../../core/record/status.ts";
import type { Change } from "../../store/store.ts";
import type { Job } from "../process/commit-writer.ts";
import { retryWriteAfter } from "../process/retry-write.ts";
import { LostTaskError, TaskExistsError, type DriverTools } from "./driver-tools.ts";
import type { TaskState } from "./task-state.ts";

/** Called when everything so far is durable, or with the reason why it cannot be. */
export type OnSettled = (failure: Error | undefined) => void;

export class TaskWriter implements Job<Change> {
  #durableMoves = 0;
  #durableVersion: number;
  #failure: Error | undefined;
  #onDurable: ((change: Change) => void) | undefined;
  /** T1: a write is in progress, or is about to begin. */
  #isWriting = false;
  /** The change that is being written. */
  #change: Change | undefined;
  /** The number of durable transitions after it. */
  #moves = 0;
  #lines: readonly (() => void)[] = [];
  #startedAt = 0;
  #settling: OnSettled[] = [];

  constructor(
    private readonly state: TaskState,
    private readonly tools: DriverTools,
    /** Called once, with the first failure. */
    private readonly onFirstFailure: (reason: Error) => void,
  ) {
    this.#durableVersion = state.task.version;
  }

  /** The number of durable transitions. */
  get durableMoves(): number {
    return this.#durableMoves;
  }

  /** The version of the task's row that is durable. */
  get durableVersion(): number {
    return this.#durableVersion;
  }

  /** T2: why nothing more is written; undefined: no write was lost or failed. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** From now on, calls `onDurable` with each durable change; it must not throw. */
  listen(onDurable: (change: Change) => void): void {
    this.#onDurable = onDurable;
  }

  get isUnsettled(): boolean {
    return this.#failure === undefined && (this.#isWriting || this.state.isDirty);
  }

  /** T2, also if the driver itself gives up. */
  fail(reason: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason instanceof Error ? reason : new Error(String(reason));
    this.onFirstFailure(this.#failure);
  }

  /**
   * Starts to write the changes, without waiting: more may join in this turn of the event loop. A task that is not in
   * the store waits for its end, or for what has to be durable, unless it takes time (`evenUnborn`).
   */
  writeSoon({ evenUnborn = false } = {}): void {
    if (this.#isWriting || !this.state.isDirty || (this.state.isUnborn && !evenUnborn)) return;
    this.#isWriting = true;
    setImmediate(() => this.#writeNext());
  }

  /** Resolves when everything so far is durable. Throws LostTaskError, or what the store throws. */
  settle(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.onSettled((failure) => (failure === undefined ? resolve() : reject(failure)));
    });
  }

  /** Like `settle`, but calls `tell` in the same moment in which the result is known. `tell` must not throw. */
  onSettled(tell: OnSettled): void {
    if (!this.isUnsettled) return tell(this.#failure);
    this.#settling.push(tell);
    if (!this.#isWriting) this.#writeNext();
  }

  /** The record, all of it durable. Throws as `settle` does. */
  async durableRecord(): Promise<TaskRecord> {
    // an outcome may come between the end of a write and the moment in which we hear of it
    do await this.settle();
    while (this.#isWriting || this.state.isDirty);
    return this.state.record;
  }

  #writeNext(): void {
    this.#isWriting = true;
    const { isUnborn } = this.state;
    try {
      this.#moves = this.state.moves;
      this.#change = this.#failure === undefined ? this.state.takeChange() : undefined;
    } catch (error) {
      return this.#giveUp(error);
    }
    if (!this.#change) return this.#rest();
    this.#lines = this.state.log.take();
    this.#startedAt = this.tools.clock.now();
    if (isUnborn) this.#insert(this.#change);
    else this.tools.writer.submit(this);
  }

  /** T5. If the answer to an insert is lost, nobody knows more than that: the caller gets the error. */
  #insert({ taskId, task, newSteps, newCalls }: Change): void {
    this.tools.writer.submitNew({
      what: { task, steps: newSteps, calls: newCalls },
      onWritten: (isNew) => (isNew ? this.onWritten(true) : this.#giveUp(new TaskExistsError(taskId))),
      onFailed: (error) => this.#giveUp(error),
    });
  }

  // ---- the write that is under way

  get what(): Change {
    if (!this.#change) throw new Error("No write is under way.");
    return this.#change;
  }

  onWritten(isWon: boolean): void {
    const change = this.what;
    try {
      if (!isWon) throw new LostTaskError(change.taskId);
      this.#durableMoves = this.#moves;
      this.#durableVersion = change.task.version;
      for (const tell of this.#lines) tell();
      this.#onDurable?.(change);
      for (const post of change.posts) this.tools.children.onPosted(post);
      if (isTerminal(change.task.status)) this.tools.onEnded(change.taskId);
    } catch (error) {
      return this.#giveUp(error);
    }
    if (!this.#isLetGo(change)) return this.#writeNext();
    this.#tellOfFree(change).then(
      () => this.#writeNext(),
      (error: unknown) => this.#giveUp(error),
    );
  }

  onFailed(thrown: unknown): void {
    const change = this.what;
    if (!this.#isLeased(change)) return this.#giveUp(thrown);
    retryWriteAfter(change, { error: thrown, start: this.#startedAt }, this.tools).then(
      (isWon) => this.onWritten(isWon),
      (failure: unknown) => this.#giveUp(failure),
    );
  }

  #giveUp(error: unknown): void {
    this.fail(error);
    this.#rest();
  }

  /** No write is in progress any more: waiting callers are told. Their changes are written first. */
  #rest(): void {
    this.#isWriting = false;
    this.#change = undefined;
    while (this.#settling.length > 0) {
      if (this.isUnsettled) return this.#isWriting ? undefined : this.#writeNext();
      this.#settling.shift()?.(this.#failure);
    }
  }

  /**
   * T4. A worker knows its own releases. If a caller releases a task, no worker may know. And news that came after the
   * inbox was read made the task due only with this write: whoever heard of the news found the task held.
   */
  async #tellOfFree({ taskId, task }: Change): Promise<void> {
    if (task.due_at !== null && !this.state.isFromQueue) return this.tools.onWoken(taskId);
    if (task.status !== "WAITING_OBSERVATION") return;
    try {
      const { wakeSeq } = await this.tools.store.readInbox(taskId, { names: [], after: 0 });
      if (wakeSeq === task.wake_seq) return;
    } catch {
      // the database is away: nobody knows
    }
    this.tools.onWoken(taskId);
  }

  /** Whether the task was held here, and is free for others now. */
  #isLetGo({ expectedOwner, task }: Change): boolean {
    return expectedOwner === this.tools.lease.workerId && task.lease_owner === null && !isTerminal(task.status);
  }

  /** A change under a lease records the outcome of effects, or the start of one: no outage may leave that open. */
  #isLeased({ expectedOwner, task }: Change): boolean {
    const me = this.tools.lease.workerId;
    return expectedOwner === me || task.lease_owner === me;
  }
}
