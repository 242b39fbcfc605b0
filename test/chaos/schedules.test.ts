// Fifty schedules fire each second while their workers are killed at random, by SIGKILL. No firing is lost, and none is
// made twice.

import { expect, setDefaultTimeout, test } from "bun:test";
import { Database } from "bun:sqlite";
import { join } from "node:path";
import postgres from "postgres";
import { keyedTaskId } from "../../src/core/record/ids.ts";
import { firingKey } from "../../src/core/record/schedule.ts";
import { scheduleRow } from "../contract/rows.ts";
import { Random } from "../sim/random.ts";
import { DATABASES } from "../support/databases.ts";
import { until } from "../support/until.ts";
import { effort } from "../support/effort.ts";

setDefaultTimeout(120_000);

const SCHEDULES = 50;
const WORKERS = 3;
const KILLS = Number(process.env["CHAOS_KILLS"] ?? effort({ check: 6, long: 12 }));
const SEED = Number(process.env["CHAOS_SEED"] ?? Date.now() % 1_000_000);
const SECOND = 1000;

/** SQLite goes by the clock of its process, which may be fast. */
const SPEED = { sqlite: 4, postgres: 1 } as const;

const START = join(import.meta.dir, "schedule-child.ts");

/** Of all tasks, those that schedules made. */
async function idsOf(url: string): Promise<readonly string[]> {
  const text = "select cast(id as text) as id from tasks where schedule is not null";
  if (url.startsWith("sqlite:")) {
    const database = new Database(url.slice("sqlite:".length), { readonly: true });
    const rows = database.query<{ id: string }, []>(text).all();
    database.close();
    return rows.map(({ id }) => id);
  }
  const sql = postgres(url, { max: 1 });
  const rows = await sql.unsafe<{ id: string }[]>(text.replace("from tasks", "from taskonaut.tasks"));
  await sql.end();
  return rows.map(({ id }) => id);
}

test.each(DATABASES)(`on %s each firing is made once, through ${KILLS} kills (seed ${SEED})`, async (name, create) => {
  const database = await create();
  const random = new Random(SEED);
  const began = Date.now();
  const speed = SPEED[name as keyof typeof SPEED];
  const store = await database.openStore();
  const first = Math.ceil(began / SECOND) * SECOND + SECOND;
  const names = Array.from({ length: SCHEDULES }, (_, index) => `s${index}`);
  for (const each of names) {
    const input = '{"text":"hello","a":1,"b":2}';
    const at = { nominal_at: first, next_at: first };
    await store.schedules.insert(scheduleRow({ name: each, every_ms: SECOND, overlap: "all", input, ...at }));
  }
  const start = () =>
    Bun.spawn([process.execPath, START, database.url, String(speed), String(began)], {
      stdout: "ignore",
      stderr: "inherit",
    });
  const workers = Array.from({ length: WORKERS }, start);
  const firings = async (): Promise<number> =>
    (await store.schedules.list({ limit: SCHEDULES })).reduce((sum, { fired_count }) => sum + fired_count, 0);

  // each kill comes when something was fired since the one before, in the middle of what follows
  let before = 0;
  for (let kills = 0; kills < KILLS; kills++) {
    const wanted = before + random.int(1, 2 * SCHEDULES);
    await until(async () => (await firings()) >= wanted);
    before = await firings();
    const place = random.int(0, WORKERS - 1);
    workers[place]?.kill("SIGKILL");
    await workers[place]?.exited;
    workers[place] = start();
  }
  const last = await firings();
  await until(async () => (await firings()) >= last + SCHEDULES);
  for (const worker of workers) worker.kill("SIGKILL");
  await Promise.all(workers.map(({ exited }) => exited));

  const wanted: string[] = [];
  for (const row of await store.schedules.list({ limit: SCHEDULES })) {
    expect(row.skipped_count).toBe(0);
    for (let at = first; at < (row.nominal_at ?? 0); at += SECOND) wanted.push(keyedTaskId(firingKey(row.name, at)));
  }
  expect(wanted.length).toBe(await firings());
  expect((await idsOf(database.url)).toSorted()).toEqual(wanted.toSorted());
  await store.close();
  await database.drop();
});
