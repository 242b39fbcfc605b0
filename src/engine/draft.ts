// A task's rows as its driver holds them, ahead of what is durable. Changes gather here until they are taken for a
// write, so any number of transitions may share one commit.

import type { StepRow, TaskRecord, TaskRow, ToolCallRow } from "../core/record.ts";
import { assertNext, type TaskStatus } from "../core/status.ts";
import type { Change, InboxPost } from "../store/store.ts";

export class Draft {
  #task: TaskRow;
  readonly #steps: Map<string, StepRow>;
  readonly #calls: Map<string, ToolCallRow>;
  /** The fence of the next change: what the store has, once everything taken so far is written. */
  #taken: TaskRow;
  #wakeSeq: number;
  readonly #known: { readonly steps: Set<string>; readonly calls: Set<string> };
  readonly #dirtySteps = new Set<string>();
  readonly #dirtyCalls = new Set<string>();
  #consumed: number[] = [];
  /** Every inbox row consumed so far: the store may not know of the latest yet. */
  readonly #dealtWith = new Set<number>();
  #posts: InboxPost[] = [];
  #reopens = false;

  constructor(record: TaskRecord) {
    this.#task = record.task;
    this.#taken = record.task;
    this.#wakeSeq = record.task.wake_seq;
    this.#steps = new Map(record.steps.map((step) => [step.id, step]));
    this.#calls = new Map(record.calls.map((call) => [call.task_step_id, call]));
    this.#known = { steps: new Set(this.#steps.keys()), calls: new Set(this.#calls.keys()) };
  }

  get task(): TaskRow {
    return this.#task;
  }

  get stepCount(): number {
    return this.#steps.size;
  }

  get record(): TaskRecord {
    const calls = [...this.#calls.values()].toSorted(
      (a, b) => a.created_at - b.created_at || this.#indexOf(a) - this.#indexOf(b),
    );
    return { task: this.#task, steps: [...this.#steps.values()], calls };
  }

  get isDirty(): boolean {
    return this.#task !== this.#taken;
  }

  step(id: string): StepRow {
    const step = this.#steps.get(id);
    if (!step) throw new Error(`Task ${this.#task.id} has no step ${id}.`);
    return step;
  }

  callOf(stepId: string): ToolCallRow | undefined {
    return this.#calls.get(stepId);
  }

  /** Every write of the driver raises the version: that is what fences out the others. */
  setTask(now: number, patch: Partial<TaskRow>): void {
    this.#task = {
      ...this.#task,
      ...patch,
      version: this.#task.version + 1,
      updated_at: Math.max(now, this.#task.updated_at),
    };
  }

  /** One transition of the task. */
  moveTask(now: number, to: TaskStatus, patch: Partial<TaskRow> = {}): void {
    assertNext(this.#task.status, to);
    this.setTask(now, { ...patch, status: to });
  }

  putStep(step: StepRow): void {
    this.#steps.set(step.id, step);
    this.#dirtySteps.add(step.id);
  }

  putCall(call: ToolCallRow): void {
    this.#calls.set(call.task_step_id, call);
    this.#dirtyCalls.add(call.task_step_id);
  }

  /** The inbox was read up to here: what comes later makes the task due at once. */
  seeWake(wakeSeq: number): void {
    this.#wakeSeq = wakeSeq;
  }

  /** This row of the inbox is dealt with, as part of what is written next. */
  consume(seq: number): void {
    this.#consumed.push(seq);
    this.#dealtWith.add(seq);
  }

  isConsumed(seq: number): boolean {
    return this.#dealtWith.has(seq);
  }

  /** Told to another task, as part of what is written next. */
  post(post: InboxPost): void {
    this.#posts.push(post);
  }

  /** Back from FAILED to RUNNING: the one way out of an end. */
  reopen(now: number, patch: Partial<TaskRow>): void {
    this.#reopens = true;
    this.setTask(now, { ...patch, status: "RUNNING", error: null, finished_at: null });
  }

  /** What has changed since the last time, to be written under one fence. Undefined where nothing has. */
  takeChange(): Change | undefined {
    if (!this.isDirty) return undefined;
    const steps = split(this.#dirtySteps, this.#known.steps, this.#steps);
    const calls = split(this.#dirtyCalls, this.#known.calls, this.#calls);
    const change: Change = {
      taskId: this.#task.id,
      expectedVersion: this.#taken.version,
      expectedOwner: this.#taken.lease_owner,
      task: { ...this.#task, wake_seq: this.#wakeSeq },
      reopens: this.#reopens,
      newSteps: steps.fresh,
      changedSteps: steps.changed,
      newCalls: calls.fresh,
      changedCalls: calls.changed,
      consumed: this.#consumed,
      posts: this.#posts,
    };
    this.#consumed = [];
    this.#posts = [];
    this.#reopens = false;
    this.#taken = this.#task;
    return change;
  }

  #indexOf(call: ToolCallRow): number {
    return this.step(call.task_step_id).step_index;
  }
}

function split<Row>(dirty: Set<string>, known: Set<string>, rows: Map<string, Row>): { fresh: Row[]; changed: Row[] } {
  const fresh: Row[] = [];
  const changed: Row[] = [];
  for (const id of dirty) {
    const row = rows.get(id) as Row;
    if (known.has(id)) changed.push(row);
    else fresh.push(row);
    known.add(id);
  }
  dirty.clear();
  return { fresh, changed };
}
