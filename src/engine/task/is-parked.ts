import { TaskonautError } from "../../core/errors.ts";

/** What whoever wants to drive a parked task is told. */
export function isParked(id: string, reason: string): TaskonautError {
  return new TaskonautError("task_parked", `Task ${id} is parked. ${reason}`, { details: { id } });
}
