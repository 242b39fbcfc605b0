// What a test does in a process of its own: `bun child.ts <command> <address as JSON> [argument]`.

import { readFileSync } from "node:fs";

import { TaskonautError } from "../../src/core/errors.ts";
import { openSqliteBenchPlace } from "../../src/store/sqlite/bench-place.ts";
import type { StoreAddress } from "../../src/store/address.ts";
import { openMigrator, openStore } from "../../src/store/open.ts";
import { awaitGo, endWith } from "../support/children.ts";
import { changeOf, plannedRecord } from "./rows.ts";

const COMMANDS: Record<string, (address: StoreAddress, argument: string) => Promise<unknown>> = {
  /** Opens the store, as soon as all may go. */
  async open(address) {
    await awaitGo();
    const store = await openStore(address);
    await store.checkReady();
    await store.close();
    return "opened";
  },

  /** Migrates; gives the numbers that it applied itself. */
  async migrate(address) {
    await awaitGo();
    const migrator = await openMigrator(address);
    const applied = await migrator.migrate();
    await migrator.close();
    return applied.map((migration) => migration.number);
  },

  /** Raises a task's version by one, again and again, until it is 61; gives how often it was the one. */
  async race(address, taskId) {
    const store = await openStore(address);
    await store.checkReady();
    await awaitGo();
    let won = 0;
    for (;;) {
      const record = await store.readTask(taskId);
      if (!record) throw new Error("The task is gone.");
      if (record.task.version > 60) break;
      const [written] = await store.commitChanges([changeOf(record.task)]);
      if (written) won += 1;
    }
    await store.close();
    return won;
  },

  /** Lives as a worker until it is told to leave, or killed. */
  async work(address, workerId) {
    const store = await openStore(address);
    await store.registerWorker({ id: workerId, name: "child", leaseMs: 600_000, concurrency: 1 });
    await awaitGo();
    await store.removeWorker(workerId);
    await store.close();
    return "left";
  },

  /** Has a store with a task, and reads its file as a tool may that copies it. Gives what the store says when it goes on. */
  async keepWhileRead(address) {
    if (address.dialect !== "sqlite") throw new Error("SQLite only.");
    const store = await openStore(address);
    const record = plannedRecord();
    await store.insertTasks([record]);
    await Bun.write(`${address.path}.copy`, readFileSync(address.path));
    await awaitGo();
    const said: unknown[] = [];
    for (const use of [
      () => store.insertTasks([plannedRecord()]),
      () => store.readTask(record.task.id),
      () => store.renewWorker("w", 60_000),
      () => store.checkReady(),
    ]) {
      said.push(
        await use().then(
          () => "done",
          (error: unknown) => error instanceof TaskonautError && [error.code, error.message],
        ),
      );
    }
    await store.close();
    Bun.gc(true);
    return said;
  },

  /** Tries to open the store as a user who may not write there. */
  openAsNobody: (address) =>
    asNobody(async () => {
      const store = await openStore(address, { deadlineMs: 500 });
      await store.close();
    }),

  /** Tries to make a place to measure on, likewise. */
  measureAsNobody: (address) =>
    asNobody(async () => {
      if (address.dialect !== "sqlite") throw new Error("SQLite only.");
      await (await openSqliteBenchPlace(address)).remove();
    }),
};

async function asNobody(open: () => Promise<void>): Promise<unknown> {
  await awaitGo();
  if (process.getuid?.() === 0) process.setuid?.(65_534);
  try {
    await open();
    return "opened";
  } catch (error) {
    return error instanceof TaskonautError ? [error.code, error.message] : String(error);
  }
}

const [command = "", address = "", argument = ""] = process.argv.slice(2);
await endWith(await COMMANDS[command]?.(JSON.parse(address) as StoreAddress, argument));
