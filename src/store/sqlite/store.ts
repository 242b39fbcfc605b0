// The store on an SQLite file: embedded, nothing to install, several processes on one file.

import { realpathSync } from "node:fs";

import type { TellWait } from "../../core/waiting.ts";
import { KeyTurns } from "../key-turns.ts";
import { databaseBehind } from "../migrations.ts";
import { Processes } from "../processes.ts";
import { NO_TURN, type Store } from "../store.ts";
import { admissionStore } from "./admission.ts";
import { auditStore } from "./audit.ts";
import { claimTasks } from "./claim.ts";
import { commitChanges, insertTasks } from "./commit.ts";
import { openConnection } from "./connection.ts";
import { findTasks, glance } from "./find-tasks.ts";
import { noteProgress } from "./progress.ts";
import { pauseStore } from "./pauses.ts";
import { postToTask, readInbox } from "./inbox.ts";
import { limitStore } from "./limits.ts";
import { migrate, readPending } from "./migrate.ts";
import { releaseOrphans, releaseTasks, unparkTasks } from "./queue.ts";
import { listTasks, readTask, readTaskRow } from "./read.ts";
import { countStore } from "./counts.ts";
import { counterStore } from "./counters.ts";
import { figureStore } from "./figures.ts";
import { eventStore } from "./events.ts";
import { removalStore } from "./removal.ts";
import { searchTasks } from "./search.ts";
import { sessionStore } from "./sessions.ts";
import { tokenStore } from "./tokens.ts";
import { scheduleStore } from "./schedules.ts";
import { type AnnouncementWatch, announce, watchAnnouncements } from "./watch.ts";
import { WorkerLocks } from "./worker-locks.ts";
import {
  findDeadWorkers,
  forgetDeadWorkers,
  listWorkers,
  noteCause,
  readWorkerState,
  registerWorker,
  removeWorker,
  renewWorker,
} from "./workers.ts";

export interface SqliteStoreOptions {
  /** A file, created with its folder if it does not exist, or `:memory:`. */
  readonly path: string;
  /** A missing file is not created. Throws `database_not_found`. */
  readonly mustExist?: boolean;
  /** How long a method waits while another process keeps the file locked (S3). Default 10 s, real time. */
  readonly deadlineMs?: number;
  /** The store's clock, milliseconds since 1970. */
  readonly now?: () => number;
  /** Receives the reason why a method waits. */
  readonly tellWait?: TellWait | undefined;
  /** Called after each committed write transaction. */
  readonly onCommit?: () => void;
}

/**
 * Opens the file and migrates it. Throws `database_unavailable` (with the file and what to do), `database_ahead`,
 * `migration_changed`.
 */
export async function openSqliteStore({
  path,
  mustExist = false,
  deadlineMs = 10_000,
  now = Date.now,
  tellWait,
  onCommit,
}: SqliteStoreOptions): Promise<Store> {
  const connection = await openConnection({ path, mustExist, deadlineMs, tellWait, ...(onCommit && { onCommit }) });
  try {
    await migrate(connection, now);
  } catch (error) {
    connection.close();
    throw error;
  }
  // Processes that reach the file by different names use the same locks.
  const folder = path === ":memory:" ? undefined : `${realpathSync(path)}-workers`;
  const locks = new WorkerLocks(folder);
  const keyTurns = new KeyTurns();
  const watches = new Set<AnnouncementWatch>();
  const keep = (): void => {
    locks.keep();
    for (const each of watches) each.keep();
  };
  const signs = { locks, processes: new Processes() };

  return {
    dialect: "sqlite",
    tokens: tokenStore(connection, now),
    location: `sqlite:${path}`,
    schedules: scheduleStore(connection, now),
    now: async () => now(),
    insertTasks: (records) => insertTasks(connection, records, now),
    commitChanges: (changes) => commitChanges(connection, changes, now),
    takeTurn: async () => NO_TURN, // every writer waits for the file
    readInbox: (taskId, query) => readInbox(connection, taskId, query),
    postToTask: (post, audited) => connection.write(() => postToTask(connection, post, now(), audited)),
    postToTasks: (posts) => connection.write(() => posts.map((post) => postToTask(connection, post, now()).kind)),
    readTask: (id, reading) => readTask(connection, id, reading),
    readTaskRow: (id) => readTaskRow(connection, id),
    listTasks: (page) => listTasks(connection, page),
    searchTasks: (page) => searchTasks(connection, page),
    findTasks: (name) => findTasks(connection, name),
    glance: (ids) => glance(connection, ids),
    noteProgress: (workerId, notes) => noteProgress(connection, workerId, notes, now),
    claimTasks: (request) => claimTasks(connection, request, now, keyTurns),
    releaseTasks: (release) => releaseTasks(connection, release, now),
    releaseOrphans: () => releaseOrphans(connection, now),
    unparkTasks: (flows) => unparkTasks(connection, flows, now),
    announce: async () => announce(folder),
    async watch(onNews) {
      const watch = watchAnnouncements(folder, onNews);
      watches.add(watch);
      return {
        kind: watch.kind,
        close() {
          watches.delete(watch);
          return watch.close();
        },
      };
    },
    registerWorker: (worker) => registerWorker(connection, signs, { ...worker, now: now() }),
    noteCause: (id, cause) => noteCause(connection, { id, cause }),
    async renewWorker(id, leaseMs) {
      keep();
      return renewWorker(connection, { id, leaseMs, now: now() });
    },
    removeWorker: (id) => removeWorker(connection, signs, { id, now: now() }),
    readWorkerState: (id) => readWorkerState(connection, signs, { id, now: now() }),
    async findDeadWorkers() {
      keep();
      return findDeadWorkers(connection, signs, now);
    },
    forgetDeadWorkers: () => forgetDeadWorkers(connection, signs, now),
    listWorkers: () => listWorkers(connection, signs, now()),
    removal: removalStore(connection, now),
    limits: limitStore(connection, keyTurns, now),
    audit: auditStore(connection, now),
    sessions: sessionStore(connection, now),
    pauses: pauseStore(connection, now),
    counts: countStore(connection),
    figures: figureStore(connection, now),
    counters: counterStore(connection, now),
    events: eventStore(connection, now),
    admission: admissionStore(connection, now),
    async checkReady() {
      const pending = await readPending(connection);
      if (pending.length > 0) throw databaseBehind(pending);
    },
    async close() {
      locks.close();
      connection.close();
    },
  };
}
