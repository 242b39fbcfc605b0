// The locks that show others that a worker lives: for each worker a small SQLite file beside the database, held in an
// exclusive transaction. The lock belongs to the operating system, so it ends with its process, however that ends.
//
// LL1. A process holds the lock of a lock file while it removes the file. So a worker that has the lock, and then still
//      finds the file in its place, has the lock that others will look at.
// LL2. If somebody else has removed the file (a cleanup of old files, for example), it is created again.

import { constants, Database } from "bun:sqlite";
import { existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

import { explainFailure, isLocked } from "./failures.ts";
import { createPrivateFile, ensurePrivateFolder } from "./private-files.ts";

interface Lock {
  readonly database: Database;
  /** The identity of the locked file. */
  readonly inode: number | undefined;
}

export class WorkerLocks {
  readonly #held = new Map<string, Lock | undefined>();

  /** `folder`: undefined for a database in memory, which no other process can reach. */
  constructor(private readonly folder: string | undefined) {}

  holds(id: string): boolean {
    return this.#held.has(id);
  }

  /** Takes the lock of a worker of this process. Throws SQLITE_BUSY if another process has it. */
  take(id: string): void {
    if (this.holds(id)) return;
    if (this.folder === undefined) {
      this.#held.set(id, undefined);
      return;
    }
    this.#held.set(id, this.#lock(this.folder, id));
  }

  /** LL2. Call it while the worker lives. Never throws: it is called again. */
  keep(): void {
    if (this.folder === undefined) return;
    for (const [id, lock] of this.#held) {
      if (!lock || inodeOf(lockPath(this.folder, id)) === lock.inode) continue;
      try {
        this.#held.set(id, this.#lock(this.folder, id));
        lock.database.close();
      } catch {
        // Somebody is just looking at it, or its folder cannot be created.
      }
    }
  }

  /** Frees the lock of a worker of this process and removes its file. */
  free(id: string): void {
    const lock = this.#held.get(id);
    this.#held.delete(id);
    if (lock && this.folder !== undefined) removeLock(lockPath(this.folder, id), lock.database);
  }

  /** The lock of a worker of another process. A free file is removed. */
  look(id: string): "taken" | "free" | "missing" {
    if (this.folder === undefined) return "missing";
    const file = lockPath(this.folder, id);
    try {
      if (!existsSync(file)) return "missing";
      removeLock(file, lockFile(file, "existing"));
      return "free";
    } catch (error) {
      if (isLocked(error)) return "taken";
      // Another process found it free as well, and removed it first.
      if (!existsSync(file)) return "missing";
      throw explainFailure(error, file);
    }
  }

  close(): void {
    for (const id of this.#held.keys()) this.free(id);
  }

  #lock(folder: string, id: string): Lock {
    ensurePrivateFolder(folder);
    const file = lockPath(folder, id);
    let database = lockFile(file, "create");
    for (let tries = 0; !existsSync(file) && tries < TRIES_MAX; tries++) {
      database.close();
      database = lockFile(file, "create");
    }
    return { database, inode: inodeOf(file) };
  }
}

const TRIES_MAX = 10;

function lockPath(folder: string, id: string): string {
  return join(folder, `${id}.lock`);
}

/** LL1. */
function removeLock(file: string, lock: Database): void {
  rmSync(file, { force: true });
  lock.close();
}

function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino;
}

/** Opens the file and locks it; throws SQLITE_BUSY at once if another process has the lock. */
function lockFile(path: string, mode: "create" | "existing"): Database {
  if (mode === "create") createPrivateFile(path);
  const database = new Database(path, constants.SQLITE_OPEN_READWRITE | constants.SQLITE_OPEN_NOFOLLOW);
  try {
    // No journal beside it: nothing is ever written.
    database.run("pragma busy_timeout = 0; pragma journal_mode = memory; begin exclusive");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
