// A server that stands by for another (or was demoted) reads and does not write. Tables that are not logged cannot even
// be read there, which PostgreSQL reports with a code of its own.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { StoreAddress } from "../../src/store/address.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { onDatabase, ownServer } from "../support/postgres.ts";
import type { PostgresServer } from "../support/postgres-server.ts";
import { rejection } from "../support/rejection.ts";
import { callsOfParts, WORKER } from "./part-calls.ts";
import { migrate } from "./place.ts";
import { changeOf, plannedRecord } from "./rows.ts";

describe("on a standby", () => {
  const record = plannedRecord();
  let server: PostgresServer;
  let store: Store;

  beforeAll(async () => {
    server = await ownServer();
    const address: StoreAddress = { dialect: "postgres", url: server.url, schema: "taskonaut" };
    await migrate(address);
    const before = await openStore(address);
    await before.insertTasks([record]);
    await before.close();
    const folder = await onDatabase(server.url, async (sql) => {
      const [row] = await sql<{ data_directory: string }[]>`show data_directory`;
      return row?.data_directory ?? "";
    });
    await server.stop();
    const sign = join(folder, "standby.signal");
    await writeFile(sign, "");
    await chmod(sign, 0o666);
    await server.start();
    store = await openStore(address);
  });

  afterAll(async () => {
    await store.close();
    await server.dispose();
  });

  test("what stands is read", async () => {
    expect((await store.readTask(record.task.id))?.task.id).toBe(record.task.id);
    expect(await store.schedules.list({ limit: 10 })).toEqual([]);
  });

  const refused = { code: "database_unavailable", message: expect.stringContaining("Name the primary server") };

  test("what writes is refused, with what to do", async () => {
    const calls: Readonly<Record<string, () => Promise<unknown>>> = {
      checkReady: () => store.checkReady(),
      insertTasks: () => store.insertTasks([plannedRecord()]),
      commitChanges: () => store.commitChanges([changeOf(record.task)]),
      registerWorker: () => store.registerWorker({ id: WORKER, name: "w", leaseMs: 1000, concurrency: 1 }),
    };
    for (const [name, call] of Object.entries(calls))
      expect([name, await rejection(call())]).toMatchObject([name, refused]);
  });

  for (const [name, call] of Object.entries(callsOfParts())) {
    test(`${name} answers, or is refused in the same way`, async () => {
      const answer = await call(store).then(
        () => "answered",
        (error: unknown) => error,
      );
      if (answer !== "answered") expect(answer).toMatchObject(refused);
    });
  }
});
