// Workers remove what ended long enough ago, beside their other work.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow, type Flow } from "../../src/core/flow/flow.ts";
import { runChild, waitForSignal } from "../../src/core/flow/operation.ts";
import { DEFAULT_LIMITS, type Retention } from "../../src/core/limits.ts";
import type { Clock } from "../../src/core/clock.ts";
import type { Log } from "../../src/core/log.ts";
import { retentionDuty } from "../../src/engine/queue/retention.ts";
import { Flows } from "../../src/engine/task/flows.ts";
import { echoAdd } from "../../src/flows/echo-add.ts";
import type { RemovalStore } from "../../src/store/removal-store.ts";
import type { Store } from "../../src/store/store.ts";
import { plannedRecord, inStatus } from "../contract/rows.ts";
import { END_STATUSES, type EndStatus, type RetentionOption } from "../../src/core/flow/retention.ts";
import { DATABASES } from "../support/databases.ts";
import { benchOn } from "../support/bench.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { rejection } from "../support/rejection.ts";
import { until } from "../support/until.ts";

const DAY_MS = 86_400_000;

const flowOf = (retention?: RetentionOption, letter = "f"): Flow =>
  defineFlow({
    name: `${letter}_${crypto.randomUUID().replaceAll("-", "")}`,
    input: v.unknown(),
    signals: { go: v.unknown() },
    ...(retention !== undefined && { retention }),
    *run() {
      yield* runChild(echoAdd, {});
      yield* waitForSignal("go");
    },
  });

/** A clock on which a rest is over at once. */
const restless = (rests: number[]): Clock => ({
  now: Date.now,
  elapsed: () => performance.now(),
  sleep: async (ms) => {
    rests.push(ms);
  },
});

interface Duty {
  readonly flows?: readonly Flow[];
  readonly retention?: Partial<Retention>;
  readonly owner?: string;
  readonly logged?: unknown[];
  readonly rests?: number[];
}

/** What the duty of one worker comes to, when its time has come. */
async function doDuty(store: Store, { flows = [], retention, owner, logged = [], rests = [] }: Duty): Promise<void> {
  const log = { info: (message: string, fields: unknown) => logged.push([message, fields]) } as unknown as Log;
  let skippedMs = 0;
  const clock = restless(rests);
  const duty = retentionDuty({
    flows: new Flows([echoAdd, ...flows], DEFAULT_LIMITS),
    store,
    clock: { ...clock, now: () => Date.now() + skippedMs },
    log,
    limits: { retention: { ...DEFAULT_LIMITS.retention, ...retention } },
    lease: { workerId: owner ?? Bun.randomUUIDv7() },
  });
  skippedMs = 3_600_000;
  await duty.do(new AbortController().signal);
}

