// What every store must hold to (`src/store/store.ts`), whatever lies beneath: the queue, who takes what from it, and
// how the others hear of it.

import { describe, expect, test } from "bun:test";

import type { TaskRecord, TaskRow } from "../../src/core/record/record.ts";
import type { Claim, ClaimFlow, ClaimRequest, Store } from "../../src/store/store.ts";
import { turn } from "../support/fake-clock.ts";
import type { Place } from "./place.ts";
import { taskBench } from "./task-bench.ts";
import { callRow, changeOf, inStatus, plannedRecord, stepRow, T0 } from "./rows.ts";
import { until } from "../support/until.ts";
import { recordsOf } from "../support/listed.ts";

/** A server's clock is not quite this machine's. */
const CLOCK_MS = 5000;

const HOUR_MS = 3_600_000;

const FLOW: ClaimFlow = { name: "echo_add", limit: 500, heldMax: null };

export function queueContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: queue`, () => {
    const bench = taskBench(create, { hasOther: true });

    const worker = crypto.randomUUID();
    const peer = crypto.randomUUID();

    const queue = async (over: Partial<TaskRow> = {}): Promise<TaskRecord> => {
      const record = plannedRecord({ due_at: Date.now() - 1000, ...over });
      expect(await bench.store.insertTasks([record])).toEqual([true]);
      return record;
    };
    const claim = async (over: Partial<ClaimRequest> = {}, by = bench.store): Promise<Claim> => {
      const request = { workerId: worker, limit: 500, flows: [FLOW], deadOwners: [], ...over };
      // the row of a worker that claims is there; whether it lives is nothing to a claim
      await bench.place.execute(workerRow(dialect, request.workerId));
      return by.claimTasks(request);
    };
    const ownerOf = async ({ task }: TaskRecord): Promise<string | null | undefined> =>
      (await bench.other.readTask(task.id))?.task.lease_owner;

    test("what expires is found in order, unless somebody holds it or it has time", async () => {
      const expires = async (over: Partial<TaskRow>): Promise<string> =>
        (await bench.insert(plannedRecord({ due_at: T0, ...over }))).task.id;
      const [late, first, held, young, endless] = [
        await expires({ expires_at: T0 + 9 }),
        await expires({ expires_at: T0 + 1 }),
        await expires({ expires_at: T0 + 1, lease_owner: crypto.randomUUID() }),
        await expires({ expires_at: T0 * 2 }),
        await expires({}),
      ];
      expect(new Set([late, first, held, young, endless]).size).toBe(5);
      expect(await bench.store.admission.findExpired(10)).toEqual({ ids: [first, late], nextAt: T0 * 2 });
      expect(await bench.store.admission.findExpired(1)).toEqual({ ids: [first], nextAt: T0 * 2 });
    });

    test("a claim leases due tasks and gives them whole, as they are read afterwards", async () => {
      const planned = await queue({ due_at: T0 });
      const { task } = plannedRecord({
        status: "RUNNING",
        version: 7,
        due_at: T0 + 1,
        updated_at: Date.now() + HOUR_MS,
      });
      const steps = [
        stepRow(task.id, { step_index: 1, status: "RUNNING", starts: 2, doubt: '{"message": "who knows"}' }),
        stepRow(task.id, { step_index: 2, status: "COMPLETED", output_payload: '{"b":1, "a":2}', outcome_seq: 1 }),
      ] as const;
      const calls = [callRow(steps[0], { created_at: T0 }), callRow(steps[1], { created_at: T0 - 1 })] as const;
      await bench.store.insertTasks([{ task, steps: steps.toReversed(), calls }]);

      const asked = Date.now();
      const { tasks, nextDueAt, now } = await claim();
      expect(now).toBeWithin(asked - CLOCK_MS, Date.now() + CLOCK_MS);
      expect(nextDueAt).toBeNull();
      expect(tasks).toEqual([
        {
          record: { ...planned, task: { ...planned.task, version: 2, lease_owner: worker, updated_at: now } },
          takenFrom: null,
        },
        {
          // Time never runs back.
          record: { task: { ...task, version: 8, lease_owner: worker }, steps, calls: calls.toReversed() },
          takenFrom: null,
        },
      ]);
      for (const { record } of tasks) expect(await bench.other.readTask(record.task.id)).toEqual(record);
      expect((await claim({ workerId: peer }, bench.other)).tasks).toEqual([]);
    });

    test("a worker that has no row, which nobody would see die, takes nothing", async () => {
      const record = await queue();
      const request = { workerId: crypto.randomUUID(), limit: 500, flows: [FLOW], deadOwners: [] };
      await expect(bench.store.claimTasks(request)).rejects.toMatchObject({ code: "worker_not_registered" });
      expect(await ownerOf(record)).toBeNull();
      expect((await claim()).tasks).toHaveLength(1);
    });

    test("what a worker holds that has no row any more goes back into the queue, and nothing else", async () => {
      const orphan = await queue({ lease_owner: crypto.randomUUID(), version: 3 });
      const free = await queue();
      const held = await queue({ lease_owner: peer });
      await bench.place.execute(workerRow(dialect, peer));
      expect(await bench.store.releaseOrphans()).toBe(1);
      expect(await bench.store.releaseOrphans()).toBe(0);
      expect(await ownerOf(held)).toBe(peer);
      expect((await bench.other.readTask(orphan.task.id))?.task).toMatchObject({ lease_owner: null, version: 4 });
      expect((await claim()).tasks.map(({ record }) => record.task.id).toSorted()).toEqual(
        [orphan.task.id, free.task.id].toSorted(),
      );
    });

    test("tasks come by flow, then by priority, then by how long they are due", async () => {
      const now = Date.now();
      const at = (flow_name: string, priority: number, ago: number): Promise<TaskRecord> =>
        queue({ flow_name, priority, due_at: now - ago });
      const last = await at("b", 9, 9000);
      const late = await at("b", 5, 10);
      const early = await at("b", 5, 4000);
      const first = await at("b", 0, 10);
      const otherFlow = await at("a", 9, 10);
      const flows = ["b", "none", "a"].map((name) => ({ ...FLOW, name }));
      const { tasks } = await claim({ flows });
      const expected = [first, early, late, last, otherFlow].map(({ task }) => task.id);
      expect(tasks.map(({ record }) => record.task.id)).toEqual(expected);
    });

    test("only what is due, unheld and of the flows asked for is claimed", async () => {
      await queue({ flow_name: "other" });
      await queue({ due_at: null });
      await queue({ due_at: Date.now() + HOUR_MS });
      await queue({ lease_owner: peer });
      const parked = plannedRecord({ parked_reason: "why" });
      const ended = plannedRecord(inStatus("COMPLETED"));
      await bench.store.insertTasks([parked, ended]);
      expect((await claim()).tasks).toEqual([]);
      expect((await claim({ flows: [] })).tasks).toEqual([]);
      const free = await queue();
      expect((await claim()).tasks.map(({ record }) => record.task.id)).toEqual([free.task.id]);
    });

    test("no more are claimed than the limits say, of each flow and in all, and the rest stays free", async () => {
      for (let count = 0; count < 4; count++) {
        await queue({ flow_name: "a", priority: count });
        await queue({ flow_name: "b" });
      }
      const flowsOf = (limits: { a: number; b: number }): ClaimFlow[] =>
        Object.entries(limits).map(([name, limit]) => ({ name, limit, heldMax: null }));
      const namesOf = ({ tasks }: Claim): string => tasks.map(({ record }) => record.task.flow_name).join("");
      expect(namesOf(await claim({ flows: flowsOf({ a: 1, b: 2 }) }))).toBe("abb");
      expect(namesOf(await claim({ flows: flowsOf({ a: 500, b: 500 }), limit: 4 }, bench.other))).toBe("aaab");
      expect(namesOf(await claim({ flows: flowsOf({ a: 500, b: 500 }) }))).toBe("b");
    });

    test("who finds nothing hears when the next task is due", async () => {
      expect((await claim()).nextDueAt).toBeNull();
      const soon = Date.now() + HOUR_MS;
      await queue({ due_at: soon + 777, priority: 0 });
      await queue({ due_at: soon, priority: 9 });
      await queue({ due_at: soon - 5000, flow_name: "other" });
      expect((await claim()).nextDueAt).toBe(soon);
      expect((await claim({ flows: [FLOW, { ...FLOW, name: "other" }] })).nextDueAt).toBe(soon - 5000);
      await queue();
      expect((await claim()).nextDueAt).toBeNull();
      expect((await claim()).nextDueAt).toBe(soon);
    });

    test("what dead workers hold is taken over, with the name of who held it", async () => {
      const dead = crypto.randomUUID();
      const held = await queue({ lease_owner: dead, version: 3 });
      const free = await queue({ due_at: Date.now() });
      const living = await queue({ lease_owner: peer });
      const { tasks } = await claim({ deadOwners: [crypto.randomUUID(), dead] });
      expect(tasks.map(({ record, takenFrom }) => [record.task.id, record.task.version, takenFrom])).toEqual([
        [held.task.id, 4, dead],
        [free.task.id, 2, null],
      ]);
      expect(await ownerOf(living)).toBe(peer);
      // Whoever was taken for dead wrongly can write nothing any more.
      expect(await bench.other.commitChanges([changeOf(held.task)])).toEqual([false]);
    });

    test("a claimed task is its worker's to change, and leaves the queue when it ends", async () => {
      const { task } = await queue();
      const [claimed] = (await claim()).tasks;
      if (!claimed) throw new Error("Nothing was claimed.");
      expect(await bench.other.commitChanges([changeOf(task)])).toEqual([false]);
      const end = { ...inStatus("COMPLETED"), lease_owner: null, due_at: null };
      expect(await bench.store.commitChanges([changeOf(claimed.record.task, end)])).toEqual([true]);
      expect((await claim()).tasks).toEqual([]);
    });

    test("a worker lets go of all but some of its tasks, and others may have them at once", async () => {
      const [kept, free] = [await queue({ due_at: T0 }), await queue()];
      const foreign = await queue({ lease_owner: peer });
      const [, claimed] = (await claim()).tasks;
      expect(await bench.store.releaseTasks({ workerId: worker, except: [kept.task.id] })).toBe(1);
      expect([await ownerOf(kept), await ownerOf(free), await ownerOf(foreign)]).toEqual([worker, null, peer]);
      if (!claimed) throw new Error("Two were to be claimed.");
      expect(await bench.store.commitChanges([changeOf(claimed.record.task)])).toEqual([false]);
      const { tasks } = await claim({ workerId: peer }, bench.other);
      expect(tasks.map(({ record }) => record.task)).toMatchObject([{ id: free.task.id, due_at: free.task.due_at }]);
      expect(await bench.store.releaseTasks({ workerId: worker, except: [] })).toBe(1);
      expect(await bench.store.releaseTasks({ workerId: worker, except: [] })).toBe(0);
    });

    test("of what a worker lets go of no start counts any more, of what it keeps all do", async () => {
      const started = (): TaskRecord => {
        const { task } = plannedRecord({ status: "RUNNING", lease_owner: worker, due_at: T0 });
        return { task, steps: [stepRow(task.id, { status: "RUNNING", starts: 2 })], calls: [] };
      };
      const [kept, free] = [started(), started()];
      await bench.store.insertTasks([kept, free]);
      expect(await bench.store.releaseTasks({ workerId: worker, except: [kept.task.id] })).toBe(1);
      const startsOf = async ({ task }: TaskRecord): Promise<number | undefined> =>
        (await bench.other.readTask(task.id))?.steps[0]?.starts;
      expect([await startsOf(kept), await startsOf(free)]).toEqual([2, 0]);
    });

    test("what was parked by other code is due again; what this code parked stays", async () => {
      const parked = (parked_code: string | null, flow_name = "echo_add"): Promise<TaskRecord> =>
        queue({ due_at: null, parked_reason: "why", parked_code, flow_name });
      const older = await parked("old");
      const unknown = await parked(null);
      const same = await parked("new");
      const elsewhere = await parked("old", "elsewhere");
      const flows = [{ name: "echo_add", code: "new" }];
      expect(await bench.store.unparkTasks(flows)).toBe(2);
      expect(await bench.store.unparkTasks(flows)).toBe(0);
      for (const { task } of [older, unknown]) {
        expect((await bench.other.readTask(task.id))?.task).toMatchObject({ parked_reason: null, parked_code: null });
      }
      for (const { task } of [same, elsewhere]) expect((await bench.other.readTask(task.id))?.task).toEqual(task);
      const claimed = (await claim()).tasks.map(({ record }) => record.task.id);
      expect(new Set(claimed)).toEqual(new Set([older.task.id, unknown.task.id]));
      expect(await bench.store.unparkTasks([])).toBe(0);
    });

    test("many claim at once: each task is claimed by one", async () => {
      const records = Array.from({ length: 300 }, () => plannedRecord({ due_at: Date.now() - 1000 }));
      await bench.store.insertTasks(records);
      const claimAll = async (by: Store): Promise<string[]> => {
        const ids: string[] = [];
        for (let rounds = 0; rounds < 100; rounds++) {
          const { tasks } = await claim({ workerId: crypto.randomUUID(), limit: 7 }, by);
          ids.push(...tasks.map(({ record }) => record.task.id));
        }
        return ids;
      };
      const claimed = await Promise.all([bench.store, bench.other].map(claimAll));
      expect(claimed.flat().toSorted()).toEqual(records.map(({ task }) => task.id).toSorted());
    });

    test("a flow's limit over all workers holds, however many claim at once", async () => {
      const HELD_MAX = 5;
      const records = Array.from({ length: 60 }, () => plannedRecord({ due_at: Date.now() - 1000 }));
      await bench.store.insertTasks(records);
      const more = await Promise.all(Array.from({ length: 10 }, () => bench.open()));
      let left = records.length;
      const flows = [{ ...FLOW, limit: 4, heldMax: HELD_MAX }];
      const work = async (by: Store): Promise<void> => {
        while (left > 0) {
          const { tasks } = await claim({ workerId: crypto.randomUUID(), flows }, by);
          await turn(); // for all to see what is held
          for (const { record } of tasks) {
            const end = { ...inStatus("COMPLETED"), lease_owner: null, due_at: null };
            expect(await by.commitChanges([changeOf(record.task, end)])).toEqual([true]);
            left -= 1;
          }
        }
      };
      let most = 0;
      const watch = async (): Promise<void> => {
        for (;;) {
          const held = await countHeld();
          most = Math.max(most, held);
          if (left <= 0) return;
          await turn(); // a read may be answered without one
        }
      };
      await Promise.all([...more.map(work), watch()]);
      expect(most).toBeGreaterThan(0);
      expect(most).toBeLessThanOrEqual(HELD_MAX);
      expect(left).toBe(0);

      await bench.store.insertTasks(Array.from({ length: 60 }, () => plannedRecord({ due_at: Date.now() - 1000 })));
      const claims = await Promise.all(more.map((by) => claim({ workerId: crypto.randomUUID(), flows }, by)));
      expect(claims.reduce((sum, { tasks }) => sum + tasks.length, 0)).toBe(HELD_MAX);
      expect(await countHeld()).toBe(HELD_MAX);
    }, 120_000);

    const countHeld = async (): Promise<number> =>
      recordsOf(await bench.other.listTasks({ limit: 200 })).filter(({ task }) => task.lease_owner !== null).length;

    test("a flow's limit counts what the dead hold until it is taken over, and tasks in the queue only", async () => {
      const dead = crypto.randomUUID();
      const flows = [{ ...FLOW, heldMax: 3 }];
      for (let count = 0; count < 2; count++) await queue();
      expect((await claim({ flows, workerId: dead })).tasks).toHaveLength(2);
      await queue({ lease_owner: peer, due_at: null });
      for (let count = 0; count < 3; count++) await queue();
      const takenFrom = async (over: Partial<ClaimRequest>): Promise<(string | null)[]> =>
        (await claim({ flows, ...over })).tasks.map((task) => task.takenFrom);
      expect(await takenFrom({})).toEqual([null]);
      expect(await takenFrom({})).toEqual([]);
      expect(await takenFrom({ deadOwners: [dead] })).toEqual([dead, dead]);
      expect(await takenFrom({ deadOwners: [dead] })).toEqual([]);
      expect(await bench.store.releaseTasks({ workerId: worker, except: [] })).toBe(3);
      expect(await takenFrom({ workerId: peer })).toEqual([null, null, null]);
    });

    test("limits of several flows, in any order and of any name, do not lock claims out", async () => {
      const names = ["o'neil", String.raw`back\slash`, "$1", "plain"];
      for (const flow_name of [...names, ...names]) await queue({ flow_name });
      const flows = names.map((name) => ({ name, limit: 5, heldMax: name === "plain" ? null : 1 }));
      const claims = await Promise.all([
        claim({ flows }),
        claim({ flows: flows.toReversed(), workerId: peer }, bench.other),
      ]);
      const claimed = claims.flatMap(({ tasks }) => tasks.map(({ record }) => record.task.flow_name));
      expect(claimed.toSorted()).toEqual([...names, "plain"].toSorted());
    });

    test("a signal leaves a claimed task with its worker, and makes one that sleeps due", async () => {
      const held = await queue();
      await claim();
      const asleep = await queue({ status: "WAITING_OBSERVATION", due_at: Date.now() + HOUR_MS });
      for (const { task } of [held, asleep]) {
        const signal = { kind: "signal", name: "go", step_id: null, payload: "1", error: null } as const;
        const post = { ...signal, task_id: task.id, idempotency_key: null, attempt_epoch: null };
        expect(await bench.other.postToTask(post)).toEqual({ kind: "posted" });
      }
      const { tasks } = await claim({ workerId: peer }, bench.other);
      expect(tasks.map(({ record }) => record.task)).toMatchObject([{ id: asleep.task.id, wake_seq: 1 }]);
      expect(await ownerOf(held)).toBe(worker);
    });

    test("a watcher hears of what others put into the queue, until it is closed", async () => {
      let news = 0;
      const watch = await bench.other.watch(() => {
        news += 1;
      });
      expect(watch.kind).toBe("notified");
      for (let round = 0; round < 3; round++) {
        const before = news;
        await queue();
        await bench.store.announce();
        await until(async () => news > before);
      }
      const second = await bench.other.watch(() => {});
      await watch.close();
      await watch.close();
      const after = news;
      await queue();
      await bench.store.announce();
      await second.close();
      expect(news).toBe(after);
    });

    test("dead workers are found, and forgotten when they hold nothing any more", async () => {
      const register = (id: string): Promise<void> =>
        bench.other.registerWorker({ id, name: "host:1", leaseMs: HOUR_MS, concurrency: 7 });
      await register(worker);
      // they are listed by their starts, which must not be in one millisecond
      const started = await bench.store.now();
      await until(async () => (await bench.store.now()) > started);
      await register(peer);
      await queue({ lease_owner: worker });
      await queue({ lease_owner: worker });
      expect(await bench.store.findDeadWorkers()).toEqual([]);
      expect(await bench.store.forgetDeadWorkers()).toBe(0);
      await bench.place.execute(LEASE_PASSED[bench.place.address.dialect]);
      expect(new Set(await bench.store.findDeadWorkers())).toEqual(new Set([worker, peer]));
      await bench.other.renewWorker(peer, HOUR_MS);
      expect(await bench.store.findDeadWorkers()).toEqual([worker]);
      expect(await bench.store.forgetDeadWorkers()).toBe(0);
      expect(await bench.store.listWorkers()).toMatchObject([
        { id: worker, name: "host:1", concurrency: 7, state: "dead", tasks: 2 },
        { id: peer, name: "host:1", concurrency: 7, state: "alive", tasks: 0 },
      ]);
      await claim({ workerId: peer, deadOwners: [worker] });
      expect(await bench.store.forgetDeadWorkers()).toBe(1);
      expect(await bench.store.listWorkers()).toMatchObject([{ id: peer, tasks: 2 }]);
      expect(await bench.store.findDeadWorkers()).toEqual([]);
    });
  });
}

const workerRow = (dialect: string, id: string): string => {
  const time = dialect === "sqlite" ? "1" : "now()";
  return `${dialect === "sqlite" ? "pragma busy_timeout = 5000;" : ""}
    insert into workers (id, name, started_at, lease_until, lease_ms) values ('${id}', 'w', ${time}, ${time}, 1)
    on conflict do nothing`;
};

const LEASE_PASSED = {
  sqlite: "update workers set lease_until = 1",
  postgres: "update workers set lease_until = now() - interval '1 ms'",
};
