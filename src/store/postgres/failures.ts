// Turns errors of PostgreSQL, postgres.js and the network into errors that tell a person which server, what is wrong
// and what to do. Codes of five characters are the server's:
// https://www.postgresql.org/docs/current/errcodes-appendix.html

import postgres from "postgres";

import { quoteForShell } from "../../core/shell-quote.ts";
import { headDamaged } from "../record-damaged.ts";
import { TaskonautError } from "../../core/errors.ts";
import { TlsError } from "./tls.ts";

const READ_ONLY = "it is read-only. Name the primary server in the database URL";

/** By the start of the server's code; the longest comes first. */
const SERVER_ADVICE: readonly (readonly [code: string, advice: string])[] = [
  ["57P01", "it closed the connection; what was under way may have been written. Try again"],
  ["57P02", "it crashed; what was under way may have been written. Try again"],
  ["57P03", "it is starting up or shutting down. Try again in a moment"],
  ["57014", "it cancelled the statement. Look for a statement_timeout, and try again"],
  ["53300", "it has too many connections. Close some, or raise max_connections"],
  ["53", "it has run out of resources. Look at its disk, its memory and its log"],
  ["3D000", "it has no such database. Create it with `{createdb}`, or name another in the database URL"],
  ["28", "it refuses the login. Check user and password in the database URL"],
  ["42501", "the user lacks a right there. Grant it, or use the user that migrated the database"],
  ["25006", READ_ONLY],
  // a standby cannot even read a table that is not logged
  ["0A000", "it does not offer what is needed, as a standby does not. Name the primary server in the database URL"],
  ["42P07", "something of another program has the name of a table or index of taskonaut. Set TASKONAUT_SCHEMA"],
  ["40", "another transaction was in the way. Try again"],
  ["55P03", "another transaction kept a lock that was needed. Look for one that stays open, and try again"],
  ["08", "the connection was lost. Try again"],
  ["58", "it reports a system error. Look at its log"],
  ["XX", "it reports an internal error. Look at its log"],
];

const SESSION_REFUSED = "it refuses the session. Check the parameters of the database URL, and PGOPTIONS";

/** A call that exceeded its deadline. */
export class DeadlineError extends Error {
  constructor(readonly deadlineMs: number) {
    super(`No answer within ${deadlineMs / 1000} s.`);
  }
}

/** A call whose connection was thrown away because of another call. */
export class DiscardedError extends Error {
  readonly code = "CONNECTION_DESTROYED";

  constructor() {
    super("The connection was thrown away.");
  }
}

/** Whether the connection died during the statement: a new one may work. It is unknown what the statement wrote. */
export function isConnectionLost(error: unknown): boolean {
  return LOST.has(codeOf(error));
}

const LOST = new Set(["CONNECTION_CLOSED", "CONNECTION_DESTROYED", "ECONNRESET", "EPIPE", "57P01", "57P02"]);

/**
 * Whether postgres.js may have closed the connection itself, because the server is not what `target_session_attrs`
 * wants.
 */
export function isDeclined(error: unknown): boolean {
  return codeOf(error) === "CONNECTION_DESTROYED" && !(error instanceof DiscardedError);
}

/** `wanted`: the value of `target_session_attrs`. */
export function serverNotWanted(location: string, wanted: string, cause: unknown): TaskonautError {
  const advice = `no server there is what target_session_attrs=${wanted} asks for. Name another in the database URL, or leave the parameter out`;
  return unavailable(location, advice, cause);
}

/**
 * Whether the connection can take more statements after this error: only if the server refused a statement, and lives
 * on.
 */
export function leavesConnectionUsable(error: unknown): boolean {
  // PgBouncer reports a refused connection as a simple error.
  if (!(error instanceof postgres.PostgresError) || refusedParameter(error) !== undefined) return false;
  return error.severity !== "FATAL" && error.severity !== "PANIC";
}

/** The startup parameter that the server does not know. */
export function refusedParameter(error: unknown): string | undefined {
  if (codeOf(error) !== "08P01" || !(error instanceof Error)) return undefined;
  return /startup parameter: "?(\w+)/.exec(error.message)?.[1];
}

