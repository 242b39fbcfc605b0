// What acts on many tasks at once: operations by a filter, and retention beside a drain. Each rate stands beside that of a
// drain of the same tasks in the same run. On the PostgreSQL of `TEST_DATABASE_URL`, where that is set.

import { Database } from "bun:sqlite";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { type BulkAction, totalsOf } from "../../src/core/api/bulk.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import { SILENT } from "../../src/core/log.ts";
import { createEngine } from "../../src/engine/engine.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import { retentionDuty } from "../../src/engine/queue/retention.ts";
import { Flows } from "../../src/engine/task/flows.ts";
import { systemClock } from "../../src/engine/process/system-clock.ts";
import { echoAdd } from "../../src/flows/echo-add.ts";
import { openPostgresMigrator } from "../../src/store/postgres/migrate.ts";
import { openPostgresStore } from "../../src/store/postgres/store.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import type { Store } from "../../src/store/store.ts";
import { testDatabase } from "../support/postgres.ts";
import { backlogScript } from "./backlog.ts";
import type { Bench, Row } from "./bench.ts";

const TASKS = 100_000;
/** A drain that is measured beside something else. */
const DRAIN_MS = 10_000;

/** Of a drain beside retention: there must be tasks to drain for two such times, on a fast machine as well. */
const BESIDE_MS = 4000;
const BESIDE_TASKS = 300_000;
/** So many of them have ended long ago. */
const OLD_TASKS = 60_000;
const CONCURRENCY = 200;
const DAY_MS = 86_400_000;

const QUEUED = { ...echoAdd, name: "flow_0" };

/** All tasks of the backlog, as their first step had failed. */
const FAIL = [
  `update task_steps set status = 'FAILED', error = '{"name":"Error","message":"boom"}', outcome_seq = 1,
    observed_at = created_at where step_index = 1`,
  "update task_steps set status = 'CANCELLED' where step_index = 2",
  `update tasks set status = 'FAILED', error = '{"name":"Error","message":"echo: boom"}', due_at = null,
    finished_at = created_at, observed_count = 1, current_step = 1, version = 4`,
];

interface Place {
  readonly open: () => Promise<Store>;
  readonly execute: (statements: readonly string[]) => Promise<void>;
  readonly drop: () => Promise<void>;
}

export const manyTasks: Bench = {
  name: "many-tasks",
  title: `Acting on ${TASKS.toLocaleString("en")} tasks of echo_add, in tasks a second`,
  async run() {
    const places = { SQLite: onSqlite, PostgreSQL: onPostgres };
    const columns: Record<string, Record<string, string>> = {};
    for (const [store, open] of Object.entries(places)) {
      for (const [what, told] of Object.entries(await measure(open))) {
        console.error(`${store}, ${what}: ${told}`);
        columns[what] = { ...columns[what], [store]: told };
      }
    }
    return Object.entries(columns).map(([what, row]): Row => ({ what, ...row }));
  },
};

async function measure(openWith: (tasks: number) => Promise<Place>): Promise<Record<string, string>> {
  const open = (): Promise<Place> => openWith(TASKS);
  const alone = await withPlace(open, [], drain);
  const cancel = await withPlace(open, [], (place) => act(place, "cancel"));
  const retry = await withPlace(open, FAIL, (place) => act(place, "retry"));
  const purged = await withPlace(() => openWith(BESIDE_TASKS), [], besideRetention);
  return {
    "drained by a worker": round(alone),
    cancelled: round(cancel),
    "opened again": round(retry),
    "removed by retention, beside a drain": round(purged.removed),
    "drained beside it": `${round(purged.drained)} (${Math.round((100 * purged.drained) / purged.alone)} % of alone)`,
  };
}

async function act({ open }: Place, action: BulkAction): Promise<number> {
  const engine = engineOn(await open());
  const request = { action, filter: { flow: [QUEUED.name] } };
  const { token } = await engine.bulk.preview(request);
  const began = performance.now();
  const { task } = await engine.bulk.start({ ...request, token });
  const { done } = totalsOf(await engine.runTask(task.id));
  const seconds = (performance.now() - began) / 1000;
  await engine.close();
  if (done !== TASKS) throw new Error(`${action}: ${done} of ${TASKS} were done.`);
  return TASKS / seconds;
}

