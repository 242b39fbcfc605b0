import { afterAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import { SILENT } from "../../src/core/log.ts";
import type { TaskRecord } from "../../src/core/record/record.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { systemClock } from "../../src/engine/process/system-clock.ts";
import { echoAdd } from "../../src/flows/echo-add.ts";
import { type BenchPlace, BASELINE_BATCH } from "../../src/store/baseline.ts";
import { openPostgresBenchPlace } from "../../src/store/postgres/bench-place.ts";
import { PostgresClient } from "../../src/store/postgres/connection.ts";
import { openSqliteBenchPlace } from "../../src/store/sqlite/bench-place.ts";
import { testDatabase } from "../support/postgres.ts";
import { rejection } from "../support/rejection.ts";
import { Ends } from "../../src/bench/ends.ts";
import { recordsOf } from "../support/listed.ts";
import { changeOf, plannedRecord } from "./rows.ts";

const folder = await mkdtemp(join(tmpdir(), "taskonaut-baseline-"));
const database = await testDatabase();
afterAll(async () => {
  await rm(folder, { recursive: true });
  await database.drop();
});

const SQLITE = { path: join(folder, "tasks.db") };

for (const [dialect, open] of [
  ["sqlite", () => openSqliteBenchPlace(SQLITE)],
  ["postgres", () => openPostgresBenchPlace({ url: database.url })],
] as const) {
  describe(`the baseline on ${dialect}`, () => {
    test("leaves what the engine leaves, column by column, after creating and after draining", async () => {
      await using opened = await use(open);
      const { place } = opened;
      await place.baseline.create(1);
      const createdByBaseline = shapeOf(await readOnlyTask(place));
      expect(await place.baseline.drain()).toBe(1);
      const endedByBaseline = shapeOf(await readOnlyTask(place));
      await place.clear();

      await createByEngine(place);
      expect(createdByBaseline).toEqual(shapeOf(await readOnlyTask(place)));
      await drainByEngine(place);
      expect(endedByBaseline).toEqual(shapeOf(await readOnlyTask(place)));
    });

    test("that commits before each effect leaves the same", async () => {
      await using opened = await use(open);
      const { place } = opened;
      const left: unknown[] = [];
      for (const drain of ["drain", "drainByStep"] as const) {
        await place.baseline.create(1);
        expect(await place.baseline[drain]()).toBe(1);
        left.push(shapeOf(await readOnlyTask(place)));
        await place.clear();
      }
      expect(left[1]).toEqual(left[0]);
    });

    test("opens a store that tells of its commits: each write is one, and a claim that gives something", async () => {
      await using opened = await use(open);
      let commits = 0;
      const store = await opened.place.openStore(() => (commits += 1));
      const workerId = Bun.randomUUIDv7();
      await store.registerWorker({ id: workerId, name: "w", leaseMs: 60_000, concurrency: 1 });
      commits = 0;
      const record = plannedRecord({ due_at: 1 });
      await store.insertTasks([record]);
      expect(commits).toBe(1);
      const request = { workerId, limit: 10, deadOwners: [], flows: [{ name: "echo_add", limit: 10, heldMax: null }] };
      const [claimed] = (await store.claimTasks(request)).tasks;
      expect(commits).toBe(2);
      expect((await store.claimTasks(request)).tasks).toEqual([]);
      expect(commits).toBe(2);
      expect(await store.commitChanges([changeOf(claimed!.record.task)])).toEqual([true]);
      expect(commits).toBe(3);
      await store.close();
    });

    test.each(["drain", "drainByStep"] as const)(
      "%s: every task, also where the last batch is not full",
      async (drain) => {
        await using opened = await use(open);
        const { place } = opened;
        const tasks = 2 * BASELINE_BATCH + 3;
        await place.baseline.create(tasks);
        expect(await place.countEnded()).toBe(0);
        expect(await place.baseline[drain]()).toBe(tasks);
        expect(await place.countEnded()).toBe(tasks);
        expect(await place.baseline[drain]()).toBe(0);
        await place.clear();
        expect(await place.countEnded()).toBe(0);
      },
    );

    test("counts the bytes of what is written", async () => {
      await using opened = await use(open);
      const { place } = opened;
      const count = async (tasks: number): Promise<{ log: number; data: number }> => {
        const endCount = await place.countBytes();
        await place.baseline.create(tasks);
        return endCount();
      };
      expect(await count(0)).toMatchObject({ data: 0 });
      const bytes = await count(1000);
      // two steps and a task are some hundred bytes
      expect(bytes.log).toBeWithin(500_000, 5_000_000);
      expect(bytes.data).toBeWithin(500_000, 5_000_000);
    });
  });
}

test("a place on SQLite leaves nothing beside the database file, which it does not make", async () => {
  const place = await openSqliteBenchPlace(SQLITE);
  expect(await readdir(folder)).toHaveLength(1);
  await place.remove();
  await place.remove();
  expect(await readdir(folder)).toEqual([]);
});

test("a place for a file in a folder that is yet to be made does not make it", async () => {
  const place = await openSqliteBenchPlace({ path: join(folder, "a", "b", "tasks.db") });
  expect(await readdir(folder)).toHaveLength(1);
  await place.remove();
  expect(existsSync(join(folder, "a"))).toBe(false);
});

test("a database in memory is refused", async () => {
  expect(await rejection(openSqliteBenchPlace({ path: ":memory:" }))).toMatchObject({ code: "usage" });
});

test("a place on PostgreSQL leaves no schema", async () => {
  const place = await openPostgresBenchPlace({ url: database.url });
  expect(await listSchemas()).toHaveLength(1);
  await place.remove();
  await place.remove();
  expect(await listSchemas()).toEqual([]);
});

async function listSchemas(): Promise<readonly unknown[]> {
  const client = new PostgresClient({ url: database.url, connectionsMax: 1, deadlineMs: 10_000 });
  const rows = await client.query("select nspname from pg_namespace where nspname like 'taskonaut%'");
  await client.close();
  return rows;
}

async function use(open: () => Promise<BenchPlace>): Promise<AsyncDisposable & { readonly place: BenchPlace }> {
  const place = await open();
  return { place, [Symbol.asyncDispose]: () => place.remove() };
}

async function readOnlyTask(place: BenchPlace): Promise<TaskRecord> {
  const store = await place.openStore();
  const records = recordsOf(await store.listTasks({ limit: 2 }));
  await store.close();
  expect(records).toHaveLength(1);
  return records[0]!;
}

/** The record with its ids by their order, of times only whether there is one, and without the number of the fence. */
function shapeOf(record: TaskRecord): unknown {
  const ids = new Map<string, string>();
  const text = JSON.stringify(record, (key, value: unknown) => {
    if (key === "version") return undefined;
    return key.endsWith("_at") && typeof value === "number" ? "a time" : value;
  });
  return JSON.parse(
    text.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (id) => {
      if (!ids.has(id)) ids.set(id, `id ${ids.size + 1}`);
      return ids.get(id)!;
    }),
  );
}

async function createByEngine(place: BenchPlace): Promise<void> {
  const engine = await openEngine(place);
  await engine.createTask({ flow: "echo_add", input: {}, start: "now" });
  await engine.close();
}

async function drainByEngine(place: BenchPlace): Promise<void> {
  const engine = await openEngine(place);
  const ends = new Ends(AbortSignal.timeout(30_000));
  await engine.startWorker({ concurrency: 1, onEnded: () => ends.count() });
  await ends.reach(1);
  await engine.close();
}

async function openEngine(place: BenchPlace): Promise<ReturnType<typeof createEngine>> {
  return createEngine({
    store: await place.openStore(),
    flows: [echoAdd],
    clock: systemClock,
    log: SILENT,
    limits: DEFAULT_LIMITS,
    newId: () => Bun.randomUUIDv7(),
    workerName: "baseline",
  });
}
