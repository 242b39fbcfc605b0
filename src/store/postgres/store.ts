// The store on PostgreSQL: any number of processes on one database.

import type { TellWait } from "../../core/waiting.ts";
import { KeyTurns } from "../key-turns.ts";
import { Processes } from "../processes.ts";
import { NO_TURN, type Store } from "../store.ts";
import { admissionStore } from "./admission.ts";
import { claimTasks } from "./claim.ts";
import { auditStore } from "./audit.ts";
import { commitChanges, insertTasks } from "./commit.ts";
import { PostgresClient } from "./connection.ts";
import { postToTask, postToTasks, readInbox } from "./inbox.ts";
import { findTasks, glance } from "./find-tasks.ts";
import { noteProgress } from "./progress.ts";
import { Frontier } from "./frontier.ts";
import { explainLocked } from "./failures.ts";
import { Lifeline } from "./lifeline.ts";
import { limitStore } from "./limits.ts";
import { checkMigrated, checkReady } from "./migrate.ts";
import { pauseStore } from "./pauses.ts";
import { releaseOrphans, releaseTasks, unparkTasks } from "./queue.ts";
import { listTasks, readTask, readTaskRow } from "./read.ts";
import { countStore } from "./counts.ts";
import { counterStore } from "./counters.ts";
import { figureStore } from "./figures.ts";
import { eventStore } from "./events.ts";
import { removalStore } from "./removal.ts";
import { scheduleStore } from "./schedules.ts";
import { milliseconds, quoteSchema } from "./schema.ts";
import { searchTasks } from "./search.ts";
import { sessionStore } from "./sessions.ts";
import { tokenStore } from "./tokens.ts";
import { Turns } from "./turns.ts";
import { announce } from "./watch.ts";
import { deleteWorker, forgetDeadWorkers, listWorkers, readWorkerState } from "./workers.ts";

/** A worker has its heartbeat's connection and three more. One that is unused for this long is closed. */
const IDLE_MS = 5000;

