// What only PostgreSQL can do to us: not be ready, go away and come back, never answer.

import { expect, test } from "bun:test";
import postgres from "postgres";

import type { Migrator } from "../../src/core/api/migrator.ts";
import { PostgresClient } from "../../src/store/postgres/connection.ts";
import { openPostgresStore } from "../../src/store/postgres/store.ts";
import { ownServer } from "../support/postgres.ts";
import type { StoreAddress } from "../../src/store/address.ts";
import { openMigrator, openStore } from "../../src/store/open.ts";
import { migrate } from "./place.ts";
import { postgresBench } from "./postgres-bench.ts";
import { startProxy } from "../support/proxy.ts";
import { changeOf, plannedRecord } from "./rows.ts";
import { until } from "../support/until.ts";

const HOUR_MS = 3_600_000;

const bench = postgresBench();

test("a migration that fails leaves nothing behind, and says why", async () => {
  await bench.place.execute(`create schema ${bench.schema}; create view ${bench.schema}.tasks_due as select 1`);
  await expect(migrate(bench.place.address)).rejects.toMatchObject({
    code: "database_unavailable",
    message: expect.stringMatching(/of another program.*TASKONAUT_SCHEMA.*"tasks_due" already exists/),
  });
  const status = await openStatus(bench.place.address);
  expect(status.every((migration) => migration.applied_at === null)).toBe(true);
  expect(await bench.admin`select 1 from pg_tables where schemaname = ${bench.schema}`).toHaveLength(0);
});

test("a database that was not migrated is refused, with the command to run, until it is", async () => {
  const store = await openStore(bench.place.address);
  const behind = { code: "database_behind", message: expect.stringContaining("It has to be migrated first.") };
  await expect(store.checkReady()).rejects.toMatchObject(behind);
  await expect(store.readTask(crypto.randomUUID())).rejects.toMatchObject(behind);
  await expect(store.insertTasks([plannedRecord()])).rejects.toMatchObject(behind);
  await migrate(bench.place.address);
  await store.checkReady();
  expect(await store.insertTasks([plannedRecord()])).toEqual([true]);
  await store.close();
});

test("a pooler that does not know the timeouts is used without them", async () => {
  await migrate(bench.place.address);
  using proxy = await startProxy(bench.url, { unknownParameter: "lock_timeout" });
  const store = await openPostgresStore({ url: proxy.url, schema: bench.schema });
  const writes = [store.insertTasks([plannedRecord()]), store.insertTasks([plannedRecord()])];
  expect(await Promise.all(writes)).toEqual([[true], [true]]);
  await store.close();
});

test.each(["jit", "lock_timeout"])("a pooler that refuses the setting %s gets the others", async (unknown) => {
  using proxy = await startProxy(bench.url, { unknownParameter: unknown });
  const client = new PostgresClient({ url: proxy.url, connectionsMax: 1, deadlineMs: 10_000, lockMs: 700 });
  const settings = ["jit", "enable_seqscan", "enable_bitmapscan", "lock_timeout", "statement_timeout"];
  const [row] = await client.query<Record<string, string>>(
    `select ${settings.map((name) => `current_setting('${name}') as ${name}`).join(", ")}`,
  );
  const wanted = {
    jit: "off",
    enable_seqscan: "off",
    enable_bitmapscan: "off",
    lock_timeout: "700ms",
    statement_timeout: "10100ms",
  };
  const [byDefault] = await bench.admin.unsafe(`show ${unknown}`);
  expect(row).toEqual({ ...wanted, [unknown]: byDefault?.[unknown] });
  await client.close();
});

test("a server that takes no writes is not ready", async () => {
  await migrate(bench.place.address);
  const name = new URL(bench.url).pathname.slice(1);
  await bench.admin.unsafe(`alter database ${name} set default_transaction_read_only = on`);
  const store = await openStore(bench.place.address);
  try {
    await expect(store.checkReady()).rejects.toMatchObject({
      code: "database_unavailable",
      message: expect.stringContaining("read-only"),
    });
  } finally {
    await bench.admin.unsafe(`alter database ${name} reset default_transaction_read_only`);
    await store.close();
  }
});

