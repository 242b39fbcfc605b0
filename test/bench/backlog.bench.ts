// How fast one worker drains a queue, whatever else is in the tables: a large backlog, tasks that sleep, many flows, and a
// transaction that keeps vacuum away. Tables are analyzed. On the PostgreSQL of `TEST_DATABASE_URL`, where that is set.

import { Database } from "bun:sqlite";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import type { OwnLimits } from "../../src/core/flow/own-limits.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import { SILENT } from "../../src/core/log.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { systemClock } from "../../src/engine/process/system-clock.ts";
import { echoAdd } from "../../src/flows/echo-add.ts";
import { openPostgresMigrator } from "../../src/store/postgres/migrate.ts";
import { openPostgresStore } from "../../src/store/postgres/store.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import type { Store } from "../../src/store/store.ts";
import { testDatabase } from "../support/postgres.ts";
import type { Bench, Row } from "./bench.ts";
import { backlogScript, type Backlog } from "./backlog.ts";

/** What is drained of a larger backlog. */
const DRAINED_MAX = 100_000;
/** A measure is over by then. */
const MEASURE_MS_MAX = 60_000;
const CONCURRENCY = 200;

/** `BENCH_PART=100`: a hundredth of each backlog, to see that all of it runs. Such figures say nothing. */
const PART = Number(process.env["BENCH_PART"] ?? 1);

type Queue = Backlog & Pick<Case, "limits">;

interface Case extends Backlog {
  readonly what: string;
  readonly holdsVacuum?: boolean;
  /** Of each flow. */
  readonly limits?: OwnLimits;
}

const FREE: OwnLimits = { running: null, runningPerKey: null, rate: null, key: undefined };

/** Whatever it gives: the tasks of a backlog have theirs. */
const KEYED: OwnLimits = { ...FREE, key: () => "key", runningPerKey: 1 };

const CASES: readonly Case[] = [
  { what: "10,000 due tasks", due: 10_000 },
  { what: "100,000 due tasks", due: 100_000 },
  { what: "100,000 due, a limit that is not reached", due: 100_000, limits: { ...FREE, running: 1_000 } },
  { what: "100,000 due, of 10,000 keys, one of each at once", due: 100_000, keys: 10_000, limits: KEYED },
  { what: "100,000 due, each of a key of its own", due: 100_000, keys: 100_000, limits: KEYED },
  { what: "100,000 due, of 300 keys, one of each at once", due: 100_000, keys: 300, limits: KEYED },
  { what: "1,000,000 due tasks", due: 1_000_000 },
  { what: "100,000 due, 1,000,000 asleep", due: 100_000, asleep: 1_000_000 },
  { what: "100,000 due, of 10 flows", due: 100_000, flows: 10 },
  { what: "100,000 due, of 1 of 100 flows", due: 100_000, flows: 100, busyFlows: 1 },
  { what: "1,000,000 due, vacuum held back", due: 1_000_000, holdsVacuum: true },
];

export const backlog: Bench = {
  name: "backlog",
  title: `Draining echo_add by one worker, ${CONCURRENCY} at once, for ${MEASURE_MS_MAX / 1000} s at most`,
  async run() {
    const rows: Row[] = [];
    let first: { readonly sqlite: number; readonly server: number } | undefined;
    for (const each of CASES) {
      const { what, holdsVacuum = false, ...whole } = each;
      const queue = partOf(whole);
      const sqlite = await onSqlite(queue);
      const server = await onPostgres(queue, holdsVacuum);
      first ??= { sqlite, server };
      console.error(`${what}: ${Math.round(sqlite)}/s, ${Math.round(server)}/s`);
      rows.push({
        what,
        SQLite: perSecond(sqlite, first.sqlite),
        PostgreSQL: perSecond(server, first.server),
      });
    }
    return rows;
  },
};

function partOf({ due, asleep, keys, ...rest }: Queue): Queue {
  const part = (count: number): number => Math.max(1, Math.round(count / PART));
  return {
    ...rest,
    due: part(due),
    ...(asleep !== undefined && { asleep: part(asleep) }),
    ...(keys !== undefined && { keys: part(keys) }),
  };
}

function perSecond(rate: number, first: number): string {
  return `${Math.round(rate).toLocaleString("en")}/s (${Math.round((100 * rate) / first)} %)`;
}

async function onSqlite(queue: Queue): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "taskonaut-bench-"));
  const path = join(folder, "taskonaut.db");
  try {
    const store = await openSqliteStore({ path });
    const database = new Database(path);
    for (const statement of backlogScript("sqlite", queue)) database.run(statement);
    database.run("pragma wal_checkpoint(truncate)");
    database.close();
    return await drain(store, queue);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function onPostgres(queue: Queue, holdsVacuum: boolean): Promise<number> {
  const { url, drop } = await testDatabase();
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  const holder = postgres(url, { max: 1 });
  try {
    const migrator = openPostgresMigrator({ url });
    await migrator.migrate();
    await migrator.close();
    for (const statement of backlogScript("postgres", queue)) await sql.unsafe(statement);
    await sql.unsafe("vacuum analyze");
    if (holdsVacuum)
      await holder.unsafe("begin isolation level repeatable read; select from taskonaut.workers").simple();
    return await drain(await openPostgresStore({ url }), queue);
  } finally {
    await holder.end({ timeout: 1 });
    await sql.end({ timeout: 1 });
    await drop();
  }
}

/** Gives tasks a second. Closes the store. */
async function drain(store: Store, { due, flows = 1, limits }: Queue): Promise<number> {
  const names = Array.from({ length: flows }, (_, n) => `flow_${n}`);
  const engine = createEngine({
    store,
    flows: names.map((name) => ({ ...echoAdd, name, limits })),
    clock: systemClock,
    log: SILENT,
    limits: { ...DEFAULT_LIMITS, graceMs: 1000 },
    newId: () => Bun.randomUUIDv7(),
    workerName: "bench",
  });
  try {
    await engine.checkReady();
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(over.resolve, MEASURE_MS_MAX);
    let ended = 0;
    const started = performance.now();
    await engine.startWorker({
      concurrency: CONCURRENCY,
      onEnded() {
        ended += 1;
        if (ended === Math.min(due, DRAINED_MAX)) over.resolve();
      },
    });
    await over.promise;
    clearTimeout(timer);
    return ended / ((performance.now() - started) / 1000);
  } finally {
    await engine.close();
  }
}
