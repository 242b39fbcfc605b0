// What every store must hold to (`src/store/store.ts`), whatever lies beneath: workers, and who of them lives.

import { describe, expect, test } from "bun:test";

import type { TaskRecord } from "../../src/core/record/record.ts";
import type { ScheduleRow } from "../../src/core/record/schedule.ts";
import type { DeathCause } from "../../src/store/blame.ts";
import type { Place } from "./place.ts";
import { taskBench } from "./task-bench.ts";
import { startChild } from "./process.ts";
import type { Child } from "../support/children.ts";
import { changeOf, plannedRecord, scheduleRow } from "./rows.ts";
import { until } from "../support/until.ts";

export function workerContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: workers`, () => {
    const bench = taskBench(create, { hasOther: true });

    const HOUR_MS = 3_600_000;

    test("a worker lives from its registration to its removal, for itself and for others", async () => {
      const id = crypto.randomUUID();
      expect(await bench.other.readWorkerState(id)).toBe("dead");
      const flows = ["order", "größe's"];
      const codes = { order: "5f3a", "größe's": "77" };
      await bench.store.registerWorker({ id, name: "host:1", leaseMs: HOUR_MS, concurrency: 7, flows, codes });
      expect([await bench.store.readWorkerState(id), await bench.other.readWorkerState(id)]).toEqual([
        "alive",
        "alive",
      ]);
      const [row] = await bench.other.listWorkers();
      expect(row).toMatchObject({ id, name: "host:1", flows: JSON.stringify(flows), codes: JSON.stringify(codes) });
      expect((row?.lease_until ?? 0) - (row?.started_at ?? 0)).toBe(HOUR_MS);
      await bench.store.removeWorker(id);
      expect([await bench.store.readWorkerState(id), await bench.other.readWorkerState(id)]).toEqual(["dead", "dead"]);
      expect(await bench.other.listWorkers()).toEqual([]);
      await bench.store.removeWorker(id);
    });

    test("a worker may have any name, with NUL and lone surrogates made visible", async () => {
      await bench.store.registerWorker({
        id: crypto.randomUUID(),
        name: "a\0b\ud800",
        leaseMs: HOUR_MS,
        concurrency: 7,
      });
      expect((await bench.store.listWorkers()).map((worker) => worker.name)).toEqual(["a␀b�"]);
    });

    test("a lease is prolonged, and a worker whose lease has passed is dead although it holds its lock", async () => {
      const id = crypto.randomUUID();
      await bench.store.registerWorker({ id, name: "w", leaseMs: HOUR_MS, concurrency: 7 });
      await bench.place.execute(LEASE_PASSED[bench.place.address.dialect]);
      expect([await bench.store.readWorkerState(id), await bench.other.readWorkerState(id)]).toEqual(["dead", "dead"]);
      expect(await bench.store.renewWorker(id, HOUR_MS)).toBe(true);
      expect(await bench.other.readWorkerState(id)).toBe("alive");
      expect(await bench.store.renewWorker(crypto.randomUUID(), HOUR_MS)).toBe(false);
    });

    test("a killed process is dead at once, long before its lease ends, and one that leaves is too", async () => {
      const [killed, left] = [crypto.randomUUID(), crypto.randomUUID()];
      const children = [killed, left].map((id) => startChild("work", bench.place.address, id)) as [Child, Child];
      await Promise.all(children.map((child) => child.ready));
      expect([await bench.store.readWorkerState(killed), await bench.store.readWorkerState(left)]).toEqual([
        "alive",
        "alive",
      ]);
      await children[0].kill();
      await until(async () => (await bench.store.readWorkerState(killed)) === "dead");
      expect(await bench.store.readWorkerState(left)).toBe("alive");
      await children[1].go();
      expect(await children[1].result()).toBe("left");
      expect(await bench.store.readWorkerState(left)).toBe("dead");
      expect((await bench.store.listWorkers()).map((worker) => worker.id)).toEqual([killed]);
    }, 120_000);

    test("one that leaves while it holds a task stays known, and is dead", async () => {
      const id = crypto.randomUUID();
      await bench.store.registerWorker({ id, name: "w", leaseMs: HOUR_MS, concurrency: 7 });
      await bench.store.insertTasks([plannedRecord({ due_at: 1, lease_owner: id })]);
      await bench.store.removeWorker(id);
      expect(await bench.other.listWorkers()).toMatchObject([{ id, state: "dead", tasks: 1 }]);
      expect(await bench.other.findDeadWorkers()).toEqual([id]);
    });

    /** A worker holds both tasks, each with a step that has started, and is found dead. */
    async function dieOf(cause: DeathCause | null, tasks: readonly TaskRecord[]): Promise<void> {
      const id = crypto.randomUUID();
      await bench.store.registerWorker({ id, name: "w", leaseMs: HOUR_MS, concurrency: 7 });
      const flows = [{ name: "echo_add", limit: 10, heldMax: null }];
      const claim = await bench.store.claimTasks({ workerId: id, limit: 10, flows, deadOwners: [] });
      expect(claim.tasks).toHaveLength(tasks.length);
      await bench.store.commitChanges(
        claim.tasks.map(({ record: { task, steps } }) =>
          changeOf(task, {}, { changedSteps: steps.map((step) => ({ ...step, starts: 2 })) }),
        ),
      );
      if (cause) await bench.store.noteCause(id, { ...cause, seconds: 9 });
      await bench.store.noteCause(id, cause);
      expect(await bench.other.findDeadWorkers()).toEqual([]);
      await bench.place.execute(LEASE_PASSED[bench.place.address.dialect]);
      // peers look at the same time
      expect(await Promise.all([bench.store.findDeadWorkers(), bench.other.findDeadWorkers()])).toEqual([[id], [id]]);
      if (cause === null) await bench.store.releaseTasks({ workerId: id, except: [] });
      await bench.store.removeWorker(id);
    }

    test("what a worker was seen to do when it died is counted once for that task, and nothing else that it held is a suspect", async () => {
      const [bad, good] = [plannedRecord({ due_at: 1 }), plannedRecord({ due_at: 1 })];
      await bench.store.insertTasks([bad, good]);
      const stateOf = async ({ task: { id } }: TaskRecord): Promise<unknown> => {
        const record = await bench.other.readTask(id);
        const { lease_owner, parked_reason } = record?.task ?? {};
        return { lease_owner, parked_reason, starts: record?.steps.map(({ starts }) => starts) };
      };
      const free = { lease_owner: null, parked_reason: null };
      const cause = { taskId: bad.task.id, stepId: "", seconds: 0.3 };
      for (const each of [cause, null, cause]) {
        await dieOf(each, [bad, good]);
        expect(await stateOf(good)).toEqual({ ...free, starts: [0, 0] });
        expect(await stateOf(bad)).toMatchObject(free);
      }
      await dieOf({ ...cause, taskId: good.task.id }, [bad, good]);
      expect(await stateOf(bad)).toMatchObject(free);
      await dieOf(cause, [bad, good]);
      expect(await stateOf(good)).toEqual({ ...free, starts: [0, 0] });
      expect(await stateOf(bad)).toMatchObject({
        lease_owner: null,
        parked_reason: expect.stringMatching(
          /^The processes that ran the code of flow echo_add died 3 times in a row while it ran: the last one after 0\.3 s or more/,
        ),
      });
    });

    test("a schedule whose firing it planned is counted the same, is paused at the third, and is not while it is paused", async () => {
      const at = (await bench.store.now()) - 1000;
      const rows = ["deadly", "beside"].map((name) => scheduleRow({ name, nominal_at: at, next_at: at }));
      for (const row of rows) expect(await bench.store.schedules.insert(row)).toBe(true);
      const task = plannedRecord({ due_at: 1 });
      await bench.store.insertTasks([task]);
      const cause = { schedule: "deadly", at: "/flows/größe.ts:7:1", seconds: 0.3 };
      const deadly = async (): Promise<ScheduleRow | undefined> => bench.other.schedules.read("deadly");
      for (const each of [cause, null, cause]) await dieOf(each, [task]);
      expect(await deadly()).toMatchObject({ deaths: 2, version: 3, paused_at: null, next_at: at });
      await dieOf(cause, [task]);
      const paused = await deadly();
      expect(paused).toMatchObject({ deaths: 3, version: 4, next_at: null, nominal_at: at });
      expect(paused?.paused_at).toBeGreaterThan(at);
      expect(paused?.pause_reason).toBe(
        "The processes that planned its tasks died 3 times in a row in the contract, keys, tags or plan of flow echo_add (at /flows/größe.ts:7:1): the last one after 0.3 s or more in one go, of a crash or for want of memory. Fix the flow, then resume the schedule with schedule resume deadly.",
      );
      await dieOf(cause, [task]);
      await dieOf({ ...cause, schedule: "removed" }, [task]);
      await dieOf({ flow: "echo_add", at: "", seconds: 0.3 }, [task]);
      expect(await deadly()).toEqual(paused);
      expect(await bench.other.schedules.read("beside")).toEqual(rows[1]);
      const { lease_owner, parked_reason } = (await bench.other.readTaskRow(task.task.id)) ?? {};
      expect({ lease_owner, parked_reason }).toEqual({ lease_owner: null, parked_reason: null });
    });

    test("what a worker did is forgotten when that is done, and when it comes back", async () => {
      const id = crypto.randomUUID();
      const worker = { id, name: "w", leaseMs: HOUR_MS, concurrency: 7 };
      await bench.store.registerWorker(worker);
      const record = plannedRecord({ due_at: 1, lease_owner: id });
      await bench.store.insertTasks([record]);
      await bench.store.noteCause(id, { taskId: record.task.id, stepId: "", seconds: 1 });
      await bench.store.registerWorker(worker);
      await bench.place.execute(LEASE_PASSED[bench.place.address.dialect]);
      expect(await bench.other.findDeadWorkers()).toEqual([id]);
      expect((await bench.other.readTask(record.task.id))?.task.lease_owner).toBe(id);
    });
  });
}

const LEASE_PASSED = {
  sqlite: "update workers set lease_until = 1",
  postgres: "update workers set lease_until = now() - interval '1 ms'",
};
