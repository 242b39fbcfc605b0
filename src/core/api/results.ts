// The results of tasks, for callers that wait for them.

import type { CreatedTask, CreateTask, RunTask } from "./create-task.ts";
import type { Task, TaskSummary } from "./task.ts";

/** The longest wait of one call. A caller that wants to wait longer calls again. */
export const WAIT_MS_MAX = 600_000;

export interface AwaitEnd {
  /** 0 to WAIT_MS_MAX. */
  readonly waitMs: number;
  /** Aborts when nobody wants the result any more: then the call rejects with its reason. Running work continues. */
  readonly signal?: AbortSignal;
}

/** A task that is made when it is first run. */
export interface BegunTask {
  readonly id: string;
  /** Creates it and runs it, as `runTask` does and throws; in one commit where all its tools are pure. To be called once. */
  run(options?: RunTask): Promise<Task>;
}

export interface Results {
  /** Throws what `createTask` throws; over HTTP the task is created by then. */
  begin(request: CreateTask): Promise<BegunTask>;
  /**
   * Creates the task, runs it in the process that serves the caller, and follows it through all its waits. Returns the task
   * when it has ended, when it is parked, or as it is when the time is up. Then running work continues, and a waiting task is
   * in the queue. With `start`, a worker runs the task, and this call only waits for it. If the idempotency key finds a
   * task, that one is followed. Throws what `createTask` throws.
   */
  create(request: CreateTask, options: AwaitEnd): Promise<CreatedTask>;
  /** The task when it has ended, or as it is when the time is up. This call does not run it. Throws task_not_found. */
  await(id: string, options: AwaitEnd): Promise<Task>;
  /** The same, without payloads. */
  awaitSummary(id: string, options: AwaitEnd): Promise<TaskSummary>;
}
