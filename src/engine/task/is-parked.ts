import { TaskonautError } from "../../core/errors.ts";

/** The error for whoever wants to drive a parked task. */
export function isParked(id: string, reason: string): TaskonautError {
  return new TaskonautError("task_parked", `Task ${id} is parked. ${reason}`, { details: { id } });
}
