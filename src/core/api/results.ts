// What tasks come to, for whoever waits for it.

import type { CreatedTask, CreateTask, RunTask } from "./taskonaut.ts";
import type { Task, TaskSummary } from "./task.ts";

/** Nobody waits for longer than this in one go: who wants to, asks again. */
export const WAIT_MS_MAX = 600_000;

export interface AwaitEnd {
  /** 0 to WAIT_MS_MAX. */
  readonly waitMs: number;
  /** Aborts when nobody wants to know any more: then the call rejects with its reason. What was begun goes on. */
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
   * Creates the task, runs it in the process that serves the caller and follows it over all that it waits for, and gives it
   * when it has ended; or as it is when the time is up, or when it is parked. It is not dropped then: what runs goes on,
   * and what waits is in the queue. Where `start` is given it is a worker that runs it, and here it is only waited for.
   * One that the idempotency key finds is followed likewise. Throws what `createTask` throws.
   */
  create(request: CreateTask, options: AwaitEnd): Promise<CreatedTask>;
  /** The task when it has ended, or as it is when the time is up. It drives nothing. Throws task_not_found. */
  await(id: string, options: AwaitEnd): Promise<Task>;
  /** The same, without payloads. */
  awaitSummary(id: string, options: AwaitEnd): Promise<TaskSummary>;
}
