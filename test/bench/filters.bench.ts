// How long the first page of a list takes, by filter, and a count, among a million tasks that have ended and a hundred
// thousand that are open. On the PostgreSQL of `TEST_DATABASE_URL`, where that is set.

import { Database } from "bun:sqlite";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import type { TaskFilter } from "../../src/core/api/task-filter.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import { SILENT } from "../../src/core/log.ts";
import { createEngine } from "../../src/engine/engine.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import { systemClock } from "../../src/engine/process/system-clock.ts";
import { openPostgresMigrator } from "../../src/store/postgres/migrate.ts";
import { openPostgresStore } from "../../src/store/postgres/store.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import type { Store } from "../../src/store/store.ts";
import { testDatabase } from "../support/postgres.ts";
import type { Bench, Row } from "./bench.ts";
import { milliseconds, percentile, timed } from "./figures.ts";
import { fillScript, idOfTask, MONTH_MS } from "./past.ts";

const TASKS = Number(process.env["BENCH_TASKS"] ?? 1_100_000);
const ROUNDS = 40;
/** Tasks of a page: those of a terminal, and those of a request. */
const LIMITS = [20, 100] as const;

const ago = (part: number): string => new Date(Date.now() - MONTH_MS * part).toISOString();

const FILTERS: Readonly<Record<string, TaskFilter>> = {
  "(all tasks)": {},
  flow: { flow: ["flow_3"] },
  "status FAILED": { status: ["FAILED"] },
  "status RUNNING": { status: ["RUNNING"] },
  parked: { parked: true },
  "in-doubt": { inDoubt: true },
  "needs-person": { needsPerson: true },
  "waiting-for time": { waitingFor: ["time"] },
  "waiting-for signal:paid": { waitingFor: ["signal:paid"] },
  "tag customer=c7": { tags: { customer: "c7" } },
  "since 2h": { since: "2h" },
  "until half a month ago": { until: ago(0.5) },
  "updated-since 2h": { updatedSince: "2h" },
  "finished-until half a month ago": { finishedUntil: ago(0.5) },
  "error timeout": { error: "timeout" },
  parent: { parent: idOfTask(500_000) },
  "schedule nightly": { schedule: "nightly" },
  "priority 0": { priority: 0 },
  "flow, FAILED, since 10 d, tag, error": {
    flow: ["flow_3"],
    status: ["FAILED"],
    since: "10d",
    tags: { customer: "c47" },
    error: "timeout",
  },
  "flow, needs-person": { flow: ["flow_3"], needsPerson: true },
  "flow, FAILED, CANCELLED, until": { flow: ["flow_1", "flow_2"], status: ["FAILED", "CANCELLED"], until: ago(0.3) },
  "schedule, COMPLETED, since 3 d": { schedule: "nightly", status: ["COMPLETED"], since: "3d" },
  "waiting-for, flow, priority": { waitingFor: ["signal", "time"], flow: ["flow_5"], priority: 5 },
};

export const filters: Bench = {
  name: "filters",
  title: `First pages of ${LIMITS.join(" and ")} tasks, and counts, of ${TASKS.toLocaleString("en")} tasks: p50 and p95 of ${ROUNDS}`,
  async run() {
    const sqlite = await onSqlite();
    const server = await onPostgres();
    return [...sqlite].map(([what, figures]): Row => ({ what, SQLite: figures, PostgreSQL: server.get(what) ?? "" }));
  },
};

async function onSqlite(): Promise<ReadonlyMap<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), "taskonaut-bench-"));
  const path = join(folder, "taskonaut.db");
  try {
    const store = await openSqliteStore({ path });
    const database = new Database(path);
    for (const statement of fillScript("sqlite", TASKS)) database.run(statement);
    database.run("pragma wal_checkpoint(truncate)");
    database.close();
    return await measure(store);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function onPostgres(): Promise<ReadonlyMap<string, string>> {
  const { url, drop } = await testDatabase();
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    const migrator = openPostgresMigrator({ url });
    await migrator.migrate();
    await migrator.close();
    for (const statement of fillScript("postgres", TASKS)) await sql.unsafe(statement);
    await sql.unsafe("vacuum analyze"); // as the server does it by itself
    return await measure(await openPostgresStore({ url }));
  } finally {
    await sql.end({ timeout: 1 });
    await drop();
  }
}

/** By filter. Closes the store. */
async function measure(store: Store): Promise<ReadonlyMap<string, string>> {
  const engine = createEngine({
    store,
    flows: [],
    clock: systemClock,
    log: SILENT,
    limits: DEFAULT_LIMITS,
    newId: () => Bun.randomUUIDv7(),
    workerName: "bench",
  });
  const figures = new Map<string, string>();
  try {
    for (const [what, filter] of Object.entries(FILTERS)) {
      const pages = LIMITS.map((limit) => () => engine.listTasks({ limit, filter }));
      figures.set(what, await figuresOf(engine, filter, pages));
      console.error(`${store.dialect}, ${what}: ${figures.get(what)}`);
    }
    figures.set("counts by flow and state", await timesOf(() => engine.countTasks()));
  } finally {
    await engine.close();
  }
  return figures;
}

async function figuresOf(
  engine: Engine,
  filter: TaskFilter,
  pages: readonly (() => Promise<unknown>)[],
): Promise<string> {
  const { tasks } = await engine.listTasks({ limit: 100, filter });
  const times: string[] = [];
  for (const page of pages) times.push(await timesOf(page));
  return `${times.join("; ")} (${tasks.length})`;
}

/** The median and the 95th percentile. */
async function timesOf(work: () => Promise<unknown>): Promise<string> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) times.push(await timed(work));
  return `${milliseconds(percentile(times, 50))}, ${milliseconds(percentile(times, 95))}`;
}
