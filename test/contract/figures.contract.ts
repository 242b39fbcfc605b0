// Figures of the store as a whole.

import { describe, expect, test } from "bun:test";

import { WAIT_BITS } from "../../src/core/record/waits.ts";
import type { Place } from "./place.ts";
import { plannedRecord } from "./rows.ts";
import { taskBench } from "./task-bench.ts";

const WORKER = "0000000a-0000-4000-8000-000000000000";
const idOf = (n: number): string => `0000000a-0000-4000-8000-00000000000${n}`;
const NOTHING = { due: 0, oldest_due_ms: null, in_doubt: 0, parked: 0 };

export function figureContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: figures`, () => {
    const bench = taskBench(create);

    test("what is due and held by nobody is told with the age of the first, whatever its priority", async () => {
      const { store } = bench;
      const now = await store.now();
      await bench.insert(plannedRecord({ due_at: now - 60_000, priority: 9 }));
      await bench.insert(plannedRecord({ due_at: now - 5_000, priority: 0 }));
      await bench.insert(plannedRecord({ due_at: now - 900_000, lease_owner: WORKER }));
      await bench.insert(plannedRecord({ due_at: now + 3_600_000 }));
      await bench.insert(plannedRecord({ flow_name: "order", due_at: null }));
      const figures = await store.figures.ofFlows(["echo_add", "order", "none"]);
      const [echoAdd] = figures.filter(({ flow_name }) => flow_name === "echo_add");
      expect(echoAdd).toMatchObject({ due: 2, in_doubt: 0, parked: 0 });
      expect(echoAdd?.oldest_due_ms).toBeGreaterThanOrEqual(60_000);
      expect(echoAdd?.oldest_due_ms).toBeLessThan(900_000);
      expect(figures.filter(({ flow_name }) => flow_name !== "echo_add")).toEqual([
        { flow_name: "order", ...NOTHING },
        { flow_name: "none", ...NOTHING },
      ]);
    });

    test("tasks in doubt and parked tasks are counted by flow", async () => {
      const { store } = bench;
      await bench.insert(plannedRecord({ waits: WAIT_BITS.doubt, due_at: null }));
      await bench.insert(plannedRecord({ waits: WAIT_BITS.doubt | WAIT_BITS.time | WAIT_BITS.pause, due_at: null }));
      await bench.insert(plannedRecord({ waits: WAIT_BITS.signal, due_at: null }));
      await bench.insert(plannedRecord({ flow_name: "order", parked_reason: "other code", due_at: null }));
      const figures = await store.figures.ofFlows(["echo_add", "order"]);
      expect(figures).toEqual([
        { flow_name: "echo_add", ...NOTHING, in_doubt: 2 },
        { flow_name: "order", ...NOTHING, parked: 1 },
      ]);
    });

    test("living workers that take tasks are counted with their places", async () => {
      const { store } = bench;
      expect(await store.figures.ofWorkers()).toEqual({ workers: 0, slots: 0 });
      const worker = { name: "w", leaseMs: 60_000 };
      await store.registerWorker({ ...worker, id: idOf(1), concurrency: 5 });
      await store.registerWorker({ ...worker, id: idOf(2), concurrency: 7 });
      await store.registerWorker({ ...worker, id: idOf(3), concurrency: 0 });
      await store.registerWorker({ ...worker, id: idOf(4), concurrency: 9, leaseMs: 1 });
      await bench.place.execute(`update workers set lease_until = started_at where id = '${idOf(4)}'`);
      expect(await store.figures.ofWorkers()).toEqual({ workers: 2, slots: 12 });
    });

    test("of each limit of a tool it is told how many wait for a ticket", async () => {
      const { store } = bench;
      const limit = { isKeyed: false, running: 1, runningPerKey: null, rate: null };
      await store.limits.declare([
        { kind: "tool", name: "call_api", ...limit },
        { kind: "tool", name: "b_tool", ...limit },
        { kind: "flow", name: "order", ...limit },
      ]);
      for (let n = 0; n < 3; n++) {
        const record = await bench.insert(plannedRecord());
        const stepId = record.steps[0]?.id ?? "";
        await store.limits.take("call_api", [{ taskId: record.task.id, stepId, key: "", token: `t${n}` }]);
      }
      expect(await store.figures.ofTickets()).toEqual([
        { limit_name: "b_tool", waiting: 0 },
        { limit_name: "call_api", waiting: 2 },
      ]);
    });
  });
}
