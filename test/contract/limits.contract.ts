// What every store must hold to of the limits of flows: how many tasks of a flow and of a key are held at once, how many
// begin within a time, and whose turn it is.

import { beforeEach, describe, expect, test } from "bun:test";

import type { TaskRow } from "../../src/core/record/record.ts";
import type { Claim, ClaimFlow, ClaimRequest, Store } from "../../src/store/store.ts";
import type { Place } from "./place.ts";
import { taskBench } from "./task-bench.ts";
import { changeOf, inStatus, plannedRecord } from "./rows.ts";

const HOUR_MS = 3_600_000;
const ONE_PER_KEY: ClaimFlow = { name: "mail", limit: 500, heldMax: null, keys: { heldMax: 1 } };

export function limitsContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: limits of flows`, () => {
    const bench = taskBench(create);
    const begunAt = Date.now() - 60_000;
    let due = begunAt;

    beforeEach(() => {
      due = begunAt;
    });

    const worker = crypto.randomUUID();
    const insertWorker = (id: string): Promise<void> => {
      const time = dialect === "sqlite" ? "1" : "now()";
      return bench.place.execute(`${dialect === "sqlite" ? "pragma busy_timeout = 5000;" : ""}
        insert into workers (id, name, started_at, lease_until, lease_ms) values ('${id}', 'w', ${time}, ${time}, 1)
        on conflict do nothing`);
    };
    const claim = async (flow: ClaimFlow, over: Partial<ClaimRequest> = {}, by = bench.store): Promise<Claim> => {
      const request = { workerId: worker, limit: 500, flows: [flow], deadOwners: [], ...over };
      await insertWorker(request.workerId);
      return by.claimTasks(request);
    };
    const rowsOf = ({ tasks }: Claim): readonly TaskRow[] => tasks.map(({ record }) => record.task);
    const keysOf = (found: Claim): readonly string[] => rowsOf(found).map((task) => task.limit_key ?? "none");
    /** Due one after the other. */
    const queue = async (
      keys: readonly (string | null)[],
      over: Partial<TaskRow> = {},
    ): Promise<readonly TaskRow[]> => {
      const records = keys.map((limit_key) =>
        plannedRecord({ flow_name: "mail", limit_key, due_at: (due += 1), ...over }),
      );
      await bench.store.insertTasks(records);
      return records.map(({ task }) => task);
    };
    const end = async (task: TaskRow, by = bench.store): Promise<void> => {
      const ended = { ...inStatus("COMPLETED"), lease_owner: null, due_at: null };
      expect(await by.commitChanges([changeOf(task, ended)])).toEqual([true]);
    };
    const sleep = async (task: TaskRow, dueAt: number): Promise<void> => {
      const asleep = { status: "WAITING_OBSERVATION", lease_owner: null, due_at: dueAt } as const;
      expect(await bench.store.commitChanges([changeOf(task, asleep)])).toEqual([true]);
    };
    const set = (columns: string, values: string): Promise<void> =>
      bench.place.execute(`insert into limits (kind, name, set_by, set_at, ${columns})
        values ('flow', 'mail', 'me', ${dialect === "sqlite" ? "1" : "now()"}, ${values})`);

    test("one of each key runs at a time, in the order of creation, and keys take turns", async () => {
      const first = await queue(Array.from({ length: 700 }, () => "a"));
      await queue(["b", "c", "b"]);
      const claimed = await claim({ ...ONE_PER_KEY, limit: 4 });
      expect(keysOf(claimed).toSorted()).toEqual(["a", "b", "c"]);
      expect(keysOf(await claim(ONE_PER_KEY))).toEqual([]);
      for (const [place_, task] of rowsOf(claimed).entries())
        if (task.limit_key === "a") await end(rowsOf(claimed)[place_] ?? task);
      for (let n = 1; n < 5; n++) {
        const [next, ...others] = rowsOf(await claim(ONE_PER_KEY));
        expect([next?.id, others.length]).toEqual([first[n]?.id, 0]);
        if (next) await end(next);
      }
    });

    test("with room for one, each key has its turn", async () => {
      await queue(["a", "a", "a", "b", "b", "c"]);
      const flow = { ...ONE_PER_KEY, heldMax: 1 };
      const served: (string | null)[] = [];
      for (let n = 0; n < 6; n++) {
        const [task] = rowsOf(await claim(flow));
        if (!task) throw new Error("Nothing was claimed.");
        served.push(task.limit_key);
        expect(keysOf(await claim(flow))).toEqual([]);
        await end(task);
      }
      expect(served).toEqual(["a", "b", "c", "a", "b", "a"]);
      expect(keysOf(await claim(flow))).toEqual([]);
    });

    test("what has begun goes before what has not, and its key has no more room for others", async () => {
      const [first] = await queue(["a", "a", "b"]);
      const [begun] = rowsOf(await claim({ ...ONE_PER_KEY, limit: 1 }));
      if (!begun) throw new Error("Nothing was claimed.");
      expect(begun.id).toBe(first?.id ?? "");
      await sleep(begun, Date.now() + HOUR_MS);
      // while it waits it holds no place: the next of its key runs
      const others = rowsOf(await claim(ONE_PER_KEY));
      expect(others.map((task) => task.limit_key ?? "none").toSorted()).toEqual(["a", "b"]);
      for (const task of others) await end(task);
      await queue(["a"], { due_at: begunAt - 1000 });
      const asleep = (await bench.store.readTask(begun.id))?.task;
      if (!asleep) throw new Error("It is gone.");
      await sleep(asleep, Date.now() - 1);
      const found = await claim(ONE_PER_KEY);
      expect(rowsOf(found).map(({ id }) => id)).toEqual([begun.id]);
    });

    test("a limit over all and one for each key hold at once", async () => {
      await queue(["a", "a", "a", "a", "b", "b", "c", "c"]);
      const flow = { ...ONE_PER_KEY, heldMax: 5, keys: { heldMax: 2 } };
      let tasks: readonly TaskRow[] = [];
      for (let n = 0; n < 3; n++) tasks = [...tasks, ...rowsOf(await claim(flow))];
      expect(tasks).toHaveLength(5);
      const counts = Object.values(Object.groupBy(tasks, (task) => task.limit_key ?? "")).map(
        (all) => all?.length ?? 0,
      );
      expect(Math.max(...counts)).toBe(2);
    });

    test("without a limit for each key the tasks of few keys are all claimed, in turns of keys", async () => {
      await queue([...Array.from({ length: 30 }, () => "a"), ...Array.from({ length: 3 }, () => "b")]);
      const flow = { ...ONE_PER_KEY, keys: { heldMax: null } };
      const claimed: string[] = [];
      for (let n = 0; n < 40; n++) {
        const found = await claim(flow);
        claimed.push(...keysOf(found));
        if (!found.isCut) break;
      }
      expect(claimed).toHaveLength(33);
      expect(claimed.slice(0, 2).toSorted()).toEqual(["a", "b"]);
    });

    test("tasks from before their flow had a key are claimed beside the others", async () => {
      await queue([null, "a", null]);
      expect(keysOf(await claim(ONE_PER_KEY)).toSorted()).toEqual(["a", "none", "none"]);
    });

    test("what is not due yet, parked or held is nobody's turn", async () => {
      await queue(["a", "b"], { due_at: Date.now() + HOUR_MS });
      const [parked] = await queue(["c"], { due_at: null, parked_reason: "why" });
      await queue(["d"], { lease_owner: crypto.randomUUID() });
      const found = await claim(ONE_PER_KEY);
      expect(keysOf(found)).toEqual([]);
      expect(found.nextDueAt).toBeGreaterThan(Date.now() + HOUR_MS / 2);
      expect(parked?.limit_key).toBe("c");
    });

    test("what a caller drives by hand counts for no limit", async () => {
      const [byHand] = await queue(["a", "a", "b"]);
      if (!byHand) throw new Error("There is none.");
      expect(await bench.store.commitChanges([changeOf(byHand, { lease_owner: worker })])).toEqual([true]);
      await bench.store.limits.declare([
        { kind: "flow", name: "mail", isKeyed: true, running: 2, runningPerKey: 1, rate: null },
      ]);
      const running = async (): Promise<number | undefined> => (await bench.store.limits.list())[0]?.running;
      expect(await running()).toBe(0);
      const claimed = rowsOf(await claim({ ...ONE_PER_KEY, heldMax: 2 }));
      expect(claimed.map((task) => task.limit_key ?? "none").toSorted()).toEqual(["a", "b"]);
      expect(await running()).toBe(2);
      for (const task of claimed) await end(task);
      expect(await running()).toBe(0);
    });

    test("what a dead worker held counts for its key until it is taken over, and is taken over first", async () => {
      const dead = crypto.randomUUID();
      const [first] = await queue(["a", "a", "b"]);
      expect(rowsOf(await claim({ ...ONE_PER_KEY, limit: 1 }, { workerId: dead })).map(({ id }) => id)).toEqual([
        first?.id ?? "",
      ]);
      expect(keysOf(await claim(ONE_PER_KEY))).toEqual(["b"]);
      const { tasks } = await claim(ONE_PER_KEY, { deadOwners: [dead] });
      expect(tasks.map(({ record, takenFrom }) => [record.task.id, takenFrom])).toEqual([[first?.id ?? "", dead]]);
      expect(keysOf(await claim(ONE_PER_KEY, { deadOwners: [dead] }))).toEqual([]);
    });

    test("what has begun waits as well while another of its key runs, and of several one goes on", async () => {
      await queue(["a", "a", "a"]);
      const begin = async (): Promise<TaskRow> => {
        const [task] = rowsOf(await claim({ ...ONE_PER_KEY, limit: 1 }));
        if (!task) throw new Error("Nothing was claimed.");
        return task;
      };
      const awake = async (task: TaskRow): Promise<void> => {
        const { version } = (await bench.store.readTaskRow(task.id)) ?? task;
        const asleep = { ...task, status: "WAITING_OBSERVATION", version, lease_owner: null } as const;
        const change = changeOf(asleep, { due_at: Date.now() - 1 });
        expect(await bench.store.commitChanges([change])).toEqual([true]);
      };
      const first = await begin();
      await sleep(first, Date.now() + HOUR_MS);
      const second = await begin();
      await awake(first);
      expect(rowsOf(await claim(ONE_PER_KEY))).toEqual([]);
      await sleep(second, Date.now() - 1);
      expect(rowsOf(await claim(ONE_PER_KEY))).toHaveLength(1);
    });

    test.each([true, false])(
      "a task that is taken over counts no second time for a rate (keys: %p)",
      async (isKeyed) => {
        const rate = { rate: { count: 2, perMs: HOUR_MS } };
        const used: ClaimFlow = isKeyed
          ? { ...ONE_PER_KEY, ...rate }
          : { name: "mail", limit: 500, heldMax: null, ...rate };
        const dead = crypto.randomUUID();
        await queue(isKeyed ? ["a", "b", "c"] : [null, null, null]);
        const [first] = rowsOf(await claim({ ...used, limit: 1 }, { workerId: dead }));
        expect(rowsOf(await claim(used, { deadOwners: [dead] })).map(({ id }) => id)).toContain(first?.id ?? "");
        const both = await bench.store.searchTasks({ limit: 10 });
        await claim(used, { deadOwners: [dead] });
        const rows = await Promise.all(both.rows.map(({ id }) => bench.store.readTaskRow(id)));
        expect(rows.filter((row) => row?.lease_owner === worker)).toHaveLength(2);
      },
    );

    test("a rate lets so many begin within its time, and lets those go on that have begun", async () => {
      const flow: ClaimFlow = { name: "mail", limit: 500, heldMax: null, rate: { count: 3, perMs: HOUR_MS } };
      await queue(Array.from({ length: 8 }, () => null));
      const begun = rowsOf(await claim(flow));
      expect(begun).toHaveLength(3);
      const none = await claim(flow);
      expect(none.tasks).toEqual([]);
      expect(none.nextDueAt).toBeWithin(Date.now() + HOUR_MS - 60_000, Date.now() + HOUR_MS + 60_000);
      if (begun[0]) await sleep(begun[0], Date.now() - 1);
      expect(rowsOf(await claim(flow)).map(({ id }) => id)).toEqual([begun[0]?.id ?? ""]);
      expect((await claim(flow)).tasks).toEqual([]);
      // its time has passed
      const past = dialect === "sqlite" ? "- 3700000" : "- interval '3700 s'";
      await bench.place.execute(`update limit_starts set slice_at = slice_at ${past}, last_at = last_at ${past}`);
      expect((await claim(flow)).tasks).toHaveLength(3);
      expect((await claim(flow)).tasks).toEqual([]);
      expect(await bench.place.count("limit_starts")).toBe(1);
    });

    test("a rate holds with keys, and counts what begins once", async () => {
      const flow: ClaimFlow = { ...ONE_PER_KEY, rate: { count: 4, perMs: HOUR_MS } };
      await queue(["a", "b", "c", "d", "e", "a"]);
      const begun = rowsOf(await claim(flow));
      expect(begun.map((task) => task.limit_key)).toEqual(["a", "b", "c", "d"]);
      expect((await claim(flow)).tasks).toEqual([]);
      // let go of before it had begun: it is counted already
      expect(await bench.store.releaseTasks({ workerId: worker, except: begun.slice(1).map(({ id }) => id) })).toBe(1);
      expect(rowsOf(await claim(flow)).map(({ id }) => id)).toEqual([begun[0]?.id ?? ""]);
      for (const task of begun.slice(1)) await end(task);
      expect((await claim(flow)).tasks).toEqual([]);
    });

    test("what is set counts in the place of what the code says, and 0 is no limit", async () => {
      const flow: ClaimFlow = { ...ONE_PER_KEY, heldMax: 1, rate: { count: 1, perMs: HOUR_MS } };
      await queue(["a", "a", "a", "b", "b"]);
      await set("running, running_per_key, rate_count, rate_ms", "3, 2, 4, 60000");
      let tasks: readonly TaskRow[] = [];
      for (let n = 0; n < 3; n++) tasks = [...tasks, ...rowsOf(await claim(flow, { limit: 10 }))];
      expect(tasks.map((task) => task.limit_key ?? "none").toSorted()).toEqual(["a", "a", "b"]);
      await bench.place.execute("update limits set running = 0, running_per_key = 0, rate_count = 0, rate_ms = null");
      for (let n = 0; n < 3; n++) tasks = [...tasks, ...rowsOf(await claim(flow, { limit: 10 }))];
      expect(tasks).toHaveLength(5);
    });

    test("however many claim at once, no key and no flow has more than its limits", async () => {
      const flow: ClaimFlow = { ...ONE_PER_KEY, limit: 3, heldMax: 4 };
      const keys = Array.from({ length: 60 }, (_, n) => `key ${n % 7}`);
      await queue(keys);
      const more = await Promise.all(Array.from({ length: 5 }, () => bench.open()));
      const held = new Map<string, TaskRow>();
      let left = keys.length;
      const work = async (by: Store): Promise<void> => {
        const workerId = crypto.randomUUID();
        while (left > 0) {
          for (const task of rowsOf(await claim(flow, { workerId }, by))) held.set(task.id, task);
          const all = [...held.values()];
          expect(all.length).toBeLessThanOrEqual(4);
          expect(new Set(all.map((task) => task.limit_key)).size).toBe(all.length);
          const mine = all.find((task) => task.lease_owner === workerId);
          if (!mine) continue;
          held.delete(mine.id); // from now on it may be gone
          left -= 1;
          await end(mine, by);
        }
      };
      await Promise.all(more.map(work));
      expect(await bench.place.count("tasks where lease_owner is not null")).toBe(0);
    }, 60_000);
  });
}
