// What a test of the SQLite store does in a process or a thread of its own: `bun sqlite-child.ts <command> <path>`, or
// a Worker, whose data is the renewal of a lease.

import { isMainThread, workerData } from "node:worker_threads";

import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import { plannedRecord } from "./rows.ts";
import { until } from "../support/until.ts";

const COMMANDS: Record<string, (path: string) => Promise<void>> = {
  /** Says which workers are dead. */
  async findDead(path) {
    const store = await openSqliteStore({ path });
    process.stdout.write(JSON.stringify(await store.findDeadWorkers()));
    await store.close();
  },

  /** Announces news a hundred times at once. */
  async announce(path) {
    const store = await openSqliteStore({ path });
    const told = await Promise.all(Array.from({ length: 100 }, () => store.announce()));
    process.stdout.write(JSON.stringify(told.length));
    await store.close();
  },

  /** Adds a due task and announces it, and the next when that one was claimed. */
  async add(path) {
    const store = await openSqliteStore({ path });
    const TASKS = 30;
    for (let count = 0; count < TASKS; count++) {
      const record = plannedRecord({ due_at: 1 });
      await store.insertTasks([record]);
      await store.announce();
      await until(async () => (await store.readTask(record.task.id))?.task.lease_owner !== null);
    }
    process.stdout.write(JSON.stringify(TASKS));
    await store.close();
  },

  /** Adds ten tasks in one commit, again and again until it is killed; says when the first are there. */
  async fill(path) {
    const store = await openSqliteStore({ path });
    for (let commits = 0; ; commits++) {
      await store.insertTasks(Array.from({ length: 10 }, () => plannedRecord()));
      if (commits === 0) process.stdout.write("filling");
    }
  },

  /** Watches, and has nothing else to do. */
  async watch(path) {
    const store = await openSqliteStore({ path });
    const { kind } = await store.watch(() => {});
    process.stdout.write(JSON.stringify(kind));
  },
};

/** Renews a lease so often. */
export interface Renewal {
  readonly path: string;
  readonly workerId: string;
  readonly times: number;
  /** One number: how many renewals have found the worker's row. */
  readonly renewed: SharedArrayBuffer;
}

async function renew({ path, workerId, times, renewed }: Renewal): Promise<void> {
  const store = await openSqliteStore({ path });
  for (let time = 0; time < times; time++) {
    if (await store.renewWorker(workerId, 60_000)) Atomics.add(new Int32Array(renewed), 0, 1);
  }
  await store.close();
}

if (isMainThread) {
  const [command = "", path = ""] = process.argv.slice(2);
  await COMMANDS[command]?.(path);
} else {
  await renew(workerData as Renewal);
}
