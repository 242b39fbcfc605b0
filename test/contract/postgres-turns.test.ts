// Callers of one task from several processes: the lock under which each writes, and the turns that they wait for.

import { afterEach, describe, expect, test } from "bun:test";
import postgres from "postgres";

import { openStore } from "../../src/store/open.ts";
import { quoteSchema } from "../../src/store/postgres/schema.ts";
import { taskKey } from "../../src/store/postgres/tasks.ts";
import type { Store } from "../../src/store/store.ts";
import { until } from "../support/until.ts";
import { migratedBench } from "./postgres-bench.ts";
import { changeOf, plannedRecord } from "./rows.ts";

const bench = migratedBench();
const OWNER = "019aaaaa-0000-7000-8000-000000000001";

const repeat = (value: boolean): boolean[] => Array.from({ length: 3 }, () => value);

let stores: Store[] = [];
async function another(works = false): Promise<Store> {
  const store = await openStore(bench.place.address, { works });
  stores.push(store);
  return store;
}

afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()));
  stores = [];
});

interface Locks {
  readonly held: number;
  readonly waiting: number;
}

/** Advisory locks of tasks and turns: nobody has others while no worker is there. */
async function locks(): Promise<Locks> {
  const [row] = await bench.admin<Locks[]>`
    select count(*) filter (where granted)::integer as held, count(*) filter (where not granted)::integer as waiting
    from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`;
  return row ?? { held: 0, waiting: 0 };
}

/** Whether it has ended by now, with nobody waited for. */
function watched<Result>(promise: Promise<Result>): {
  readonly promise: Promise<Result>;
  readonly isDone: () => boolean;
} {
  let isDone = false;
  return { promise: promise.finally(() => (isDone = true)), isDone: () => isDone };
}

describe("a write", () => {
  async function whileLocked(id: string, during: () => Promise<void>): Promise<void> {
    const stranger = postgres(bench.url, { max: 1 });
    try {
      await stranger.begin(async (sql) => {
        await sql.unsafe(`select pg_advisory_xact_lock(${taskKey(quoteSchema(bench.schema), `'${id}'`)})`);
        await during();
      });
    } finally {
      await stranger.end();
    }
  }

  test("of a task that is leased to nobody waits for the task's lock, alone and among others", async () => {
    const store = await another();
    const [one, two] = [plannedRecord(), plannedRecord()];
    await store.insertTasks([one, two]);
    let written = watched(Promise.resolve([false]));
    await whileLocked(one.task.id, async () => {
      written = watched(store.commitChanges([changeOf(one.task)]) as Promise<boolean[]>);
      await until(async () => (await locks()).waiting === 1);
      expect(written.isDone()).toBe(false);
    });
    expect(await written.promise).toEqual([true]);
    const next = { ...one.task, version: 2 };
    await whileLocked(one.task.id, async () => {
      written = watched(store.commitChanges([changeOf(two.task), changeOf(next)]) as Promise<boolean[]>);
      await until(async () => (await locks()).waiting === 1);
      expect(written.isDone()).toBe(false);
    });
    expect(await written.promise).toEqual([true, true]);
    expect(await locks()).toEqual({ held: 0, waiting: 0 });
  });

  test("that has waited still loses where its version is not the task's any more", async () => {
    const [store, other] = [await another(), await another()];
    const record = plannedRecord();
    await store.insertTasks([record]);
    let written: Promise<readonly boolean[]>[] = [];
    await whileLocked(record.task.id, async () => {
      written = [store.commitChanges([changeOf(record.task)])];
      await until(async () => (await locks()).waiting === 1);
      written.push(other.commitChanges([changeOf(record.task)]));
      await until(async () => (await locks()).waiting === 2);
    });
    // in the order in which they came
    expect(await Promise.all(written)).toEqual([[true], [false]]);
  });

  test("under a lease does not ask for it", async () => {
    const store = await another();
    const record = plannedRecord({ lease_owner: OWNER });
    await store.insertTasks([record]);
    await whileLocked(record.task.id, async () => {
      expect(await store.commitChanges([changeOf(record.task)])).toEqual([true]);
    });
  });

  test("of several tasks takes their locks in one order, whatever the order of its changes: none waits in a circle", async () => {
    const [store, other] = [await another(), await another()];
    const [first, second, between] = [plannedRecord(), plannedRecord(), plannedRecord()];
    await store.insertTasks([first, second, between]);
    let written: Promise<readonly boolean[]>[] = [];
    await whileLocked(between.task.id, async () => {
      const changes = [first, between, second].map(({ task }) => changeOf(task));
      written = [store.commitChanges(changes), other.commitChanges(changes.toReversed())];
      await until(async () => (await locks()).waiting === 2);
    });
    const [one, two] = await Promise.all(written);
    expect([one, two]).toEqual(one?.[0] ? [repeat(true), repeat(false)] : [repeat(false), repeat(true)]);
  });
});

describe("a turn", () => {
  test("comes to one after the other, in the order in which they asked", async () => {
    const [first, second, third] = [await another(), await another(), await another()];
    const id = crypto.randomUUID();
    const heard: string[] = [];
    const turn = await first.takeTurn(id);
    const next = second.takeTurn(id).then((given) => {
      heard.push("second");
      return given;
    });
    await until(async () => (await locks()).waiting === 1);
    const last = third.takeTurn(id).then((given) => {
      heard.push("third");
      return given;
    });
    await until(async () => (await locks()).waiting === 2);
    expect(heard).toEqual([]);
    turn.end();
    turn.end();
    (await next).end();
    (await last).end();
    expect(heard).toEqual(["second", "third"]);
    await until(async () => (await locks()).held === 0);
  });

  test("at another task is not waited for, neither in the process nor by others", async () => {
    const [first, second] = [await another(), await another()];
    const turns = [await first.takeTurn(crypto.randomUUID()), await second.takeTurn(crypto.randomUUID())];
    expect(await locks()).toEqual({ held: 2, waiting: 0 });
    // the process has one
    turns.push(await first.takeTurn(crypto.randomUUID()));
    expect(await locks()).toEqual({ held: 2, waiting: 0 });
    for (const turn of turns) turn.end();
  });

  test("that nobody ends is over in a moment", async () => {
    const [first, second] = [await another(), await another()];
    const id = crypto.randomUUID();
    const turn = await first.takeTurn(id);
    (await second.takeTurn(id)).end();
    expect(turn.isOver).toBe(true);
    await until(async () => (await locks()).held === 0);
  });

  test("ends with its connection, and the same caller is given another one", async () => {
    const [first, second] = [await another(), await another()];
    const id = crypto.randomUUID();
    let turn = await first.takeTurn(id);
    const next = second.takeTurn(id);
    await until(async () => (await locks()).waiting === 1);
    await bench.admin`
      select pg_terminate_backend(pid) from pg_locks
      where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())`;
    (await next).end();
    await until(async () => (await locks()).held === 0);
    await until(async () => {
      turn.end();
      turn = await first.takeTurn(id);
      return (await locks()).held === 1;
    });
    turn.end();
  });

  test("is not taken by the store of a worker, whose connections are counted", async () => {
    const store = await another(true);
    (await store.takeTurn(crypto.randomUUID())).end();
    expect(await locks()).toEqual({ held: 0, waiting: 0 });
  });

  test("is none where the database is away, and no error", async () => {
    const store = await openStore({ dialect: "postgres", url: "postgres://127.0.0.1:1/none", schema: "taskonaut" });
    stores.push(store);
    (await store.takeTurn(crypto.randomUUID())).end();
  });
});
