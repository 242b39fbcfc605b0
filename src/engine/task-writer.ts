// The durable side of one task that is driven here: its draft becomes commits, one after the other.
//
// T1. One write of a task is under way at a time; what changes meanwhile goes with the next.
// T2. After a write that was lost or failed nothing more is written: the driver has to start from the store again.
// T3. What is told of a transition (the log, other tasks) is told once it is durable.
// T4. A task that is let go of, and is due, is known to be so.

import type { TaskRecord } from "../core/record.ts";
import { isTerminal } from "../core/status.ts";
import type { Change } from "../store/store.ts";
import { redeliver } from "./deliver.ts";
import { LostTaskError, type DriverTools } from "./driver-tools.ts";
import type { TaskState } from "./task-state.ts";

export class TaskWriter {
  /** Transitions that are durable. */
  durableMoves = 0;
  failure: Error | undefined;
  #writing: Promise<void> | undefined;

  constructor(
    private readonly state: TaskState,
    private readonly tools: DriverTools,
    /** Told once, of the first failure. */
    private readonly onFailed: (reason: Error) => void,
  ) {}

  get isUnsettled(): boolean {
    return this.failure === undefined && (this.#writing !== undefined || this.state.draft.isDirty);
  }

  /** T2, also where the driver itself gives up. */
  fail(reason: unknown): void {
    if (this.failure !== undefined) return;
    this.failure = reason instanceof Error ? reason : new Error(String(reason));
    this.onFailed(this.failure);
  }

  /** Starts to write what has changed, without waiting: more may join while the event loop turns. */
  writeSoon(): void {
    if (this.#writing || !this.state.draft.isDirty) return;
    const turned = Promise.withResolvers<void>();
    setImmediate(turned.resolve);
    this.#writing = turned.promise.then(() => this.#write());
  }

  /** Resolves when everything so far is durable. Throws LostTaskError, or what the store throws. */
  async settle(): Promise<void> {
    while (this.failure === undefined && (this.#writing || this.state.draft.isDirty)) {
      this.#writing ??= this.#write();
      await this.#writing;
    }
    if (this.failure !== undefined) throw this.failure;
  }

  /** The record, all of it durable. Throws as `settle` does. */
  async durableRecord(): Promise<TaskRecord> {
    // an outcome may come in between the end of a write and the moment in which we hear of it
    do await this.settle();
    while (this.#writing !== undefined || this.state.draft.isDirty);
    return this.state.draft.record;
  }

  async #write(): Promise<void> {
    try {
      for (;;) {
        const { moves } = this.state.draft;
        const change = this.failure === undefined ? this.state.takeChange() : undefined;
        if (!change) break;
        const news = this.state.log.take();
        const start = this.tools.clock.now();
        let isWon: boolean;
        try {
          isWon = await this.tools.writer.submitChange(change);
        } catch (error) {
          if (!this.#isLeased(change)) throw error;
          isWon = await redeliver(change, { error, start }, this.tools);
        }
        if (!isWon) throw new LostTaskError(change.taskId);
        this.durableMoves = moves;
        for (const tell of news) tell();
        for (const post of change.posts) this.tools.children.onPosted(post);
        if (this.#isLetGo(change)) await this.#tellOfFree(change);
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.#writing = undefined;
    }
  }

  /**
   * T4. A worker knows itself what it lets go of; where a caller does, nobody may. And what came for the task after its
   * inbox was read has made it due with this very write: whoever was told of it found the task held.
   */
  async #tellOfFree({ taskId, task }: Change): Promise<void> {
    if (task.due_at !== null && !this.state.isFromQueue) return this.tools.onWoken(taskId);
    if (task.status !== "WAITING_OBSERVATION") return;
    try {
      const { wakeSeq } = await this.tools.store.readInbox(taskId);
      if (wakeSeq === task.wake_seq) return;
    } catch {
      // the database is away: nobody knows
    }
    this.tools.onWoken(taskId);
  }

  /** Whether the task was held here, and is there for others now. */
  #isLetGo({ expectedOwner, task }: Change): boolean {
    return expectedOwner === this.tools.lease.workerId && task.lease_owner === null && !isTerminal(task.status);
  }

  /** A change under a lease says what effects came of, or that one is about to begin: no outage may leave that open. */
  #isLeased({ expectedOwner, task }: Change): boolean {
    const me = this.tools.lease.workerId;
    return expectedOwner === me || task.lease_owner === me;
  }
}
