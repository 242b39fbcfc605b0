// Copies the file while others write to it: SQLite makes the copy within one read transaction, so that it is the
// database at one moment, including its `-wal`. Other ways of copying would miss that, or tear a page.

import { Database, SQLiteError } from "bun:sqlite";
import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";

import type { Backup } from "../../core/api/backup.ts";
import type { TellWait } from "../../core/waiting.ts";
import { TaskonautError } from "../../core/errors.ts";
import { messageOf } from "../../core/record/stored-error.ts";
import { openConnection, untilUnlocked } from "./connection.ts";
import { databaseNotFound } from "./failures.ts";
import { createPrivateFile } from "./private-files.ts";

interface BackUp {
  readonly path: string;
  /** Absolute; nothing exists there yet. It appears when it is complete. */
  readonly file: string;
  /** How long to wait for a locked file. */
  readonly deadlineMs?: number;
  readonly tellWait?: TellWait | undefined;
}

/**
 * Throws `usage` for a file that exists already or cannot be created, `database_not_found`, `database_unavailable`,
 * `database_foreign`.
 */
export async function backUpSqlite({ path, file, deadlineMs = 10_000, tellWait }: BackUp): Promise<Backup> {
  if (!existsSync(path)) throw databaseNotFound(path);
  if (existsSync(file)) throw exists(file);
  const unfinished = `${file}.unfinished-${process.pid}`;
  create(unfinished);
  try {
    const connection = await openConnection({ path, deadlineMs, tellWait });
    try {
      await untilUnlocked(connection, () => connection.prepare("vacuum into ?").run(unfinished));
    } catch (error) {
      throw explainCopying(error);
    } finally {
      connection.close();
    }
    const tasks = countTasks(unfinished);
    flush(unfinished);
    putInPlace(unfinished, file);
    flush(dirname(file));
    return { from: `sqlite:${path}`, file, bytes: statSync(file).size, tasks };
  } finally {
    for (const suffix of ["", "-journal"]) rmSync(unfinished + suffix, { force: true });
  }
}

function create(file: string): void {
  try {
    createPrivateFile(file);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw cannotBeWritten(`${reason}). Name a file in a folder that is there.`, cause);
  }
}

function cannotBeWritten(why: string, cause: unknown): TaskonautError {
  return new TaskonautError("usage", `The backup cannot be written (${why}`, { cause });
}

/** The database is only read, so what could not be written is the copy. */
function explainCopying(error: unknown): unknown {
  const cause = error instanceof TaskonautError ? error.cause : error;
  const code = cause instanceof SQLiteError ? (cause.code ?? "") : "";
  if (code === "SQLITE_FULL")
    return cannotBeWritten("the disk is full). Free some space, or name a file elsewhere.", cause);
  if (/^SQLITE_IOERR_(WRITE|FSYNC|DIR_FSYNC|TRUNCATE)/.test(code))
    return cannotBeWritten(`${messageOf(cause)}). Name a file elsewhere.`, cause);
  return error;
}

/** For the copy: so it was opened once. */
function countTasks(file: string): number {
  const copy = new Database(file, { readonly: true });
  try {
    return copy.query<{ count: number }, []>("select count(*) as count from tasks").get()?.count ?? 0;
  } finally {
    copy.close();
  }
}

/** Never replaces another file, even one that was created meanwhile. */
function putInPlace(unfinished: string, file: string): void {
  try {
    linkSync(unfinished, file);
  } catch {
    if (existsSync(file)) throw exists(file);
    renameSync(unfinished, file); // a file system without links
  }
}

function flush(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function exists(file: string): TaskonautError {
  return new TaskonautError("usage", `${file} is there already, and is left as it is. Name another file.`, {
    details: { file },
  });
}
