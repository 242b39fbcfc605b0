import { TaskonautError } from "../core/errors.ts";

interface Damage {
  /** Of the store, for people. */
  readonly location: string;
  readonly taskId: string;
  readonly table: string;
  /** What is wrong there. */
  readonly what: string;
  readonly cause?: unknown;
}

/** A row says what no taskonaut has written: the file was damaged, or somebody wrote to it by other means. */
export function recordDamaged({ location, taskId, table, what, cause }: Damage): TaskonautError {
  return new TaskonautError(
    "record_damaged",
    `The record of task ${taskId} in ${location} is damaged: table ${table}, ${what}. Restore the database from a backup, or remove the task; other tasks are not affected.`,
    { details: { id: taskId, location, table }, cause },
  );
}
