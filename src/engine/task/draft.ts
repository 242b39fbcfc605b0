// A task's rows as its driver holds them, ahead of what is durable. Changes collect here until a write takes them, so
// any number of transitions may share one commit.
//
// If others see a row, it is copied at its first change, and then the copy is changed in place. So rows that were taken
// never change during their write, and ten transitions in one commit cost one copy.

import type { StepRow, TaskRecord, TaskRow, ToolCallRow, Writable } from "../../core/record/record.ts";
import { assertNext, type TaskStatus } from "../../core/record/status.ts";
import type { AuditDraft } from "../../core/record/audit.ts";
import type { Change, InboxPost } from "../../store/store.ts";
import type { Standing } from "./standing.ts";

/** Lower than any wake_seq of a task: a write before the inbox was read leaves the task due, if anything ever came. */
const UNREAD = -1;

export class Draft {
  #moves = 0;
  #task: TaskRow;
  /** Nobody else sees the task's row. */
  #isOwn: boolean;
  #isDirty = false;
  /** The fence of the next change: the version in the store after everything taken so far is written. */
  #expectedVersion: number;
  #expectedOwner: string | null;
  #fromStatus: TaskStatus;
  #wakeSeq: number;
  readonly #steps: Rows<StepRow>;
  readonly #calls: Rows<ToolCallRow>;
  #consumed: number[] = [];
  /** Every inbox row consumed so far, including those that the store does not know of yet. */
  readonly #dealtWith = new Set<number>();
  #posts: InboxPost[] = [];
  #reopens = false;
  #retags = false;
  #audit: AuditDraft | undefined;
  #decidedVersion = 0;
  #isUnborn: boolean;

  /** `isOwn`: nobody else sees the rows, now or later. `isUnborn`: the store has none of the rows yet. */
  constructor({ task, steps, calls }: TaskRecord, { isOwn = false, isUnborn = false } = {}) {
    this.#isUnborn = isUnborn;
    this.#isDirty = isUnborn;
    this.#task = task;
    this.#isOwn = isOwn;
    this.#expectedVersion = task.version;
    this.#expectedOwner = task.lease_owner;
    this.#fromStatus = task.status;
    // earlier rows are not read yet, and may still be there
    this.#wakeSeq = task.wake_seq === 0 ? 0 : UNREAD;
    this.#steps = new Rows();
    for (const step of steps) this.#steps.know(step.id, step, { isOwn, isKnown: !isUnborn });
    this.#calls = new Rows();
    for (const call of calls) this.#calls.know(call.task_step_id, call, { isOwn, isKnown: !isUnborn });
  }

  /** The current row: read it again after a change. */
  get task(): TaskRow {
    return this.#task;
  }

  /** The number of transitions so far. */
  get moves(): number {
    return this.#moves;
  }

  /** A transition that keeps the task's status. */
  noteStay(now: number): void {
    this.changeTask(now);
    this.#moves += 1;
  }

  /** Once this version of the task's row is durable, so is everything that the flow was told and has decided so far. */
  get decidedVersion(): number {
    return this.#decidedVersion;
  }

  /** The next change of the task's row has to be durable before any effect that follows from it. */
  noteDecided(): void {
    this.#decidedVersion = this.#task.version + 1;
  }

  get stepCount(): number {
    return this.#steps.size;
  }

