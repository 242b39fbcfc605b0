// Turns errors of SQLite and the file system into errors that tell a person which file, what is wrong and what to do.

import { SQLiteError } from "bun:sqlite";
import { readlinkSync, statSync } from "node:fs";

import { quoteForShell } from "../../core/shell-quote.ts";
import { TaskonautError } from "../../core/errors.ts";

const CANNOT_OPEN = "it cannot be opened. Name a file (not a folder) in a folder that this user may write to";

/** By the start of the result code's name: extended codes (`SQLITE_IOERR_FSYNC`) count as their first part. */
const ADVICE: readonly (readonly [code: string, advice: string])[] = [
  ["SQLITE_NOTADB", "it is not an SQLite database. Name another file, or move this one away"],
  [
    "SQLITE_CORRUPT",
    "it is damaged. Restore it from a backup, or save what can be read with `sqlite3 {file} .recover`",
  ],
  ["SQLITE_READONLY", "it cannot be written. Give this user the right to write the file and its folder"],
  ["SQLITE_CANTOPEN", CANNOT_OPEN],
  ["SQLITE_PERM", "this user may not open it. Give this user the right to write the file and its folder"],
  ["SQLITE_FULL", "the disk is full. Free some space"],
  ["SQLITE_IOERR", "the disk reports an error. Look at the system's log, the free space and the mount of its folder"],
  ["SQLITE_NOMEM", "there is too little memory"],
];

/** Whether another connection holds a lock that this one needs: the same may succeed a moment later. */
export function isLocked(error: unknown): boolean {
  return error instanceof SQLiteError && /^SQLITE_(BUSY|LOCKED)/.test(error.code ?? "");
}

/** Whether the part of the file that was read is damaged: other parts may be sound. */
export function isCorrupt(error: unknown): boolean {
  const cause = error instanceof TaskonautError ? error.cause : error;
  return cause instanceof SQLiteError && (cause.code ?? "").startsWith("SQLITE_CORRUPT");
}

export function databaseNotFound(path: string): TaskonautError {
  return new TaskonautError("database_not_found", `There is no database at ${path}.`, { details: { path } });
}

export function databaseLocked(cause: unknown, waited: { path: string; deadlineMs: number }): TaskonautError {
  return unavailable(
    waited.path,
    `another process kept it locked for ${waited.deadlineMs / 1000} s. Look for a program that holds a transaction open on it, and try again`,
    cause,
  );
}

/** `database_unavailable` for a failure of the file, `internal` if SQLite refused the statement. */
export function explainFailure(error: unknown, path: string): unknown {
  if (error instanceof SQLiteError) {
    const code = error.code ?? "";
    const known = adviceOf(code);
    const advice = known && (noFileAt(path) ?? known);
    if (advice !== undefined)
      return unavailable(
        path,
        advice.replace("{file}", () => quoteForShell(path)),
        error,
      );
    if (/^no such (table|column|index)/.test(error.message)) {
      const lacks = `it lacks what taskonaut made in it (${error.message}). Another program has changed it: restore it from a backup`;
      return unavailable(path, lacks, error);
    }
    return new TaskonautError("internal", `The database refused a statement: ${error.message}.`, {
      details: { path, code },
      cause: error,
    });
  }
  if (isFileError(error)) {
    return unavailable(path, `its folder cannot be created (${error.message}). Name another place`, error);
  }
  return error;
}

function adviceOf(code: string): string | undefined {
  return ADVICE.find(([start]) => code.startsWith(start))?.[1];
}

/**
 * Something that is not a file exists at the path. SQLite would say that it cannot be opened, or that the disk has an
 * error.
 */
function noFileAt(path: string): string | undefined {
  const found = attempt(() => statSync(path));
  if (found?.isFile()) return undefined;
  const other = "Name a file, or a path at which there is nothing yet";
  if (found) return `it is ${found.isDirectory() ? "a folder" : "not a regular file"}. ${other}`;
  const link = attempt(() => readlinkSync(path));
  return link === undefined ? undefined : `it is a link to ${link}, which is not there. ${other}`;
}

function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/** The file system's error for a folder in which nothing can be created. */
const FORBIDDEN: ReadonlySet<unknown> = new Set(["EACCES", "EPERM", "EROFS", "ENOTDIR"]);

/**
 * Like `explainFailure`, for something that could not be created beside the file: SQLite would say the same about the
 * file.
 */
export function explainFolderFailure(error: unknown, path: string): unknown {
  const isForbidden = isFileError(error) && FORBIDDEN.has(error.code);
  return isForbidden ? unavailable(path, CANNOT_OPEN, error) : explainFailure(error, path);
}

function unavailable(path: string, advice: string, cause: unknown): TaskonautError {
  return new TaskonautError("database_unavailable", `The database ${path} cannot be used: ${advice}.`, {
    details: { path },
    cause,
  });
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && "code" in error;
}
