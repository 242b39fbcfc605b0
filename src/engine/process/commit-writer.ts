// Group commit: one writer per process. The changes that arrive during a commit form the next one. A change that
// arrives alone is written at once: there is no timer.
//
// W1. A task has at most one change in a commit, and only one commit is in progress at a time. So a task's changes are
//     written in the order of their submission.
// W2. If a change loses, every later change of that driver loses as well: each expects the version before.
// W3. However much there is to write, the event loop gets its turns in between.

import { hasCode } from "../../core/errors.ts";
import type { StepRow, ToolCallRow } from "../../core/record/record.ts";
import type { Change, NewRecord, Store } from "../../store/store.ts";
import { Pace } from "./pace.ts";

/**
 * The most changes in one commit: bounds the size of a statement and how long others wait. A new task has half the
 * rows.
 */
const CHANGES_MAX = 256;
const INSERTS_MAX = 400;

/**
 * The most bytes of JSON in one commit, approximately, unless it has only one task: a statement is built and parsed as
 * a whole.
 */
const BATCH_BYTES_MAX = 8 * 1024 * 1024;

/**
 * If a batch is written one by one, at most this many wait for a lock each: all writes of the process wait behind them.
 */
const BUSY_MAX = 3;

/** For a separate writer, which has nobody to let in between. */
const STANDING = { now: (): number => 0 };

/** A write, and the callbacks for its result. They are called once, and synchronously, so they must not throw. */
export interface Job<In> {
  readonly what: In;
  /** True: written and durable. False: nothing was written. */
  onWritten(won: boolean): void;
  /** If the database was away, it may have been written. */
  onFailed(error: unknown): void;
}

export class CommitWriter {
  readonly #changes: Job<Change>[] = [];
  readonly #inserts: Job<NewRecord>[] = [];
  #isWriting = false;
  #batches = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: Pick<Store, "insertTasks" | "commitChanges">,
    private readonly pace = new Pace(STANDING),
  ) {}

  /** How many times it has written so far. */
  get batches(): number {
    return this.#batches;
  }

  /** Resolves when everything submitted so far has been written, or has failed. */
  async settle(): Promise<void> {
    while (this.#isWriting) await this.#writing;
  }

  /** `onWritten` gets false if the task has another version or owner by now. */
  submit(job: Job<Change>): void {
    this.#changes.push(job);
    this.#writeSoon();
  }

  /** True: written and durable. False: the task has another version or owner by now, and nothing was written. */
  submitChange(change: Change): Promise<boolean> {
    return new Promise((onWritten, onFailed) => this.submit({ what: change, onWritten, onFailed }));
  }

  /** False: a task with this id exists. */
  submitTask(record: NewRecord): Promise<boolean> {
    return new Promise((onWritten, onFailed) => this.submitNew({ what: record, onWritten, onFailed }));
  }

  /** `onWritten` gets false if a task with this id exists. */
  submitNew(job: Job<NewRecord>): void {
    this.#inserts.push(job);
    this.#writeSoon();
  }

  /** After this turn of the event loop, so that everything that is ready is written together. */
  #writeSoon(): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.#writing = this.pace.next().then(() => this.#write());
  }

  async #write(): Promise<void> {
    while (this.#inserts.length > 0 || this.#changes.length > 0) {
      await this.pace.turn(); // W3
      this.#batches += 1;
      await writeBatch(takeWithinBytes(this.#inserts), (batch) => this.store.insertTasks(batch));
      await writeBatch(takeOnePerTask(this.#changes), (batch) => this.store.commitChanges(batch));
    }
    this.#isWriting = false;
  }
}

/** Never rejects: each job gets its own result. Returns the error of a refused job. */
async function writeBatch<In>(
  jobs: readonly Job<In>[],
  write: (batch: readonly In[]) => Promise<readonly boolean[]>,
): Promise<unknown> {
  if (jobs.length === 0) return undefined;
  let won: readonly boolean[];
  try {
    won = await write(jobs.map((job) => job.what));
  } catch (error) {
    if (jobs.length === 1 || hasCode(error, "database_unavailable")) {
      for (const job of jobs) job.onFailed(error);
      return error;
    }
    // the database refuses one of them: each is written separately, so that it fails no other
    let busy = 0;
    for (const job of jobs) {
      if (busy === BUSY_MAX) job.onFailed(error);
      else if (hasCode(await writeBatch([job], write), "task_busy")) busy += 1;
    }
    return error;
  }
  jobs.forEach((job, index) => job.onWritten(won[index] === true));
  return undefined;
}

/** Takes, in order, up to a batch of changes: of each task only the first (W1). */
function takeOnePerTask(queue: Job<Change>[]): Job<Change>[] {
  const taken: Job<Change>[] = [];
  const tasks = new Set<string>();
  let bytes = 0;
  let left = 0;
  for (const job of queue) {
    const { taskId, posts } = job.what;
    // a change and a post to its task cannot share a commit
    const isApart = !tasks.has(taskId) && (posts.length === 0 || !posts.some((post) => tasks.has(post.task_id)));
    const isFree = isApart && taken.length < CHANGES_MAX;
    const more = isFree ? bytesOfChange(job.what) : 0;
    // also if it is left out: a later change of one of its tasks must not overtake it
    tasks.add(taskId);
    for (const post of posts) tasks.add(post.task_id);
    if (isFree && (taken.length === 0 || bytes + more <= BATCH_BYTES_MAX)) {
      bytes += more;
      taken.push(job);
    } else queue[left++] = job;
  }
  queue.length = left;
  return taken;
}

/** Takes, in order, up to a batch of new tasks. */
function takeWithinBytes(queue: Job<NewRecord>[]): Job<NewRecord>[] {
  let bytes = 0;
  let count = 0;
  for (const { what } of queue) {
    bytes += what.task.input_payload.length + bytesOfSteps(what.steps);
    if (count === INSERTS_MAX || (count > 0 && bytes > BATCH_BYTES_MAX)) break;
    count += 1;
  }
  return queue.splice(0, count);
}

/** An approximation: it counts characters, which are mostly one byte each in JSON. */
function bytesOfChange({ task, newSteps, changedSteps, newCalls, changedCalls, posts }: Change): number {
  let bytes = task.output_payload?.length ?? 0;
  for (const { payload } of posts) bytes += payload?.length ?? 0;
  return (
    bytes + bytesOfSteps(newSteps) + bytesOfSteps(changedSteps) + bytesOfCalls(newCalls) + bytesOfCalls(changedCalls)
  );
}

function bytesOfCalls(calls: readonly ToolCallRow[]): number {
  let bytes = 0;
  for (const call of calls) bytes += call.request_payload.length + (call.response_payload?.length ?? 0);
  return bytes;
}

function bytesOfSteps(steps: readonly StepRow[]): number {
  let bytes = 0;
  for (const step of steps) bytes += step.input_payload.length + (step.output_payload?.length ?? 0);
  return bytes;
}