  get record(): TaskRecord {
    this.#isOwn = false;
    const calls = this.#calls
      .share()
      .toSorted((a, b) => a.created_at - b.created_at || this.#indexOf(a) - this.#indexOf(b));
    return { task: this.#task, steps: this.#steps.share(), calls };
  }

  get isDirty(): boolean {
    return this.#isDirty;
  }

  /** The store does not have the task: the next take returns all of it, to be inserted. */
  get isUnborn(): boolean {
    return this.#isUnborn;
  }

  /** In order of step_index. Read it at once: the rows change. */
  steps(): readonly StepRow[] {
    return this.#steps.rows();
  }

  /**
   * The code of the flow that drives the task from now on, and that reproduces the whole record. Written with the next
   * change.
   */
  noteCode(code: string | null): void {
    if (this.#task.flow_code !== code) this.#ownTask().flow_code = code;
  }

  step(id: string): StepRow {
    const step = this.#steps.get(id);
    if (!step) throw new Error(`Task ${this.#task.id} has no step ${id}.`);
    return step;
  }

  callOf(stepId: string): ToolCallRow | undefined {
    return this.#calls.get(stepId);
  }

  /** The task's row, to be changed. Every write of the driver raises the version, which fences out other drivers. */
  changeTask(now: number): Writable<TaskRow> {
    this.#isDirty = true;
    const task = this.#ownTask();
    task.version += 1;
    if (now > task.updated_at) task.updated_at = now;
    return task;
  }

  setTask(now: number, patch: Partial<TaskRow>): void {
    Object.assign(this.changeTask(now), patch);
  }

  /** Adds to the record's size, as part of the next write. */
  grow(bytes: number): void {
    this.#ownTask().recorded_bytes += bytes;
  }

  /** Replaces the tags, as part of the next write. */
  retag(tags: Pick<TaskRow, "tags" | "given_tags">): void {
    Object.assign(this.#ownTask(), tags);
    this.#retags = true;
  }

  /** Makes one transition of the task. Returns its row, for other changes that belong to it. */
  moveTask(now: number, to: TaskStatus): Writable<TaskRow> {
    assertNext(this.#task.status, to);
    const task = this.changeTask(now);
    task.status = to;
    task.expires_at = null; // it has begun, or ended
    this.#moves += 1;
    return task;
  }

  putStep(step: StepRow): void {
    this.#steps.put(step.id, step);
  }

  /** The row of an existing step, to be changed. */
  changeStep(id: string): Writable<StepRow> {
    const step = this.#steps.change(id);
    if (!step) throw new Error(`Task ${this.#task.id} has no step ${id}.`);
    return step;
  }

  patchStep(id: string, patch: Partial<StepRow>): void {
    Object.assign(this.changeStep(id), patch);
  }

  putCall(call: ToolCallRow): void {
    this.#calls.put(call.task_step_id, call);
  }

  /** The inbox was read up to here: anything later makes the task due at once. */
  seeWake(wakeSeq: number): void {
    this.#wakeSeq = wakeSeq;
  }

  /** Whether anything is known to have come from outside. */
  get hasHeard(): boolean {
    return this.#wakeSeq !== 0;
  }

  /** Consumes this row of the inbox, as part of the next write. */
  consume(seq: number): void {
    this.#consumed.push(seq);
    this.#dealtWith.add(seq);
  }

  isConsumed(seq: number): boolean {
    return this.#dealtWith.has(seq);
  }

  /** Posts to another task's inbox, as part of the next write. */
  post(post: InboxPost): void {
    this.#posts.push(post);
  }

  /** Goes back from FAILED to RUNNING: the only way out of an end. */
  reopen(now: number, patch: Partial<TaskRow>): void {
    this.#reopens = true;
    this.setTask(now, { ...patch, status: "RUNNING", error: null, finished_at: null });
  }

  /** Adds an entry of the audit log, as part of the next write. */
  note(entry: AuditDraft | undefined): void {
    this.#audit = entry;
  }

  /**
   * Takes what has changed since the last call, to be written under one fence. Undefined if nothing has. `standing`
   * follows from all these changes, and is written with them.
   */
  takeChange(standing?: Standing): Change | undefined {
    if (!this.#isDirty) return undefined;
    if (standing) this.#stand(standing);
    const task = this.#task;
    const steps = this.#steps.take();
    const calls = this.#calls.take();
    const change: Change = {
      taskId: task.id,
      expectedVersion: this.#expectedVersion,
      expectedOwner: this.#expectedOwner,
      fromStatus: this.#fromStatus,
      task: task.wake_seq === this.#wakeSeq ? task : { ...task, wake_seq: this.#wakeSeq },
      reopens: this.#reopens,
      retags: this.#retags,
      newSteps: steps.fresh,
      changedSteps: steps.changed,
      newCalls: calls.fresh,
      changedCalls: calls.changed,
      consumed: this.#consumed,
      posts: this.#posts,
      audit: this.#audit,
    };
    this.#audit = undefined;
    this.#consumed = [];
    this.#posts = [];
    this.#reopens = false;
    this.#retags = false;
    this.#isDirty = false;
    this.#isUnborn = false;
    this.#isOwn = false;
    this.#expectedVersion = task.version;
    this.#expectedOwner = task.lease_owner;
    this.#fromStatus = task.status;
    return change;
  }

  #stand({ due_at, lease_owner, parked_reason, parked_code, waits }: Standing): void {
    const task = this.#ownTask();
    task.due_at = due_at;
    task.lease_owner = lease_owner;
    task.parked_reason = parked_reason;
    task.parked_code = parked_code;
    task.waits = waits;
  }

  /** The task's row, to be changed in place. */
  #ownTask(): Writable<TaskRow> {
    if (!this.#isOwn) this.#task = { ...this.#task };
    this.#isOwn = true;
    return this.#task;
  }

  #indexOf(call: ToolCallRow): number {
    return this.step(call.task_step_id).step_index;
  }
}

interface Entry<Row> {
  row: Row;
  /** Nobody else sees it. */
  isOwn: boolean;
  /** The store has it, once everything taken is written. */
  isKnown: boolean;
  /** It has changed since it was taken. */
  isDirty: boolean;
}

/** Rows of one table by key, in order of insertion. */
class Rows<Row extends object> {
  readonly #entries = new Map<string, Entry<Row>>();
  #dirty: Entry<Row>[] = [];

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Row | undefined {
    return this.#entries.get(key)?.row;
  }

  rows(): Row[] {
    return Array.from(this.#entries.values(), (entry) => entry.row);
  }

  /** All rows, for others to see. */
  share(): Row[] {
    return [...this.#entries.values()].map((entry) => {
      entry.isOwn = false;
      return entry.row;
    });
  }

  know(key: string, row: Row, { isOwn, isKnown }: { readonly isOwn: boolean; readonly isKnown: boolean }): void {
    const entry = { row, isOwn, isKnown, isDirty: false };
    this.#entries.set(key, entry);
    if (!isKnown) this.#mark(entry);
  }

  put(key: string, row: Row): void {
    const entry = this.#entries.get(key);
    if (entry) {
      entry.row = row;
      entry.isOwn = true;
      if (!entry.isDirty) this.#mark(entry);
    } else {
      const fresh = { row, isOwn: true, isKnown: false, isDirty: false };
      this.#entries.set(key, fresh);
      this.#mark(fresh);
    }
  }

  /** The row, to be changed; undefined if there is none. */
  change(key: string): Writable<Row> | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    if (!entry.isOwn) entry.row = { ...entry.row };
    entry.isOwn = true;
    if (!entry.isDirty) this.#mark(entry);
    return entry.row;
  }

  take(): { readonly fresh: readonly Row[]; readonly changed: readonly Row[] } {
    if (this.#dirty.length === 0) return NOTHING;
    const fresh: Row[] = [];
    const changed: Row[] = [];
    for (const entry of this.#dirty) {
      (entry.isKnown ? changed : fresh).push(entry.row);
      entry.isOwn = false;
      entry.isKnown = true;
      entry.isDirty = false;
    }
    this.#dirty = [];
    return { fresh, changed };
  }

  #mark(entry: Entry<Row>): void {
    entry.isDirty = true;
    this.#dirty.push(entry);
  }
}

const NOTHING = { fresh: [], changed: [] } as const;