/** How long a write waits for another session's lock: all writes of the process wait behind it. */
const LOCK_MS = 1500;

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:5432/database`. */
  readonly url: string;
  /** The schema that holds all tables. */
  readonly schema?: string;
  /** The deadline of each call, including connecting (S3). Default 10 s. */
  readonly deadlineMs?: number;
  /** Receives the reason why a method waits. */
  readonly tellWait?: TellWait | undefined;
  /** For a worker, which needs connections as well: one is left for large reads, and none for turns. */
  readonly works?: boolean;
}

/**
 * Opens the store; it connects with the first query, and refuses a database that is not migrated (`database_behind`,
 * `database_ahead`, `migration_changed`). Throws `usage` for a malformed name or URL.
 */
export async function openPostgresStore({
  url,
  schema: schemaName = "taskonaut",
  deadlineMs = 10_000,
  works = false,
  tellWait,
}: PostgresStoreOptions): Promise<Store> {
  const schema = quoteSchema(schemaName);
  const all = { url, deadlineMs, idleMs: IDLE_MS, tellWait };
  // Writes have a connection of their own, so that no long read delays a commit or a worker's short queries. So do
  // claims, so that the next tasks are fetched while the last ones are written.
  const reader = new PostgresClient({ ...all, connectionsMax: works ? 1 : 2 });
  const writer = new PostgresClient({ ...all, connectionsMax: 1, lockMs: LOCK_MS });
  const claimer = new PostgresClient({ ...all, connectionsMax: 1, lockMs: LOCK_MS });
  const lifeline = new Lifeline({ url, deadlineMs }, schema, writer);
  const turns = works ? undefined : new Turns(all, schema);
  const processes = new Processes();
  const frontier = new Frontier(() => performance.now());
  const keyTurns = new KeyTurns();
  const migrated = once((client: PostgresClient) => checkMigrated(client, schema));

  async function read<Result>(use: (client: PostgresClient) => Promise<Result>): Promise<Result> {
    await migrated(reader);
    return use(reader);
  }

  async function write<Result>(use: (client: PostgresClient) => Promise<Result>): Promise<Result> {
    await migrated(writer);
    return use(writer);
  }

  async function signOfLife<Result>(use: (line: Lifeline) => Promise<Result>): Promise<Result> {
    await migrated(writer);
    return use(lifeline);
  }

  async function writeTasks<Result>(use: (client: PostgresClient) => Promise<Result>): Promise<Result> {
    try {
      return await write(use);
    } catch (error) {
      throw explainLocked(error, { location: writer.location, lockMs: LOCK_MS });
    }
  }

  async function grant<Result>(use: (client: PostgresClient) => Promise<Result>): Promise<Result> {
    await migrated(claimer);
    return use(claimer);
  }

  return {
    dialect: "postgres",
    tokens: tokenStore(schema, { read, write }),
    location: reader.location,
    schedules: scheduleStore(schema, {
      read,
      write,
      look: async (use) => {
        await migrated(claimer);
        return use(claimer);
      },
    }),
    async now() {
      const [row] = await writer.read<{ now: number }>(`select ${milliseconds("clock_timestamp()")} as now`);
      if (!row) throw new Error("The server told no time.");
      return row.now;
    },
    insertTasks: (records) => writeTasks((client) => insertTasks(client, schema, records)),
    commitChanges: (changes) => writeTasks((client) => commitChanges(client, schema, changes)),
    takeTurn: async (taskId) => (await turns?.take(taskId)) ?? NO_TURN,
    readInbox: (taskId, query) => write((client) => readInbox(client, schema, taskId, query)),
    postToTask: (post, audited) => writeTasks((client) => postToTask(client, schema, post, audited)),
    postToTasks: (posts) => writeTasks((client) => postToTasks(client, schema, posts)),
    readTask: (id, reading) => read((client) => readTask(client, schema, id, reading)),
    readTaskRow: (id) => read((client) => readTaskRow(client, schema, id)),
    listTasks: (page) => read((client) => listTasks(client, schema, page)),
    searchTasks: (page) => read((client) => searchTasks(client, schema, page)),
    findTasks: (name) => read((client) => findTasks(client, schema, name)),
    noteProgress: (workerId, notes) => write((client) => noteProgress(client, schema, { workerId, notes })),
    glance: (ids) => read((client) => glance(client, schema, ids)),
    async claimTasks(request) {
      await migrated(claimer);
      return frontier.through(request, (places) => claimTasks(claimer, schema, request, { places, turns: keyTurns }));
    },
    async releaseTasks(release) {
      const released = await writeTasks((client) => releaseTasks(client, schema, release));
      frontier.reset();
      return released;
    },
    async releaseOrphans() {
      const released = await writeTasks((client) => releaseOrphans(client, schema));
      if (released > 0) frontier.reset();
      return released;
    },
    unparkTasks: (flows) => writeTasks((client) => unparkTasks(client, schema, flows)),
    announce: () => write((client) => announce(client, schema)),
    watch: (onNews) => signOfLife((line) => line.watch(onNews)),
    registerWorker: (worker) => signOfLife((line) => line.register(worker)),
    noteCause: (id, cause) => signOfLife((line) => line.noteCause(id, cause)),
    renewWorker: (id, leaseMs) => signOfLife((line) => line.renew({ id, leaseMs })),
    async removeWorker(id) {
      await write((client) => deleteWorker(client, schema, id));
      await lifeline.release(id);
    },
    readWorkerState: (id) => read((client) => readWorkerState(client, schema, processes, id)),
    findDeadWorkers: () => signOfLife((line) => line.findDead()),
    forgetDeadWorkers: () => write((client) => forgetDeadWorkers(client, schema)),
    listWorkers: () => read((client) => listWorkers(client, schema, processes)),
    removal: removalStore(read, schema),
    limits: limitStore({ schema, turns: keyTurns, read, write: writeTasks, grant, onWoken: () => frontier.reset() }),
    pauses: pauseStore({ read, write }, schema),
    audit: auditStore(schema, read),
    sessions: sessionStore(schema, { read, write }),
    counts: countStore(read, write, schema),
    figures: figureStore(read, schema),
    counters: counterStore({ read, write }, schema),
    events: eventStore(read, schema),
    admission: admissionStore(read, schema),
    checkReady: () => checkReady(writer, schema),
    async close() {
      await Promise.all([lifeline.close(), reader.close(), writer.close(), claimer.close(), turns?.close()]);
    },
  };
}

/** Runs `check` until it has succeeded once; concurrent callers share one run. */
function once<Argument>(check: (argument: Argument) => Promise<unknown>): (argument: Argument) => Promise<unknown> {
  let running: Promise<unknown> | undefined;
  return (argument) => {
    running ??= check(argument).catch((error: unknown) => {
      running = undefined;
      throw error;
    });
    return running;
  };
}
