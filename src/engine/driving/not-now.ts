// Reasons why a task is not driven here and now, although nothing has failed.

import { TaskonautError } from "../../core/errors.ts";

/** `who`: what is known about its driver. */
export function busy(id: string, ms: number, who = "another caller drives it"): TaskonautError {
  return new TaskonautError(
    "task_busy",
    `Task ${id} is busy: ${who}, and it did not become free within ${ms / 1000} s. Try again.`,
    { details: { id } },
  );
}

export function leaving(): TaskonautError {
  return new TaskonautError(
    "shutting_down",
    "This process is leaving. What was done so far is recorded; run the task again to go on.",
  );
}

const NOT_NOW: ReadonlySet<string> = new Set([
  "task_busy",
  "task_parked",
  "flow_paused",
  "shutting_down",
  "flow_not_loaded",
]);

/**
 * Somebody else drives the task, it is parked or paused, or this process shuts down: that is not a failure of whatever
 * waits for it.
 */
export function isNotNow(error: unknown): boolean {
  return error instanceof TaskonautError && NOT_NOW.has(error.code);
}