describe.each(DATABASES)("retention on %s", (_name, create) => {
  const bench = benchOn(create);

  const ended = async (store: Store, flow: string, status: EndStatus, days: number): Promise<string> => {
    const at = Date.now() - days * DAY_MS;
    const times = { created_at: at - 1, updated_at: at, finished_at: at };
    const record = plannedRecord({ flow_name: flow, ...inStatus(status), ...times });
    await store.insertTasks([record]);
    return record.task.id;
  };
  const areThere = (store: Store, ids: readonly string[]): Promise<boolean[]> =>
    Promise.all(ids.map(async (id) => (await store.readTaskRow(id)) !== undefined));

  test("completed tasks go after 30 days, failed and cancelled ones after 90; the environment and a flow may say otherwise", async () => {
    const store = await bench.openStore();
    const [plain, week, some] = [flowOf(), flowOf("7d"), flowOf({ completed: "off", failed: "2d" })];
    const cases = [
      [plain, "COMPLETED", 29, true],
      [plain, "COMPLETED", 31, false],
      [plain, "FAILED", 31, true],
      [plain, "FAILED", 91, false],
      [plain, "CANCELLED", 4, true],
      [plain, "CANCELLED", 6, false],
      [week, "COMPLETED", 8, false],
      [week, "FAILED", 8, false],
      [week, "CANCELLED", 6, true],
      [some, "COMPLETED", 1000, true],
      [some, "FAILED", 3, false],
      [some, "CANCELLED", 6, false],
    ] as const;
    const ids: string[] = [];
    for (const [{ name }, status, days] of cases) ids.push(await ended(store, name, status, days));
    const logged: unknown[] = [];
    await doDuty(store, { flows: [plain, week, some], retention: { cancelled: 5 * DAY_MS }, logged });
    expect(await areThere(store, ids)).toEqual(cases.map(([, , , stays]) => stays));
    expect(logged).toContainEqual(["ended tasks removed", { flow: week.name, status: "FAILED", tasks: 1 }]);
    const off = await ended(store, plain.name, "COMPLETED", 1000);
    await doDuty(store, { flows: [plain], retention: { completed: null } });
    expect(await areThere(store, [off])).toEqual([true]);
  });

  test("tasks of a flow that the worker has not are for others", async () => {
    const store = await bench.openStore();
    const flow = flowOf();
    const id = await ended(store, flow.name, "COMPLETED", 1000);
    await doDuty(store, {});
    expect(await areThere(store, [id])).toEqual([true]);
    await doDuty(store, { flows: [flow] });
    expect(await areThere(store, [id])).toEqual([false]);
  });

  test("a worker rests after each portion, and while it removes no other does", async () => {
    const store = await bench.openStore();
    const flow = flowOf();
    const at = Date.now() - 40 * DAY_MS;
    const records = Array.from({ length: 1200 }, () =>
      plannedRecord({
        flow_name: flow.name,
        ...inStatus("COMPLETED"),
        created_at: at,
        updated_at: at,
        finished_at: at,
      }),
    );
    await store.insertTasks(records);
    const owner = Bun.randomUUIDv7();
    await store.removal.removeTasks({ ids: [], lease: { owner, ms: DAY_MS } });
    const rests: number[] = [];
    await doDuty(store, { flows: [flow], rests });
    expect(
      { ...(await store.removal.findEnded({ flow: flow.name, status: "COMPLETED", keptMs: 0 })) }.ids,
    ).toHaveLength(1000);
    // 1000 in three portions, and the last 200
    const removed: number[] = [];
    const removal: RemovalStore = {
      ...store.removal,
      portion: () => 400,
      removeTasks(which) {
        if (which.ids.length > 0) removed.push(which.ids.length);
        return store.removal.removeTasks(which);
      },
    };
    await doDuty({ ...store, removal }, { flows: [flow], owner, rests });
    expect(await store.removal.findEnded({ flow: flow.name, status: "COMPLETED", keptMs: 0 })).toEqual({ ids: [] });
    expect(removed).toEqual([400, 400, 200, 200]);
    expect(rests).toHaveLength(3);
    for (const rest of rests) expect(rest).toBeGreaterThan(0);
    // and it is free again at once
    const other = { owner: Bun.randomUUIDv7(), ms: 0 };
    expect(await store.removal.removeTasks({ ids: [], lease: other })).toMatchObject({ kind: "removed" });
  });

  test("a working worker does it, and spares what an open task has begun", async () => {
    const clock = new FakeClock(Date.now() - 40 * DAY_MS);
    const flow = flowOf();
    const past = await bench.openEngine({ flows: [flow], clock });
    const { task } = await past.createTask({ flow: flow.name, input: {} });
    const waits = await past.runTask(task.id);
    expect(waits.status).toBe("WAITING_OBSERVATION");
    const child = waits.steps.find(({ child_task_id }) => child_task_id)?.child_task_id ?? "";
    const { id: alone } = await past.runTask((await past.createTask({ flow: "echo_add", input: {} })).task.id);
    expect(await past.getTask(child)).toMatchObject({ status: "COMPLETED" });

    const present = new FakeClock(Date.now());
    const engine = await bench.openEngine({ flows: [flow], clock: present });
    await engine.startWorker({ concurrency: 1 });
    const store = await bench.openStore();
    await until(async () => {
      await present.advance(61_000);
      return (await store.readTaskRow(alone)) === undefined;
    });
    expect((await engine.getTask(child)).status).toBe("COMPLETED");
    await engine.signalTask(task.id, { name: "go", payload: null });
    expect((await engine.runTask(task.id)).status).toBe("COMPLETED");
    expect(await rejection(engine.getTask(alone))).toMatchObject({ code: "task_not_found" });
  });

  test("a purge removes what is past its time, and no more; filters leave out others", async () => {
    const week = flowOf("7d");
    const gone = flowOf();
    const engine = await bench.openEngine({ flows: [week] });
    const store = await bench.openStore();
    const [old, failed, recent, lost] = await Promise.all([
      ended(store, week.name, "COMPLETED", 8),
      ended(store, week.name, "FAILED", 8),
      ended(store, week.name, "COMPLETED", 6),
      ended(store, gone.name, "COMPLETED", 1000),
    ]);
    const all = [old, failed, recent, lost];
    const filter = { flow: [week.name] };
    const both = [
      { flow_name: week.name, status: "COMPLETED", tasks: 1 },
      { flow_name: week.name, status: "FAILED", tasks: 1 },
    ] as const;
    const counted = await engine.bulk.purge({ filter, isDryRun: true });
    expect(counted).toEqual({ removed: both, not_loaded: [], next: null });
    expect(await areThere(store, all)).toEqual([true, true, true, true]);
    // they ended eight days ago: not before ten days ago, nor within the last two hours
    for (const times of [{ finishedUntil: "10d" }, { finishedSince: "2h" }]) {
      expect((await engine.bulk.purge({ filter: { ...filter, ...times }, isDryRun: false })).removed).toEqual([]);
    }
    expect(await areThere(store, all)).toEqual([true, true, true, true]);
    const some = { filter: { ...filter, status: ["FAILED"] }, isDryRun: false } as const;
    expect((await engine.bulk.purge(some)).removed).toEqual([both[1]]);
    expect(await areThere(store, all)).toEqual([true, false, true, true]);
    const rest = await engine.bulk.purge({ filter: {}, isDryRun: false });
    expect(rest.removed).toContainEqual(both[0]);
    expect(rest.not_loaded).toContain(gone.name);
    expect(await areThere(store, all)).toEqual([false, false, true, true]);
    await engine.bulk.purge({ filter: { flow: [gone.name] }, isDryRun: false });
    expect(await areThere(store, all)).toEqual([false, false, true, false]);
  });

  test("a purge removes nothing of what is kept for ever, and no more than the filter allows of the rest", async () => {
    const kept = flowOf({ completed: "off", failed: "1d" });
    const engine = await bench.openEngine({ flows: [kept] });
    const store = await bench.openStore();
    const ids = [
      await ended(store, kept.name, "COMPLETED", 10_000),
      await ended(store, kept.name, "FAILED", 10),
      await ended(store, kept.name, "FAILED", 3),
    ];
    const purge = (filter: object) =>
      engine.bulk.purge({ filter: { flow: [kept.name], ...filter }, isDryRun: false }).then(({ removed }) => removed);
    expect(await purge({ status: ["COMPLETED"] })).toEqual([]);
    expect(await purge({ finishedUntil: "5d" })).toEqual([{ flow_name: kept.name, status: "FAILED", tasks: 1 }]);
    expect(await areThere(store, ids)).toEqual([true, false, true]);
    expect(await purge({})).toEqual([{ flow_name: kept.name, status: "FAILED", tasks: 1 }]);
    expect(await areThere(store, ids)).toEqual([true, false, false]);
  });

  test("a purge goes on where its cursor says, flow by flow", async () => {
    // in a language, a comes before B; in bytes it is the other way round
    const flows = [flowOf("1d", "a"), flowOf("1d", "B"), flowOf("1d", "c")];
    // a moment is over at once
    let skippedMs = 0;
    const clock: Clock = { ...restless([]), now: () => Date.now() + (skippedMs += 400) };
    const engine = await bench.openEngine({ flows, clock });
    const store = await bench.openStore();
    const ids: string[] = [];
    for (const { name } of flows) {
      for (const status of END_STATUSES) ids.push(await ended(store, name, status, 2));
    }
    const filter = { flow: flows.map(({ name }) => name) };
    let calls = 0;
    let sum = 0;
    for (let cursor: string | null | undefined; cursor !== null; calls++) {
      const page = await engine.bulk.purge({ filter, isDryRun: false, ...(cursor !== undefined && { cursor }) });
      sum += page.removed.reduce((count, { tasks }) => count + tasks, 0);
      cursor = page.next;
      expect(calls).toBeLessThan(50);
    }
    expect(calls).toBeGreaterThan(1);
    expect(sum).toBe(ids.length);
    expect(new Set(await areThere(store, ids))).toEqual(new Set([false]));
    for (const cursor of ["x", "order/RUNNING", "order/FAILED/1/2"])
      expect(await rejection(engine.bulk.purge({ filter, isDryRun: true, cursor }))).toMatchObject({
        code: "input_invalid",
      });
  });
});
