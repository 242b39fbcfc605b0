// What every store must hold to (`src/store/pause-store.ts`), whatever lies beneath: what is paused, and who knows it.

import { describe, expect, test } from "bun:test";

import type { NewPause } from "../../src/store/store.ts";
import type { Place } from "./place.ts";
import { taskBench } from "./task-bench.ts";
import { plannedRecord } from "./rows.ts";

const HOUR_MS = 3_600_000;

export function pauseContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: pauses`, () => {
    const bench = taskBench(create, { hasOther: true });

    const worker = async (concurrency = 1): Promise<string> => {
      const id = crypto.randomUUID();
      await bench.store.registerWorker({ id, name: "host:1", leaseMs: HOUR_MS, concurrency });
      return id;
    };

    const enqueue = async (flow: string): Promise<string> => {
      const record = plannedRecord();
      const task = { ...record.task, flow_name: flow, due_at: (await bench.store.now()) - 1000 };
      await bench.store.insertTasks([{ ...record, task }]);
      return task.id;
    };

    const claim = async (workerId: string, flows: readonly string[]) => {
      const { tasks, ...rest } = await bench.store.claimTasks({
        workerId,
        limit: 10,
        flows: flows.map((name) => ({ name, limit: 10, heldMax: null })),
        deadOwners: [],
      });
      return { ...rest, ids: tasks.map(({ record }) => record.task.id) };
    };

    test("a pause is kept as it was given, with the store's time, and is replaced by the next one of the same thing", async () => {
      const before = await bench.store.now();
      const first = pauseOf("flow", "order", { reason: "it's \\ \0 \ud800 down", made_by: "ada@host" });
      const row = await bench.store.pauses.put(first);
      expect(row).toEqual({ ...first, reason: "it's \\ ␀ � down", since: row.since });
      expect(row.since).toBeGreaterThanOrEqual(before);
      expect(row.since).toBeLessThanOrEqual(await bench.store.now());
      const [all, tool] = [pauseOf("all", ""), pauseOf("tool", "order", { aborts: 1 })];
      for (const pause of [tool, all]) await bench.store.pauses.put(pause);
      const { pauses, seen } = await bench.other.pauses.read(crypto.randomUUID());
      expect(pauses.map(({ since: _since, ...pause }) => pause)).toEqual([
        all,
        { ...first, reason: "it's \\ ␀ � down" },
        tool,
      ]);
      expect(seen).toBeNull();

      const second = pauseOf("flow", "order");
      await bench.other.pauses.put(second);
      expect((await bench.store.pauses.read(crypto.randomUUID())).pauses[1]).toMatchObject(second);
      expect(await bench.store.pauses.remove("flow", "order")).toBe(true);
      expect(await bench.store.pauses.remove("flow", "order")).toBe(false);
      expect(await bench.store.pauses.remove("flow", "")).toBe(false);
      expect((await bench.other.pauses.read(crypto.randomUUID())).pauses.map(({ scope }) => scope)).toEqual([
        "all",
        "tool",
      ]);
    });

    test("a claim passes over the tasks of a flow that is paused, and tells what is paused", async () => {
      const id = await worker();
      const [order, invoice] = [await enqueue("order"), await enqueue("invoice")];
      await bench.other.pauses.put(pauseOf("tool", "order"));
      await bench.other.pauses.put(pauseOf("flow", "order", { reason: "why" }));
      const first = await claim(id, ["order", "invoice"]);
      expect(first.ids).toEqual([invoice]);
      expect(first.pauses.map(({ scope, name, reason }) => [scope, name, reason])).toEqual([
        ["flow", "order", "why"],
        ["tool", "order", null],
      ]);
      // one that gives no task tells it as well, and no time at which a task of a paused flow would be due
      expect(await claim(id, ["order"])).toMatchObject({ ids: [], nextDueAt: null, pauses: [{ name: "order" }, {}] });
      await bench.other.pauses.remove("flow", "order");
      expect((await claim(id, ["order"])).ids).toEqual([order]);
    });

    test("where everything is paused no flow's tasks are claimed, and a dead worker's stay with it", async () => {
      const [dead, id] = [await worker(), await worker()];
      const taken = await enqueue("order");
      expect((await claim(dead, ["order"])).ids).toEqual([taken]);
      await enqueue("invoice");
      await bench.store.pauses.put(pauseOf("all", ""));
      const request = { workerId: id, limit: 10, deadOwners: [dead] };
      const flows = ["order", "invoice"].map((name) => ({ name, limit: 10, heldMax: 5 }));
      expect((await bench.store.claimTasks({ ...request, flows })).tasks).toEqual([]);
      await bench.store.pauses.remove("all", "");
      expect((await bench.store.claimTasks({ ...request, flows })).tasks).toHaveLength(2);
      expect(await claim(id, ["order"])).toMatchObject({ pauses: [] });
    });

    test("a worker is unaware of a pause until it has acknowledged just that one", async () => {
      const [one, byHand] = [await worker(3), await worker(0)];
      const [first, second] = [pauseOf("flow", "order"), pauseOf("tool", "charge")];
      for (const pause of [first, second]) await bench.store.pauses.put(pause);
      const unaware = async (pauseId: string) => (await bench.other.pauses.findUnaware(pauseId)).map(({ id }) => id);
      expect(await unaware(first.id)).toEqual([one, byHand]);
      await bench.store.pauses.acknowledge(one, first.id);
      expect(await unaware(first.id)).toEqual([byHand]);
      expect(await unaware(second.id)).toEqual([one, byHand]);
      expect((await bench.store.pauses.read(one)).seen).toBe(first.id);
      await bench.store.pauses.acknowledge(one, `${first.id} ${second.id}`);
      expect(await unaware(second.id)).toEqual([byHand]);
      // who registers again has forgotten nothing
      await bench.store.registerWorker({ id: one, name: "host:1", leaseMs: HOUR_MS, concurrency: 3 });
      expect(await unaware(second.id)).toEqual([byHand]);
      expect(await bench.other.pauses.findUnaware(second.id)).toEqual([{ id: byHand, name: "host:1", concurrency: 0 }]);
      await bench.store.pauses.acknowledge(crypto.randomUUID(), second.id);
    });
  });
}

function pauseOf(scope: NewPause["scope"], name: string, more: Partial<NewPause> = {}): NewPause {
  return { scope, name, id: crypto.randomUUID(), reason: null, made_by: "host:1", aborts: 0, ...more };
}
