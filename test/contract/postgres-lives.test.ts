// Who lives and who does not, while connections to PostgreSQL come and go (`src/store/postgres/death-watch.ts`).

import { afterEach, beforeEach, describe, expect, test } from "bun:test";

import type { Store } from "../../src/store/store.ts";
import { openStore } from "../../src/store/open.ts";
import { migratedBench } from "./postgres-bench.ts";
import { startChild } from "./process.ts";
import { startProxy } from "../support/proxy.ts";
import { until } from "../support/until.ts";

const HOUR_MS = 3_600_000;

/** Longer than a lock must be free to count. */
const LONG_MS = 900;

const bench = migratedBench();

let observer: Store;
let open: (() => Promise<void> | void)[];

beforeEach(async () => {
  observer = await openStore(bench.place.address);
  open = [() => observer.close()];
});

afterEach(async () => {
  await Promise.all(open.map((close) => close()));
});

/** A worker in a store of its own, as if its process ran on another machine. */
async function registerElsewhere(url = bench.url): Promise<string> {
  const id = crypto.randomUUID();
  const store = await openStore({ dialect: "postgres", url, schema: bench.schema });
  open.push(() => store.close());
  await store.registerWorker({ id, name: "w", leaseMs: HOUR_MS, concurrency: 1 });
  await bench.place.execute("update workers set process = 'elsewhere'");
  return id;
}

/** Looks for the dead, again and again, until `time` has passed. Gives whom it found. */
async function lookAround(time: Promise<unknown>): Promise<string[]> {
  const dead = new Set<string>();
  const over = time.then(() => "over");
  do {
    for (const id of await observer.findDeadWorkers()) dead.add(id);
  } while ((await Promise.race([over, Bun.sleep(20)])) !== "over");
  return [...dead];
}

async function holderOfLock(): Promise<number | undefined> {
  const [row] = await bench.admin`
    select pid from pg_locks where locktype = 'advisory' and granted
      and database = (select oid from pg_database where datname = current_database())`;
  return row && Number(row["pid"]);
}

/** Until another session has the lock than this one. */
async function awaitOtherHolder(former: number | undefined): Promise<number> {
  let holder: number | undefined;
  await until(async () => {
    holder = await holderOfLock();
    return holder !== undefined && holder !== former;
  });
  return holder ?? 0;
}

async function graceOf(id: string): Promise<unknown> {
  const [row] = await bench.admin.unsafe(`select grace_ms from ${bench.schema}.workers where id = '${id}'`);
  return row?.["grace_ms"];
}

describe("a worker that lives elsewhere is not dead", () => {
  test("however often the backend of its lock is terminated", async () => {
    const id = await registerElsewhere();
    expect(await graceOf(id)).toBeGreaterThanOrEqual(400);
    const cuts = async (): Promise<void> => {
      let holder = await awaitOtherHolder(undefined);
      for (let cut = 0; cut < 12; cut++) {
        await bench.admin`select pg_terminate_backend(${holder})`;
        holder = await awaitOtherHolder(holder);
      }
    };
    expect(await lookAround(cuts())).toEqual([]);
    expect(await observer.readWorkerState(id)).toBe("alive");
  });

  test("where the server ends idle sessions", async () => {
    const name = new URL(bench.url).pathname.slice(1);
    await bench.admin.unsafe(`alter database ${name} set idle_session_timeout = '150ms'`);
    try {
      await registerElsewhere();
      const losses = async (): Promise<void> => {
        let holder = await awaitOtherHolder(undefined);
        for (let loss = 0; loss < 3; loss++) holder = await awaitOtherHolder(holder);
      };
      expect(await lookAround(losses())).toEqual([]);
    } finally {
      await bench.admin.unsafe(`alter database ${name} reset idle_session_timeout`);
    }
  });

  test("while what stands between it and the server is down", async () => {
    const proxy = await startProxy(bench.url);
    open.push(() => proxy[Symbol.dispose]());
    const id = await registerElsewhere(proxy.url);
    expect(await graceOf(id)).toBeNull();
    expect(await observer.findDeadWorkers()).toEqual([]);
    proxy.cut();
    await until(async () => (await holderOfLock()) === undefined);
    expect(await lookAround(Bun.sleep(LONG_MS))).toEqual([]);
    const [before] = await observer.listWorkers();
    proxy.pass();
    await awaitOtherHolder(undefined);
    // with the lock came a renewal
    await until(async () => ((await observer.listWorkers())[0]?.lease_until ?? 0) > (before?.lease_until ?? 0));
  });
});

test("a worker of this machine is not dead while its process is there, whatever became of its connection", async () => {
  const proxy = await startProxy(bench.url);
  open.push(() => proxy[Symbol.dispose]());
  const child = startChild("work", { dialect: "postgres", url: proxy.url, schema: bench.schema }, crypto.randomUUID());
  open.push(() => child.kill());
  await child.ready;
  expect(await observer.findDeadWorkers()).toEqual([]);
  proxy.cut();
  await until(async () => (await holderOfLock()) === undefined);
  await bench.place.execute("update workers set grace_ms = 1");
  expect(await lookAround(Bun.sleep(100))).toEqual([]);
  await child.kill();
  await until(async () => (await observer.findDeadWorkers()).length === 1);
});

test("a worker elsewhere that is killed is dead within a second, for all, long before its lease ends", async () => {
  const id = crypto.randomUUID();
  const child = startChild("work", bench.place.address, id);
  open.push(() => child.kill());
  await child.ready;
  await bench.place.execute("update workers set process = 'elsewhere', grace_ms = 400");
  expect(await observer.findDeadWorkers()).toEqual([]);
  await child.kill();
  await until(async () => (await observer.findDeadWorkers()).includes(id));
  const late = await openStore(bench.place.address);
  open.push(() => late.close());
  expect(await late.readWorkerState(id)).toBe("dead");
  expect(await late.findDeadWorkers()).toEqual([id]);
  expect(await late.forgetDeadWorkers()).toBe(1);
});
