// What is asked to create and to run a task, and what comes of it.

import type { Task } from "./task.ts";

export interface CreateTask {
  readonly flow: string;
  /** As it came: the flow's input contract is applied to it, and fills in its defaults. */
  readonly input: unknown;
  /** The same key gives the same task for as long as that task exists: 1 to 255 characters. */
  readonly idempotencyKey?: string;
  /** Puts the task in the queue: workers may take it now, or from this time on (milliseconds since 1970). Unset: it waits for `advance` or `run`. */
  readonly start?: "now" | number;
  /** 0 (first) to 9 (last) among the due tasks of its flow; by default 5. */
  readonly priority?: number;
  /** In milliseconds, 1000 or more: if the task has not begun within this time, it is CANCELLED. Unset: as its flow says. */
  readonly expiresIn?: number;
  /** By which it is found, beside those that its flow gives it: at most 20, each side of at most 256 bytes. */
  readonly tags?: Readonly<Record<string, string>>;
  /** A header of W3C Trace Context: the task is in that trace, below that span. */
  readonly traceparent?: string;
}

export interface CreatedTask {
  readonly task: Task;
  /** False where the idempotency key found the task that an earlier call created. */
  readonly created: boolean;
}

export interface RunTask {
  /** At most so many transitions, 1 to 1000; then `max_steps_exhausted`. Unset: the task's step limit. */
  readonly maxSteps?: number;
}
