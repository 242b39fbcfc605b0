// One connection to one SQLite file.
//
// LC1. Nothing here blocks the event loop while another process holds a lock: `busy_timeout` is 0, and an operation
//      that found the file locked is repeated as a whole, after an asynchronous pause, until the deadline.
// LC2. The body of a transaction is synchronous, so nothing else of this process comes between its statements. It may
//      run several times (LC1), so it changes nothing but the database.
// LC3. Data that is read or acknowledged is in the file at the path, not in a file that was removed from there.
// LC4. A transaction costs as much as the rows of about ten tasks. Work that is not urgent can join another transaction
//      (`joinWrite`).
// LC5. A statement is planned once, whatever its parameters. SQLite looks at the value of a bare parameter, in a limit
//      or where rows have an order, and plans the whole statement again each time it is bound: measured, 20 to 40 µs
//      instead of 1. It does not look behind a sign.

import { Database, type SQLQueryBindings, type Statement } from "bun:sqlite";
import { existsSync, lstatSync, mkdirSync, readlinkSync, statSync } from "node:fs";
import { dirname, resolve as toAbsolute } from "node:path";

import { type Backoff, nextWait } from "../../core/backoff.ts";
import { hasCode, TaskonautError } from "../../core/errors.ts";
import { type TellWait, WONDERS_MS } from "../../core/waiting.ts";
import { OpenedFile } from "./opened-file.ts";
import { databaseLocked, databaseNotFound, explainFailure, isLocked } from "./failures.ts";
import { refuseForeign } from "./foreign.ts";
import { createPrivateFile } from "./private-files.ts";

export interface SqliteConnection {
  readonly path: string;
  /** How long to wait for a locked file; then `database_unavailable`. */
  readonly deadlineMs: number;
  /** Called when the file is locked. */
  readonly tellWait: TellWait | undefined;
  /** The prepared statement of a constant text; prepared only once. */
  prepare<Row>(text: string): Statement<Row, SQLQueryBindings[]>;
  /** Runs several statements without parameters; only within a transaction. */
  execute(script: string): void;
  /** Runs `body` in one snapshot. */
  read<Result>(body: () => Result): Promise<Result>;
  /** Runs `body` in a write transaction and commits it: all of it is durable, or none of it happened. */
  write<Result>(body: () => Result): Promise<Result>;
  /** The same without checks of foreign keys: `body` itself makes sure that no dependent row is left behind. */
  writeUnlinked<Result>(body: () => Result): Promise<Result>;
  /**
   * Like `write`, but waits for no disk: after a power cut it may not have happened, unless somebody else has written
   * since.
   */
  writeLightly<Result>(body: () => Result): Promise<Result>;
  /**
   * Runs `body` after the next write of this turn of the event loop or the next, in its transaction. Undefined if there
   * was no such write, or if the two could not be written together: then nothing of `body` has happened. Throws
   * `database_unavailable` if that write does.
   */
  joinWrite<Result>(body: () => Result): Promise<{ readonly result: Result } | undefined>;
  /** Harmless when repeated. */
  close(): void;
}

/** A row as the parameters of a statement that names its columns. */
export function parametersOf(row: object): SQLQueryBindings {
  return row as SQLQueryBindings;
}

export interface ConnectionOptions {
  readonly path: string;
  /** A missing file is not created. */
  readonly mustExist?: boolean;
  /** How long to wait for a locked file; then `database_unavailable`. */
  readonly deadlineMs: number;
  /** Called when the file is locked. */
  readonly tellWait?: TellWait | undefined;
  /** Called after each committed write transaction. */
  readonly onCommit?: () => void;
}

/**
 * Opens the file, or creates it (0600) with its folder (0700) if it does not exist. Throws `database_unavailable`, and
 * `database_not_found` if it must exist.
 */
export async function openConnection(options: ConnectionOptions): Promise<SqliteConnection> {
  const { deadlineMs, tellWait } = options;
  const isInMemory = options.path === ":memory:";
  const path = isInMemory ? options.path : toAbsolute(options.path);
  if (options.mustExist && !isInMemory && !isThere(path)) throw databaseNotFound(path);
  const database = await untilUnlocked({ path, deadlineMs, tellWait }, () => openConfigured(path));
  return new Connection(database, { ...options, path }, isInMemory ? undefined : new OpenedFile(path));
}

