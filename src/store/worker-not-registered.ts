import { TaskonautError } from "../core/errors.ts";

/** The worker has no row, so nobody would see it die: it must not hold tasks before it is registered again. */
export function workerNotRegistered(id: string): TaskonautError {
  return new TaskonautError(
    "worker_not_registered",
    `Worker ${id} is not registered: it was away for longer than its lease. It has to be registered again before it takes tasks.`,
    { details: { id } },
  );
}
