// An entry of the audit log as it is stored, column by column, the same in both stores, and the text that is hashed.

/** By which way something was done: a command on the database, a request with a token, the dashboard, or a worker's own duty. */
export const WAYS = ["cli", "http", "dashboard", "worker"] as const;
export type Way = (typeof WAYS)[number];

/** What is done, as the command is called that does it. */
export const AUDIT_ACTIONS = [
  "cancel-task",
  "cancel-tasks",
  "delete-tasks",
  "fork-task",
  "limits reset",
  "limits set",
  "log in",
  "log out",
  "pause",
  "purge",
  "remove-entries",
  "resolve",
  "resume-task",
  "resume-tasks",
  "retry-task",
  "retry-tasks",
  "schedules add",
  "schedules backfill",
  "schedules pause",
  "schedules remove",
  "schedules resume",
  "schedules trigger",
  "signal-task",
  "signal-tasks",
  "tokens create",
  "tokens revoke",
  "tokens rotate",
  "unpause",
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** What something is done to. `tasks`: many at once. */
export const TARGET_KINDS = [
  "task",
  "tasks",
  "flow",
  "tool",
  "all",
  "limit",
  "schedule",
  "token",
  "session",
  "log",
] as const;
export type TargetKind = (typeof TARGET_KINDS)[number];

/** Who acts, and why. */
interface ActorRow {
  /** For people: the name of the token, or user and host. */
  readonly who: string;
  /** Null: no token was shown. */
  readonly token_id: string | null;
  readonly role: string;
  readonly way: Way;
  readonly reason: string | null;
  readonly request_id: string | null;
  /** Where the request came from. */
  readonly address: string | null;
}

/** What is to be written; the rest the store gives it. */
export interface AuditDraft extends ActorRow {
  /** As the command is called that does it: `cancel-task`, `limits set`. */
  readonly action: string;
  readonly target_kind: TargetKind;
  readonly target: string;
  /** JSON texts of what has changed. Null: there was nothing before; nothing is left. */
  readonly state_before: string | null;
  readonly state_after: string | null;
}

export interface AuditRow extends AuditDraft {
  /** 1, 2, 3 … without a gap. */
  readonly seq: number;
  /** In store time, milliseconds. */
  readonly at: number;
  /** Of the entry before; empty for the first one. */
  readonly previous_hash: string;
  /** SHA-256 of the canonical text, hexadecimal. */
  readonly hash: string;
}

/** What tells in the log that its oldest entries were removed because a setting says so. */
export const REMOVAL = { action: "remove-entries", target_kind: "log", target: "audit-log" } as const;

/** The `state_after` of such an entry. */
export interface RemovedEntries {
  /** The last entry that was to go, with all before it. */
  readonly through: number;
  /** Of that entry: what is kept is chained to it. */
  readonly hash: string;
  /** They were from before then, milliseconds since 1970. */
  readonly until: number;
  readonly kept_ms: number;
}

/** Undefined: the entry tells of something else. */
export function readRemoval({
  action,
  way,
  target_kind,
  state_after,
}: Pick<AuditDraft, "action" | "way" | "target_kind" | "state_after">): RemovedEntries | undefined {
  if (action !== REMOVAL.action || target_kind !== REMOVAL.target_kind || way !== "worker") return undefined;
  return state_after === null ? undefined : (JSON.parse(state_after) as RemovedEntries);
}

/** Characters of a reason at most. */
export const REASON_MAX = 1000;

/**
 * The text whose SHA-256 is the entry's hash: each field as `<bytes>:<text>;`, a null as `-;`, so that no two entries have
 * the same. `seal_audit_entry` of the PostgreSQL schema writes the same.
 */
export function canonicalEntry(row: Omit<AuditRow, "hash">): string {
  const fields = [
    String(row.seq),
    String(row.at),
    row.who,
    row.token_id,
    row.role,
    row.way,
    row.action,
    row.target_kind,
    row.target,
    row.reason,
    row.request_id,
    row.address,
    row.state_before,
    row.state_after,
    row.previous_hash,
  ];
  return fields.map((field) => (field === null ? "-;" : `${utf8Bytes(field)}:${field};`)).join("");
}

function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
