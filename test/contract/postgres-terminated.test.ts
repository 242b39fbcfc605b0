// What becomes of a call when PostgreSQL ends the connection under it.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import postgres from "postgres";

import type { Store } from "../../src/store/store.ts";
import { openMigrator, openStore } from "../../src/store/open.ts";
import { migrate } from "./place.ts";
import { postgresBench, whileBlocked } from "./postgres-bench.ts";
import { changeOf, plannedRecord, stepRow } from "./rows.ts";
import { until } from "../support/until.ts";
import { recordsOf } from "../support/listed.ts";

const HOUR_MS = 3_600_000;

const bench = postgresBench();

describe("a backend that is terminated", () => {
  const record = plannedRecord();
  const worker = { id: crypto.randomUUID(), name: "w", leaseMs: HOUR_MS, concurrency: 7 };
  /** Has a row, and no lock. */
  const claimant = crypto.randomUUID();
  let store: Store;

  beforeEach(async () => {
    await migrate(bench.place.address);
    store = await openStore(bench.place.address);
    await store.insertTasks([record]);
    await bench.place.execute(`
      insert into workers (id, name, started_at, lease_until, lease_ms) values ('${claimant}', 'w', now(), now(), 1)`);
  });

  afterEach(() => store.close());

  const claim = (heldMax: number | null): Promise<unknown> =>
    store.claimTasks({
      workerId: claimant,
      limit: 10,
      flows: [{ name: "echo_add", limit: 10, heldMax }],
      deadOwners: [],
    });

  const reads: Record<string, () => Promise<unknown>> = {
    readTask: () => store.readTask(record.task.id),
    listTasks: () => store.listTasks({ limit: 10 }),
    readWorkerState: () => store.readWorkerState(worker.id),
    findDeadWorkers: () => store.findDeadWorkers(),
    listWorkers: () => store.listWorkers(),
    checkReady: () => store.checkReady(),
  };

  for (const [name, read] of Object.entries(reads)) {
    test(`under ${name}: the caller does not notice`, async () => {
      const result = await whileBlocked(bench, () => {
        const reading = read();
        return { reading, terminated: terminate({ blocked: true }) };
      });
      expect(await result.reading).toEqual(await read());
    });
  }

  const writes: Record<string, () => Promise<unknown>> = {
    insertTasks: () => store.insertTasks([plannedRecord()]),
    commitChanges: () => {
      const steps = [stepRow(record.task.id, { step_index: 3 })];
      return store.commitChanges([changeOf(record.task, { status: "RUNNING" }, { newSteps: steps })]);
    },
    claimTasks: () => claim(null),
    "claimTasks under a limit": () => claim(1),
    releaseTasks: () => store.releaseTasks({ workerId: worker.id, except: [] }),
    unparkTasks: () => store.unparkTasks([{ name: "echo_add", code: "new" }]),
    forgetDeadWorkers: () => store.forgetDeadWorkers(),
    registerWorker: () => store.registerWorker(worker),
    renewWorker: () => store.renewWorker(worker.id, HOUR_MS),
    removeWorker: () => store.removeWorker(worker.id),
  };

  for (const [name, write] of Object.entries(writes)) {
    test(`under ${name}: the caller is told, nothing is written, and the next call works`, async () => {
      const { error } = await whileBlocked(bench, async () => {
        const failure = write().then(
          () => undefined,
          (reason: unknown) => reason,
        );
        await terminate({ blocked: true });
        return { error: await failure };
      });
      expect(error).toMatchObject({ name: "TaskonautError", code: "database_unavailable" });
      expect(await store.readTask(record.task.id)).toEqual(record);
      expect(recordsOf(await store.listTasks({ limit: 10 })).length).toBe(1);
      await write();
    });
  }

  test("while nothing runs: the next calls work", async () => {
    await store.readTask(record.task.id);
    await terminate({ blocked: false });
    expect(await store.readTask(record.task.id)).toEqual(record);
    // The word that the connection is gone may come after the statement was sent: then its outcome is unknown.
    const first = await store.commitChanges([changeOf(record.task)]).catch((error: unknown) => error);
    if (first instanceof Error) expect(first).toMatchObject({ code: "database_unavailable" });
    else expect(first).toEqual([true]);
    expect(await store.insertTasks([plannedRecord()])).toEqual([true]);
  });

  test("under many calls at once: each ends, and the store recovers", async () => {
    const ends = await whileBlocked(bench, async () => {
      const calls = [...Object.values(reads), ...Object.values(writes)].map((call) => call());
      const settled = Promise.allSettled(calls);
      await terminate({ blocked: true });
      return { settled };
    });
    for (const end of await ends.settled) {
      if (end.status === "rejected") expect(end.reason).toMatchObject({ code: "database_unavailable" });
    }
    for (const read of Object.values(reads)) await read();
    expect(await store.insertTasks([plannedRecord()])).toEqual([true]);
  });

  test("under a worker's lock: the lock is taken anew", async () => {
    await store.registerWorker(worker);
    const before = await lockHolders();
    expect(before.length).toBe(1);
    await bench.admin`select pg_terminate_backend(${before[0] ?? 0})`;
    await until(async () => {
      const [holder] = await lockHolders();
      return holder !== undefined && holder !== before[0];
    });
    await store.removeWorker(worker.id);
    await until(async () => (await lockHolders()).length === 0);
  });
});

test("a backend that is terminated under migrate: the caller is told, and the next migrate works", async () => {
  const migrator = await openMigrator(bench.place.address);
  const blocker = await bench.admin.reserve();
  await blocker`select pg_advisory_lock(hashtextextended('taskonaut:migrate', 0))`;
  const failure = migrator.migrate().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  await terminate({ blocked: true });
  expect(await failure).toMatchObject({ code: "database_unavailable" });
  await blocker`select pg_advisory_unlock(hashtextextended('taskonaut:migrate', 0))`;
  blocker.release();
  expect((await migrator.status())[0]?.applied_at).toBeNull();
  expect((await migrator.migrate()).length).toBeGreaterThan(0);
  await migrator.close();
});

/** Ends the store's connections: those that wait for a lock, as soon as there is one, or those that are idle. */
async function terminate({ blocked }: { blocked: boolean }): Promise<void> {
  const sql = postgres(bench.url, { max: 1 });
  await until(async () => {
    const ended = await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'taskonaut' and datname = current_database()
        and (wait_event_type is not distinct from 'Lock') = ${blocked}`;
    return ended.length > 0;
  });
  await sql.end();
}

async function lockHolders(): Promise<number[]> {
  const rows = await bench.admin`
    select pid from pg_locks where locktype = 'advisory' and granted
      and database = (select oid from pg_database where datname = current_database())`;
  return rows.map((row) => Number(row["pid"]));
}