/**
 * A write of tasks that another session's lock kept waiting, as `task_busy`: unlike an outage it concerns one task, and
 * nothing was written. Any other error comes back as it is.
 */
export function explainLocked(error: unknown, { location, lockMs }: { location: string; lockMs: number }): unknown {
  if (!(error instanceof TaskonautError) || codeOf(error.cause) !== "55P03") return error;
  return new TaskonautError(
    "task_busy",
    `The task is locked in the database ${location}: another session did not let it go within ${lockMs / 1000} s, and nothing was written. Look for a transaction that stays open (pg_stat_activity), and try again.`,
    { details: { location }, cause: error },
  );
}

/** A server that takes no writes: a standby, or a read-only server. */
export function databaseReadOnly(location: string): TaskonautError {
  return unavailable(location, READ_ONLY);
}

export function isMissingColumn(error: unknown): boolean {
  return codeOf(error) === "42703";
}

/** A table, column or schema is not there. */
export function isMissingTable(error: unknown): boolean {
  return ["42P01", "42703", "3F000"].includes(codeOf(error));
}

/**
 * `database_unavailable` for a failure of the server or of the way to it, `database_behind` if a table is missing,
 * `internal` if the server refused the statement.
 */
export function explainFailure(error: unknown, location: string): unknown {
  if (error instanceof TaskonautError || !(error instanceof Error)) return error;
  const code = codeOf(error);
  if (isMissingTable(error)) {
    return new TaskonautError(
      "database_behind",
      `The database ${location} lacks tables of taskonaut (${error.message}). It has to be migrated first.`,
      { details: { location, code }, cause: error },
    );
  }
  // data_corrupted, index_corrupted: of the server itself, or of the audit log
  if (code === "XX001" || code === "XX002") {
    return new TaskonautError(
      "record_damaged",
      `The database ${location} is damaged: ${error.message}. Restore it from a backup.`,
      { details: { location, code }, cause: error },
    );
  }
  if (error instanceof postgres.PostgresError) {
    if (isOfAuditHead(error)) return headDamaged(location, error);
    const advice = SERVER_ADVICE.find(([start]) => code.startsWith(start))?.[1];
    if (advice !== undefined) {
      const told = advice.replace("{createdb}", () => createdb(location));
      return unavailable(location, `${told} (${error.message})`, error);
    }
    // the end of a connection was not caused by our statement: usually by its startup settings
    if (!leavesConnectionUsable(error)) return unavailable(location, `${SESSION_REFUSED} (${error.message})`, error);
    const message = `The database ${location} refused a statement: ${error.message}.`;
    return new TaskonautError("internal", message, { details: { location, code }, cause: error });
  }
  if (error instanceof DeadlineError) {
    const seconds = error.deadlineMs / 1000;
    return unavailable(
      location,
      `it did not answer within ${seconds} s; what was under way may have been written`,
      error,
    );
  }
  if (isConnectionLost(error)) {
    return unavailable(location, "the connection was lost; what was under way may have been written. Try again", error);
  }
  if (error instanceof TlsError) return unavailable(location, error.message, error);
  // The driver's other errors have a code: the network's, or its own about its configuration.
  if (code === "") return error;
  return unavailable(location, `${error.message}. Check that the server runs, and the database URL`, error);
}

/** The command that creates the database of this location, through the database that every server has. */
function createdb(location: string): string {
  const url = URL.parse(location);
  if (!url) return "createdb";
  const name = decodeURIComponent(url.pathname.slice(1));
  url.pathname = "/postgres";
  return `createdb --maintenance-db=${quoteForShell(url.href)} ${quoteForShell(name)}`;
}

function unavailable(location: string, advice: string, cause?: unknown): TaskonautError {
  return new TaskonautError("database_unavailable", `The database ${location} cannot be used: ${advice}.`, {
    details: { location },
    cause,
  });
}

export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** An entry that follows from a damaged head is refused by the table, or cannot be computed. */
function isOfAuditHead({ code, table_name: table, where = "" }: postgres.PostgresError): boolean {
  return (
    (code.startsWith("23") && table === "audit_log") || (code.startsWith("22") && where.includes("seal_audit_entry"))
  );
}
