import { TaskonautError } from "../core/errors.ts";

interface Damage {
  /** The store's location, for people. */
  readonly location: string;
  readonly taskId: string;
  readonly table: string;
  /** What is wrong there. */
  readonly what: string;
  readonly cause?: unknown;
}

/** A row holds something that taskonaut never writes: the file was damaged, or somebody wrote to it by other means. */
export function recordDamaged({ location, taskId, table, what, cause }: Damage): TaskonautError {
  return new TaskonautError(
    "record_damaged",
    `The record of task ${taskId} in ${location} is damaged: table ${table}, ${what}. Restore the database from a backup, or remove the task; other tasks are not affected.`,
    { details: { id: taskId, location, table }, cause },
  );
}

/** The same for a row that belongs to no task. */
export function rowDamaged({
  location,
  row,
  table,
  what,
  cause,
}: Omit<Damage, "taskId"> & { readonly row: string }): TaskonautError {
  return new TaskonautError(
    "record_damaged",
    `${row} in ${location} is damaged: table ${table}, ${what}. Restore the database from a backup, or remove the row; all else is not affected.`,
    { details: { location, table, row }, cause },
  );
}

/** Nothing can be chained to the last entry if that is unknown. Throws record_damaged. */
export function soundHead(head: AuditHead | null | undefined, location: string): AuditHead {
  const what = wrongInHead(head);
  if (head && what === undefined) return head;
  throw rowDamaged({ location, row: "The head of the audit log", table: "audit_head", what: what ?? "it is empty" });
}

/** `cause`: why the next entry cannot be written; by default its number is taken. */
export function headDamaged(location: string, cause?: Error): TaskonautError {
  const what = cause ? `no entry can follow it (${cause.message})` : "its seq is less than that of the last entry";
  return rowDamaged({ location, row: "The head of the audit log", table: "audit_head", what, cause });
}

/** The last entry of the audit log; 0 and an empty hash: there is none. */
interface AuditHead {
  readonly seq: number;
  readonly hash: string;
}

function wrongInHead(head: AuditHead | null | undefined): string | undefined {
  if (!head) return "it is empty";
  if (!Number.isSafeInteger(head.seq) || head.seq < 0) return "its seq is not the number of an entry";
  return typeof head.hash === "string" ? undefined : "its hash is not a text";
}