test("a connection that leads nowhere does not poison the calls after it", async () => {
  await migrate(bench.place.address);
  using proxy = await startProxy(bench.url);
  const store = await openPostgresStore({ url: proxy.url, schema: bench.schema, deadlineMs: 400 });
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
});

test("a login that is refused, a database that is not there and a full server are told apart, without the password", async () => {
  const crowd = `crowd_${crypto.randomUUID().replaceAll("-", "")}`;
  const cases: [change: (url: URL) => void, message: string][] = [
    [(url) => (url.password = "geheim"), "Check user and password"],
    [(url) => (url.pathname = "/nowhere"), "no such database"],
    [(url) => (url.port = "1"), "Check that the server runs"],
    [(url) => (url.username = crowd), "too many connections"],
  ];
  await bench.admin.unsafe(`create role ${crowd} login password 'geheim' connection limit 0`);
  for (const [change, message] of cases) {
    const url = new URL(bench.url);
    change(url);
    if (url.username === crowd) url.password = "geheim";
    const store = await openPostgresStore({ url: url.href, schema: bench.schema, deadlineMs: 3000 });
    const error = await store.checkReady().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "database_unavailable", message: expect.stringContaining(message) });
    expect(String(error)).not.toContain(url.password);
    await store.close();
  }
  await bench.admin.unsafe(`drop role ${crowd}`);
});

test("calls that wait for a connection which is refused end with the first of them, long before their deadline", async () => {
  const client = new PostgresClient({ url: "postgres://me@127.0.0.1:1/x", connectionsMax: 1, deadlineMs: HOUR_MS });
  const calls = [1, 2, 3].flatMap(() => [client.query("select 1"), client.read("select 1")]);
  for (const call of await Promise.allSettled(calls)) {
    expect(call).toMatchObject({ status: "rejected", reason: { code: "database_unavailable" } });
  }
  await client.close();
});

test("a server that stops and starts: calls fail quickly meanwhile, then all is well, and workers stay alive", async () => {
  const server = await ownServer();
  const address: StoreAddress = { dialect: "postgres", url: server.url, schema: "taskonaut" };
  await migrate(address);
  // whoever waited for the deadline would wait for long
  const [store, other] = await Promise.all([
    openStore(address, { deadlineMs: HOUR_MS }),
    openStore(address, { deadlineMs: HOUR_MS }),
  ]);
  const record = plannedRecord();
  const workerId = crypto.randomUUID();
  await store.insertTasks([record]);
  await store.registerWorker({ id: workerId, name: "w", leaseMs: HOUR_MS, concurrency: 7 });
  const admin = postgres(server.url, { max: 1, onnotice: () => {} });
  await admin`update taskonaut.workers set process = 'elsewhere'`;
  await admin.end();
  expect(await other.findDeadWorkers()).toEqual([]);
  for (const end of [() => server.stop(), () => server.kill()]) {
    await end();
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
    await server.start();
    expect(await store.readTask(record.task.id)).toEqual(record);
    expect(await store.insertTasks([plannedRecord()])).toEqual([true]);
    // Its lock went with the server, its lease did not; and it may take its time to come back.
    expect(await other.readWorkerState(workerId)).toBe("alive");
    await other.findDeadWorkers().catch(() => {}); // the connection that it had is gone
    expect(await other.findDeadWorkers()).toEqual([]);
  }
  const watcher = postgres(server.url, { max: 1 });
  await until(async () => (await watcher`select from pg_locks where locktype = 'advisory'`).length === 1);
  await watcher.end();
  await Promise.all([store.close(), other.close()]);
  await server.dispose();
}, 120_000);

async function openStatus(address: StoreAddress): ReturnType<Migrator["status"]> {
  const migrator = await openMigrator(address);
  try {
    return await migrator.status();
  } finally {
    await migrator.close();
  }
}
