// What only PostgreSQL can do to us: end a connection under a statement, go away and come back, never answer.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import postgres from "postgres";

import type { TaskRecord } from "../../src/core/record.ts";
import { CommitWriter } from "../../src/engine/commit-writer.ts";
import { openPostgresStore } from "../../src/store/postgres/store.ts";
import type { Store } from "../../src/store/store.ts";
import { ownServer, type TestDatabase, testDatabase } from "../support/postgres.ts";
import { type Address, migrate, openMigrator, openStore, type Place, postgresPlace } from "./place.ts";
import { startProxy } from "./proxy.ts";
import { changeOf, plannedRecord, stepRow } from "./rows.ts";
import { until } from "./until.ts";

const HOUR_MS = 3_600_000;

let database: TestDatabase;
let admin: postgres.Sql;
let place: Place;

beforeAll(async () => {
  database = await testDatabase();
  admin = postgres(database.url, { max: 1, onnotice: () => {} });
}, 60_000);

afterAll(async () => {
  await admin.end();
  await database.drop();
});

beforeEach(async () => {
  place = await postgresPlace(database.url);
});

afterEach(() => place.drop());

describe("a backend that is terminated", () => {
  const record = plannedRecord();
  const worker = { id: crypto.randomUUID(), name: "w", leaseMs: HOUR_MS, concurrency: 7 };
  /** Has a row, and no lock. */
  const claimant = crypto.randomUUID();
  let store: Store;

  beforeEach(async () => {
    await migrate(place.address);
    store = await openStore(place.address);
    await store.insertTasks([record]);
    await place.execute(`
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
      const result = await whileBlocked(() => {
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
      const { error } = await whileBlocked(async () => {
        const failure = write().then(
          () => undefined,
          (reason: unknown) => reason,
        );
        await terminate({ blocked: true });
        return { error: await failure };
      });
      expect(error).toMatchObject({ name: "TaskonautError", code: "database_unavailable" });
      expect(await store.readTask(record.task.id)).toEqual(record);
      expect((await store.listTasks({ limit: 10 })).length).toBe(1);
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
    const ends = await whileBlocked(async () => {
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
    await admin`select pg_terminate_backend(${before[0] ?? 0})`;
    await until(async () => {
      const [holder] = await lockHolders();
      return holder !== undefined && holder !== before[0];
    });
    await store.removeWorker(worker.id);
    await until(async () => (await lockHolders()).length === 0);
  });
});

test("a backend that is terminated under migrate: the caller is told, and the next migrate works", async () => {
  const migrator = openMigrator(place.address);
  const blocker = await admin.reserve();
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

test("a migration that fails leaves nothing behind, and says why", async () => {
  await place.execute(`create schema ${schemaOf(place)}; create table ${schemaOf(place)}.workers (other text)`);
  await expect(migrate(place.address)).rejects.toThrow("already exists");
  const status = await openStatus(place.address);
  expect(status.every((migration) => migration.applied_at === null)).toBe(true);
  expect(await admin`select 1 from pg_tables where schemaname = ${schemaOf(place)}`).toHaveLength(1);
});

test("a database that was not migrated is refused, with the command to run, until it is", async () => {
  const store = await openStore(place.address);
  const behind = { code: "database_behind", message: expect.stringContaining("taskonaut migrate") };
  await expect(store.checkReady()).rejects.toMatchObject(behind);
  await expect(store.readTask(crypto.randomUUID())).rejects.toMatchObject(behind);
  await expect(store.insertTasks([plannedRecord()])).rejects.toMatchObject(behind);
  await migrate(place.address);
  await store.checkReady();
  expect(await store.insertTasks([plannedRecord()])).toEqual([true]);
  await store.close();
});

test("a call that waits past its deadline ends, and the next one works", async () => {
  await migrate(place.address);
  const store = await openStore(place.address, 400);
  const record = plannedRecord();
  await store.insertTasks([record]);
  await whileBlocked(async () => {
    const start = performance.now();
    const late = { code: "database_unavailable", message: expect.stringContaining("within 0.4 s") };
    await Promise.all([
      expect(store.readTask(record.task.id)).rejects.toMatchObject(late),
      expect(store.commitChanges([changeOf(record.task)])).rejects.toMatchObject(late),
    ]);
    expect(performance.now() - start).toBeLessThan(2000);
    return {};
  });
  expect((await store.readTask(record.task.id))?.task.id).toBe(record.task.id);
  expect(await store.insertTasks([plannedRecord()])).toEqual([true]);
  await store.close();
});

describe("a row that a stranger keeps locked", () => {
  const [locked, other] = [plannedRecord(), plannedRecord()];
  const busy = { code: "task_busy", retryable: true, message: expect.stringContaining("another session") };
  let store: Store;

  beforeEach(async () => {
    await migrate(place.address);
    store = await openStore(place.address);
    await store.insertTasks([locked, other]);
  });

  afterEach(() => store.close());

  test("keeps the others of the process waiting for a moment only, and leaves no backend waiting", async () => {
    const writer = new CommitWriter(store);
    await whileLocked(locked, async () => {
      const start = performance.now();
      const refused = writer.submitChange(changeOf(locked.task)).catch((error: unknown) => error);
      await until(async () => (await waitingBackends()) === 1);
      const others = [writer.submitTask(plannedRecord()), writer.submitChange(changeOf(other.task))];
      expect(await Promise.all(others)).toEqual([true, true]);
      expect(performance.now() - start).toBeLessThan(2500);
      expect(await refused).toMatchObject(busy);
      expect(await waitingBackends()).toBe(0);
    });
    expect(await writer.submitChange(changeOf(locked.task))).toBe(true);
  });

  test("refuses its own writer alone, of a whole batch", async () => {
    const writer = new CommitWriter(store);
    await whileLocked(locked, async () => {
      const batch = [writer.submitChange(changeOf(locked.task)), writer.submitChange(changeOf(other.task))];
      expect(await Promise.allSettled(batch)).toMatchObject([
        { status: "rejected", reason: busy },
        { status: "fulfilled", value: true },
      ]);
    });
    expect(await writer.submitChange(changeOf(locked.task))).toBe(true);
  });

  test("refuses a signal to its task", async () => {
    const post = { task_id: locked.task.id, kind: "signal", name: "go", step_id: null, payload: null } as const;
    await whileLocked(locked, async () => {
      await expect(
        store.postToTask({ ...post, error: null, idempotency_key: "k", attempt_epoch: null }),
      ).rejects.toMatchObject(busy);
    });
  });

  test("leaves no backend waiting behind a caller whose deadline was shorter", async () => {
    const hasty = await openStore(place.address, 300);
    await whileLocked(locked, async () => {
      await expect(hasty.commitChanges([changeOf(locked.task)])).rejects.toMatchObject({
        code: "database_unavailable",
        message: expect.stringContaining("within 0.3 s"),
      });
      await until(async () => (await waitingBackends()) === 0);
    });
    expect(await hasty.commitChanges([changeOf(locked.task)])).toEqual([true]);
    await hasty.close();
  });
});

test("a table that is locked refuses a whole batch after a few tries, not one by one", async () => {
  await migrate(place.address);
  const store = await openStore(place.address);
  const records = Array.from({ length: 20 }, () => plannedRecord());
  await store.insertTasks(records);
  const writer = new CommitWriter(store);
  await whileBlocked(async () => {
    const start = performance.now();
    const ends = await Promise.allSettled(records.map(({ task }) => writer.submitChange(changeOf(task))));
    for (const end of ends) expect(end).toMatchObject({ status: "rejected", reason: { code: "task_busy" } });
    expect(performance.now() - start).toBeLessThan(9000);
    return {};
  });
  expect(await writer.submitChange(changeOf(records[0]!.task))).toBe(true);
  await store.close();
}, 30_000);

test("a pooler that does not know the timeouts is used without them", async () => {
  await migrate(place.address);
  const proxy = await startProxy(database.url, { unknownParameter: "lock_timeout" });
  const store = await openPostgresStore({ url: proxy.url, schema: schemaOf(place) });
  const writes = [store.insertTasks([plannedRecord()]), store.insertTasks([plannedRecord()])];
  expect(await Promise.all(writes)).toEqual([[true], [true]]);
  await store.close();
  proxy.stop();
});

test("a server that takes no writes is not ready", async () => {
  await migrate(place.address);
  const name = new URL(database.url).pathname.slice(1);
  await admin.unsafe(`alter database ${name} set default_transaction_read_only = on`);
  const store = await openStore(place.address);
  try {
    await expect(store.checkReady()).rejects.toMatchObject({
      code: "database_unavailable",
      message: expect.stringContaining("read-only"),
    });
  } finally {
    await admin.unsafe(`alter database ${name} reset default_transaction_read_only`);
    await store.close();
  }
});

test("a connection that leads nowhere does not poison the calls after it", async () => {
  await migrate(place.address);
  const proxy = await startProxy(database.url);
  const store = await openPostgresStore({ url: proxy.url, schema: schemaOf(place), deadlineMs: 400 });
  const record = plannedRecord();
  await store.insertTasks([record]);
  await store.readTask(record.task.id);
  proxy.swallow();
  const unavailable = { code: "database_unavailable" };
  await Promise.all([
    expect(store.readTask(record.task.id)).rejects.toMatchObject(unavailable),
    expect(store.commitChanges([changeOf(record.task)])).rejects.toMatchObject(unavailable),
  ]);
  // New connections pass; the old ones stay as they are.
  proxy.pass();
  expect(await store.readTask(record.task.id)).toEqual(record);
  expect(await store.commitChanges([changeOf(record.task)])).toEqual([true]);
  proxy.swallow();
  await expect(store.readTask(record.task.id)).rejects.toMatchObject(unavailable);
  // Not even the way to the server: nothing accepts the connection's first message.
  await expect(store.readTask(record.task.id)).rejects.toMatchObject(unavailable);
  await store.close();
  proxy.stop();
});

test("a login that is refused, a database that is not there and a full server are told apart, without the password", async () => {
  const cases: [change: (url: URL) => void, message: string][] = [
    [(url) => (url.password = "geheim"), "Check user and password"],
    [(url) => (url.pathname = "/nowhere"), "no such database"],
    [(url) => (url.port = "1"), "Check that the server runs"],
    [(url) => (url.username = "crowd"), "too many connections"],
  ];
  await admin`create role crowd login password 'geheim' connection limit 0`;
  for (const [change, message] of cases) {
    const url = new URL(database.url);
    change(url);
    if (url.username === "crowd") url.password = "geheim";
    const store = await openPostgresStore({ url: url.href, schema: schemaOf(place), deadlineMs: 3000 });
    const error = await store.checkReady().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "database_unavailable", message: expect.stringContaining(message) });
    expect(String(error)).not.toContain(url.password);
    await store.close();
  }
  await admin`drop role crowd`;
});

test("a server that stops and starts: calls fail quickly meanwhile, then all is well, and workers stay alive", async () => {
  const server = await ownServer();
  const address: Address = { dialect: "postgres", url: server.url, schema: "taskonaut" };
  await migrate(address);
  const [store, other] = await Promise.all([openStore(address), openStore(address)]);
  const record = plannedRecord();
  const workerId = crypto.randomUUID();
  await store.insertTasks([record]);
  await store.registerWorker({ id: workerId, name: "w", leaseMs: HOUR_MS, concurrency: 7 });
  for (const end of [() => server.stop(), () => server.kill()]) {
    await end();
    const start = performance.now();
    const calls = [
      store.readTask(record.task.id),
      store.insertTasks([plannedRecord()]),
      other.readWorkerState(workerId),
    ];
    for (const call of await Promise.allSettled(calls)) {
      // Backends outlive a killed server for a moment, and may still answer.
      if (call.status === "rejected") expect(call.reason).toMatchObject({ code: "database_unavailable" });
    }
    await expect(store.readTask(record.task.id)).rejects.toMatchObject({ code: "database_unavailable" });
    expect(performance.now() - start).toBeLessThan(3000);
    await server.start();
    expect(await store.readTask(record.task.id)).toEqual(record);
    expect(await store.insertTasks([plannedRecord()])).toEqual([true]);
    // Its lock went with the server, its lease did not.
    expect(await other.readWorkerState(workerId)).toBe("alive");
  }
  const watcher = postgres(server.url, { max: 1 });
  await until(async () => (await watcher`select from pg_locks where locktype = 'advisory'`).length === 1);
  await watcher.end();
  await Promise.all([store.close(), other.close()]);
  await server.dispose();
}, 60_000);

/** Runs `during` while nobody can reach the tables; what it starts and does not await goes on afterwards. */
async function whileBlocked<Result extends object>(during: () => Result | Promise<Result>): Promise<Result> {
  const blocker = await admin.reserve();
  const tables = ["tasks", "workers", "schema_migrations"].map((table) => `${schemaOf(place)}.${table}`);
  try {
    await blocker.unsafe(`begin; lock table ${tables.join(", ")} in access exclusive mode`);
    const result = await during();
    if ("terminated" in result) await result.terminated;
    return result;
  } finally {
    await blocker`rollback`;
    blocker.release();
  }
}

/** Runs `during` while a stranger holds the task's row. */
async function whileLocked({ task }: TaskRecord, during: () => Promise<void>): Promise<void> {
  const stranger = postgres(database.url, { max: 1, onnotice: () => {} });
  const session = await stranger.reserve();
  await session.unsafe(`begin; select from ${schemaOf(place)}.tasks where id = '${task.id}' for update`);
  try {
    await during();
  } finally {
    await session`rollback`;
    session.release();
    await stranger.end();
  }
}

async function waitingBackends(): Promise<number> {
  const rows = await admin`
    select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
  return rows.length;
}

/** Ends the store's connections: those that wait for a lock, as soon as there is one, or those that are idle. */
async function terminate({ blocked }: { blocked: boolean }): Promise<void> {
  const sql = postgres(database.url, { max: 1 });
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
  const rows = await admin`
    select pid from pg_locks where locktype = 'advisory' and granted
      and database = (select oid from pg_database where datname = current_database())`;
  return rows.map((row) => Number(row["pid"]));
}

function schemaOf({ address }: Place): string {
  if (address.dialect !== "postgres") throw new Error("Not a place on PostgreSQL.");
  return address.schema;
}

async function openStatus(address: Address): ReturnType<ReturnType<typeof openMigrator>["status"]> {
  const migrator = openMigrator(address);
  try {
    return await migrator.status();
  } finally {
    await migrator.close();
  }
}