/** A drain alone for a while, then another one beside the removal of as many that ended long ago. */
async function besideRetention(place: Place): Promise<{ removed: number; drained: number; alone: number }> {
  const old = await place.open();
  await place.execute([
    // they ended 40 days ago
    `update tasks set status = 'COMPLETED', output_payload = '{}', due_at = null, flow_name = 'echo_add',
      finished_at = created_at where flow_name = 'flow_0' and id in (select id from tasks order by id limit ${OLD_TASKS})`,
  ]);
  const alone = await drainFor(place, BESIDE_MS);
  let isDue = false;
  const duty = retentionDuty({
    flows: new Flows([echoAdd], DEFAULT_LIMITS),
    store: old,
    clock: {
      now: () => Date.now() + (isDue ? DAY_MS : 0),
      elapsed: () => systemClock.elapsed(),
      sleep: (ms, signal) => systemClock.sleep(ms, signal),
    },
    log: SILENT,
    limits: { retention: { completed: 60_000, failed: null, cancelled: null } },
    lease: { workerId: Bun.randomUUIDv7() },
  });
  isDue = true;
  const began = performance.now();
  const remove = async (): Promise<number> => {
    await duty.do(new AbortController().signal);
    return performance.now() - began;
  };
  const removing = remove();
  const drained = await drainFor(place, BESIDE_MS);
  const removedMs = await removing;
  await old.close();
  return { removed: (1000 * OLD_TASKS) / removedMs, drained, alone };
}

function drain(place: Place): Promise<number> {
  return drainFor(place, DRAIN_MS);
}

async function drainFor({ open }: Place, ms: number): Promise<number> {
  const engine = engineOn(await open());
  let ended = 0;
  const began = performance.now();
  await engine.startWorker({ concurrency: CONCURRENCY, onEnded: () => (ended += 1) });
  await Bun.sleep(ms);
  const rate = ended / ((performance.now() - began) / 1000);
  await engine.close();
  return rate;
}

function engineOn(store: Store): Engine {
  return createEngine({
    store,
    flows: [QUEUED],
    clock: systemClock,
    log: SILENT,
    limits: { ...DEFAULT_LIMITS, graceMs: 1000 },
    newId: () => Bun.randomUUIDv7(),
    workerName: "bench",
  });
}

async function withPlace<T>(
  open: () => Promise<Place>,
  statements: readonly string[],
  use: (place: Place) => Promise<T>,
): Promise<T> {
  const place = await open();
  try {
    await place.execute(statements);
    return await use(place);
  } finally {
    await place.drop();
  }
}

async function onSqlite(tasks: number): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "taskonaut-bench-"));
  const path = join(folder, "taskonaut.db");
  await (await openSqliteStore({ path })).close();
  const execute = async (statements: readonly string[]): Promise<void> => {
    const database = new Database(path);
    for (const statement of statements) database.run(statement);
    database.run("pragma wal_checkpoint(truncate)");
    database.close();
  };
  await execute(backlogScript("sqlite", { due: tasks }));
  return { execute, open: () => openSqliteStore({ path }), drop: () => rm(folder, { recursive: true }) };
}

async function onPostgres(tasks: number): Promise<Place> {
  const { url, drop } = await testDatabase();
  const migrator = openPostgresMigrator({ url });
  await migrator.migrate();
  await migrator.close();
  const execute = async (statements: readonly string[]): Promise<void> => {
    const sql = postgres(url, { max: 1, onnotice: () => {}, connection: { search_path: "taskonaut" } });
    for (const statement of [...statements, "vacuum analyze"]) await sql.unsafe(statement);
    await sql.end();
  };
  await execute(backlogScript("postgres", { due: tasks }));
  return { execute, open: () => openPostgresStore({ url, works: true }), drop };
}

function round(rate: number): string {
  return `${Math.round(rate).toLocaleString("en")}/s`;
}