/** SQLite gives the better error for a path that cannot be read (its folder is closed, or not a folder). */
function isThere(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ENOENT");
  }
}

/** What waits for a write to join. */
interface Joiner {
  readonly body: () => unknown;
  readonly resolve: (joined: { readonly result: unknown } | undefined) => void;
  readonly reject: (error: unknown) => void;
}

class Connection implements SqliteConnection {
  readonly path: string;
  readonly deadlineMs: number;
  readonly tellWait: TellWait | undefined;
  readonly #onCommit: (() => void) | undefined;
  readonly #statements = new Map<string, Statement>();
  #joiners: Joiner[] = [];
  #endOfTurn: NodeJS.Immediate | undefined;
  #closed = false;

  constructor(
    private readonly database: Database,
    { path, deadlineMs, tellWait, onCommit }: ConnectionOptions,
    /** Undefined for a database in memory. */
    private readonly file: OpenedFile | undefined,
  ) {
    this.path = path;
    this.deadlineMs = deadlineMs;
    this.tellWait = tellWait;
    this.#onCommit = onCommit;
  }

  prepare<Row>(text: string): Statement<Row, SQLQueryBindings[]> {
    // `database.query` has a cache of its own, but of 20 statements only.
    let statement = this.#statements.get(text);
    if (!statement) {
      statement = this.database.prepare(hideValues(text));
      this.#statements.set(text, statement);
    }
    return statement as Statement<Row, SQLQueryBindings[]>;
  }

  execute(script: string): void {
    this.database.run(script);
  }

  read<Result>(body: () => Result): Promise<Result> {
    return untilUnlocked(this, () => this.#inTransaction("begin", body));
  }

  write<Result>(body: () => Result): Promise<Result> {
    const joiners = this.#takeJoiners();
    return joiners.length === 0 ? this.#writeAlone(body) : this.#writeTogether(body, joiners);
  }

  writeUnlinked<Result>(body: () => Result): Promise<Result> {
    return untilUnlocked(this, () => {
      // it has no effect within a transaction, and no other begins before this one is over (LC2)
      this.prepare("pragma foreign_keys = off").run();
      try {
        const result = this.#inTransaction("begin immediate", body);
        this.#onCommit?.();
        return result;
      } finally {
        this.prepare("pragma foreign_keys = on").run();
      }
    });
  }

  writeLightly<Result>(body: () => Result): Promise<Result> {
    return untilUnlocked(this, () => {
      // it has no effect within a transaction, and no other begins before this one is over (LC2)
      this.prepare("pragma synchronous = normal").run();
      try {
        const result = this.#inTransaction("begin immediate", body);
        this.#onCommit?.();
        return result;
      } finally {
        this.prepare("pragma synchronous = full").run();
      }
    });
  }

  joinWrite<Result>(body: () => Result): Promise<{ readonly result: Result } | undefined> {
    return new Promise((resolve, reject) => {
      this.#joiners.push({ body, resolve: resolve as Joiner["resolve"], reject });
      // one more turn: a writer that gives the event loop a turn is about to write
      this.#endOfTurn ??= setImmediate(() => {
        this.#endOfTurn = setImmediate(() => leaveOut(this.#takeJoiners()));
      });
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // Closing it would write its log back into the file, over the writes of others: it is left as it is.
    if (this.file?.hasLostLog) return;
    for (const statement of this.#statements.values()) statement.finalize();
    this.#statements.clear();
    this.database.close();
  }

  #writeAlone<Result>(body: () => Result): Promise<Result> {
    return untilUnlocked(this, () => {
      const result = this.#inTransaction("begin immediate", body);
      this.#onCommit?.();
      return result;
    });
  }

  async #writeTogether<Result>(body: () => Result, joiners: readonly Joiner[]): Promise<Result> {
    let isMade = false;
    try {
      const { result, joined } = await this.#writeAlone(() => {
        isMade = false;
        const made = body();
        isMade = true;
        return { result: made, joined: joiners.map((joiner) => joiner.body()) };
      });
      joiners.forEach((joiner, index) => joiner.resolve({ result: joined[index] }));
      return result;
    } catch (error) {
      // a write that has waited for a lock does not wait as long again
      if (!isMade && hasCode(error, "database_unavailable")) for (const { reject } of joiners) reject(error);
      else leaveOut(joiners);
      if (!isMade) throw error;
      return this.#writeAlone(body); // a joined body may be the cause
    }
  }

  #takeJoiners(): readonly Joiner[] {
    const joiners = this.#joiners;
    clearImmediate(this.#endOfTurn);
    this.#endOfTurn = undefined;
    this.#joiners = [];
    return joiners;
  }

  #inTransaction<Result>(begin: string, body: () => Result): Result {
    if (this.#closed) throw new TaskonautError("shutting_down", `The store sqlite:${this.path} is closed.`);
    this.file?.assertInPlace();
    this.prepare(begin).run();
    let result: Result;
    try {
      result = body();
      this.prepare("commit").run();
    } catch (error) {
      // Some failures (a full disk, for one) have rolled it back already.
      if (this.database.inTransaction) this.prepare("rollback").run();
      throw error;
    }
    this.file?.assertInPlace(); // LC3
    this.file?.noteLog();
    return result;
  }
}

