// On SQLite a damaged value may be of another type than its column. Who asks for the next time of something then waits for
// what is no time: that must be no wait at all, and no loop without an end.

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { type Log, SILENT } from "../../src/core/log.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import type { Store } from "../../src/store/store.ts";
import { engineOn } from "../support/engine.ts";
import { execute } from "../support/past-the-store.ts";
import { until } from "../support/until.ts";
import { Watchdog } from "../support/watchdog.ts";
import { onSqlite, type Place } from "./damage-place.ts";
import { FLOWS } from "./damage-world.ts";

const MS_MAX = 60_000;

let place: Place;
let watchdog: Watchdog;
let store: Store;
beforeAll(async () => {
  watchdog = await Watchdog.start();
  place = await onSqlite();
});
beforeEach(async () => {
  await place.database.restore();
  store = await place.open();
});
afterEach(() => store.close());
afterAll(async () => {
  watchdog.stop();
  await place.close();
});

/** An engine, and the schedules of which it logs that they are damaged. */
async function schedulesLogged(): Promise<{ readonly engine: Engine; readonly damaged: readonly unknown[] }> {
  const damaged: unknown[] = [];
  const log: Log = {
    ...SILENT,
    error: (message, fields) => {
      if (message === "schedule damaged") damaged.push(fields?.["schedule"]);
    },
  };
  return { engine: engineOn(await place.open(), { flows: FLOWS, log }), damaged };
}

const VALUES = ["'frob'", "x'ff00'"];

test.each(VALUES)(
  "a schedule with the next time %s is told as damaged, and no other one waits for it",
  async (value) => {
    await execute(place.url, { sqlite: `update schedules set next_at = ${value} where name = 'hourly'` });
    const flows = [{ name: "echo_add", code: "c1" }];
    const { due, nextAt } = await store.schedules.readDue(flows);
    expect(due.map(({ row }) => [row.name, row.damage])).toEqual([["hourly", "its next_at is not a time"]]);
    expect(nextAt).toBe((await store.schedules.read("nightly"))?.next_at ?? 0);
    await execute(place.url, { sqlite: `update schedules set next_at = ${value}` });
    expect((await store.schedules.readDue(flows)).nextAt).toBeNull();

    const { engine, damaged } = await schedulesLogged();
    await watchdog.watch("a worker", MS_MAX, async () => {
      await engine.startWorker({ concurrency: 1 });
      await until(() => damaged.includes("nightly"));
      await engine.close();
    });
  },
);

test("a damaged value of a schedule is not written over by its next firing", async () => {
  await execute(place.url, { sqlite: "update schedules set next_at = 1, fired_at = 'frob' where name = 'hourly'" });
  const { engine, damaged } = await schedulesLogged();
  await engine.startWorker({ concurrency: 1 });
  await until(() => damaged.includes("hourly"));
  await engine.close();
  expect((await store.schedules.read("hourly"))?.damage).toBe("its fired_at is not a time");
});

test.each(VALUES)("a task that is due, or expires, at %s makes no worker look again and again", async (value) => {
  await execute(place.url, {
    sqlite: `update tasks set due_at = ${value} where due_at is not null;
      update tasks set expires_at = ${value} where expires_at is not null`,
  });
  const workerId = Bun.randomUUIDv7();
  await store.registerWorker({ id: workerId, name: "looks", leaseMs: 60_000, concurrency: 1 });
  const flows = FLOWS.map(({ name }) => ({ name, limit: 1, heldMax: null }));
  const { tasks, nextDueAt } = await store.claimTasks({ workerId, limit: 1, flows, deadOwners: [] });
  expect({ tasks, nextDueAt }).toEqual({ tasks: [], nextDueAt: null });
  expect((await store.admission.findExpired(10)).nextAt).toBeNull();
});

test.each(VALUES)("starts of a rate at %s say no time at which more may start", async (value) => {
  await execute(place.url, {
    sqlite: `update limits set rate_count = 1, rate_ms = 3600000 where kind = 'flow' and name = 'queued';
      update limit_starts set last_at = ${value} where kind = 'flow' and name = 'queued'`,
  });
  const workerId = Bun.randomUUIDv7();
  await store.registerWorker({ id: workerId, name: "looks", leaseMs: 60_000, concurrency: 1 });
  const rate = { count: 1, perMs: 3_600_000 };
  const flows = [{ name: "queued", limit: 1, heldMax: null, rate }];
  const { nextDueAt } = await store.claimTasks({ workerId, limit: 1, flows, deadOwners: [] });
  expect(Number.isSafeInteger(nextDueAt ?? 0)).toBe(true);
});

test("a limit whose name is no text in UTF-8 keeps nobody from giving out places", async () => {
  await execute(place.url, { sqlite: "update tickets set limit_name = cast(x'ff' as text) where granted_at is null" });
  await watchdog.watch("giving out places", MS_MAX, () => store.limits.settle());
});
