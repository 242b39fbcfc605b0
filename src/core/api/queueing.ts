import type { CreateTask } from "./create-task.ts";

/** How the creation of a task puts it in the queue. */
export type Queueing = Pick<CreateTask, "start" | "priority" | "expiresIn">;

/** For a task that is to start at this time: one that has passed is now. */
export function startAt(ms: number, now: number): "now" | number {
  return ms <= now ? "now" : ms;
}

/** What was not said is not there. */
export function queueingOf(
  start: CreateTask["start"] | undefined,
  priority: CreateTask["priority"] | undefined,
  expiresIn?: CreateTask["expiresIn"],
): Queueing {
  return {
    ...(start !== undefined && { start }),
    ...(priority !== undefined && { priority }),
    ...(expiresIn !== undefined && { expiresIn }),
  };
}