/** LC5. `+$name` is `$name`, but SQLite does not plan with it. */
function hideValues(text: string): string {
  return text.replaceAll(/\$(?=[a-z])/gi, "+$$");
}

function leaveOut(joiners: readonly Joiner[]): void {
  for (const { resolve } of joiners) resolve(undefined);
}

function openConfigured(path: string): Database {
  const database = openCreating(path);
  try {
    database.run("pragma busy_timeout = 0");
    refuseForeign(database, path); // before anything is changed in it
    // WAL mode is stored in the file: if it is set already, this only reads. fullfsync: on macOS an fsync alone does
    // not reach the disk; elsewhere it changes nothing.
    database.run("pragma journal_mode = wal; pragma synchronous = full;");
    database.run("pragma fullfsync = on; pragma foreign_keys = on;");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** A test may replace `makeFolder`. */
export function openCreating(path: string, makeFolder: typeof mkdirSync = mkdirSync): Database {
  if (path !== ":memory:" && !existsSync(path)) {
    // Also if the folder exists by now: another process may have created it since.
    makeFolder(dirname(path), { recursive: true, mode: 0o700 });
    try {
      createPrivateFile(endOfLinks(path));
    } catch {
      // SQLite gives the better error
    }
  }
  // It may create the file: otherwise, a file that another process is just creating is opened only for reading.
  return new Database(path, { create: true, readwrite: true, strict: true });
}

/** The target of a link to a file that does not exist yet; a path that is not a link, as it is. */
function endOfLinks(path: string): string {
  let end = path;
  for (let links = 0; links < LINKS_MAX; links++) {
    const isLink = lstatSync(end, { throwIfNoEntry: false })?.isSymbolicLink() === true;
    if (!isLink) break;
    end = toAbsolute(dirname(end), readlinkSync(end));
  }
  return end;
}

/** More than any file system follows. */
const LINKS_MAX = 40;

/** LC1. Returns what `operation` returns; explains its errors. */
export async function untilUnlocked<Result>(
  {
    path,
    deadlineMs,
    tellWait,
  }: { readonly path: string; readonly deadlineMs: number; readonly tellWait?: TellWait | undefined },
  operation: () => Result,
): Promise<Result> {
  const start = performance.now();
  let isTold = false;
  for (let waitMs = nextWait(LOCKED); ; waitMs = nextWait(LOCKED, waitMs)) {
    try {
      return operation();
    } catch (error) {
      if (!isLocked(error)) throw explainFailure(error, path);
      const waitedMs = performance.now() - start;
      if (waitedMs >= deadlineMs) throw databaseLocked(error, { path, deadlineMs });
      if (!isTold && waitedMs >= WONDERS_MS) {
        isTold = true;
        tellWait?.(`the database ${path}, which another process keeps locked (at most ${deadlineMs / 1000} s)`);
      }
    }
    // Jitter, so that processes that met once do not meet again at every try.
    await Bun.sleep(waitMs * (0.5 + Math.random()));
  }
}

const LOCKED: Backoff = { minMs: 1, maxMs: 32 };
