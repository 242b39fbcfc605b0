// What every store must hold to of tickets (TK1 to TK4), and of what is set of limits.

import { describe, expect, test } from "bun:test";

import type { StepRow, TaskRow } from "../../src/core/record/record.ts";
import type { LimitNumbers, OwnLimit } from "../../src/store/limit-store.ts";
import type { Store } from "../../src/store/store.ts";
import type { Place } from "./place.ts";
import { taskBench } from "./task-bench.ts";
import { changeOf, inStatus, stepRow, taskRow } from "./rows.ts";

const HOUR_MS = 3_600_000;

interface Asking {
  readonly task: TaskRow;
  readonly step: StepRow;
}

export function ticketContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: tickets`, () => {
    const bench = taskBench(create);

    const holder = crypto.randomUUID();
    const limited = (over: Partial<LimitNumbers>, isKeyed = false): OwnLimit => ({
      kind: "tool",
      name: "openai",
      running: null,
      runningPerKey: null,
      rate: null,
      ...over,
      isKeyed,
    });
    const insert = async (over: Partial<TaskRow> = {}): Promise<Asking> => {
      const task = taskRow({ status: "RUNNING", due_at: Date.now() - 1000, lease_owner: holder, ...over });
      const step = stepRow(task.id);
      await bench.store.insertTasks([{ task, steps: [step], calls: [] }]);
      return { task, step };
    };
    const take = (asking: readonly Asking[], key = "", by = bench.store) =>
      by.limits.take(
        "openai",
        asking.map(({ task, step }) => ({ taskId: task.id, stepId: step.id, key, token: "t" })),
      );
    const idsOf = (asking: readonly Asking[]): readonly string[] => asking.map(({ step }) => step.id);
    const giveBack = (asking: readonly Asking[]) =>
      bench.store.limits.giveBack(
        "openai",
        asking.map(({ task, step }) => ({ taskId: task.id, stepId: step.id, token: "t" })),
      );
    const inboxOf = async ({ task }: Asking) => (await bench.store.readInbox(task.id, { names: [], after: 0 })).rows;
    const sleep = async ({ task }: Asking): Promise<void> => {
      const asleep = { status: "WAITING_OBSERVATION", lease_owner: null, due_at: Date.now() + HOUR_MS } as const;
      expect(await bench.store.commitChanges([changeOf(task, asleep)])).toEqual([true]);
    };
    const several = (count: number): Promise<readonly Asking[]> =>
      Promise.all(Array.from({ length: count }, () => insert()));

    test("there are as many as the limit says; who waits has the next one that is given back, in order", async () => {
      await bench.store.limits.declare([limited({ running: 2 })]);
      const asking = await several(5);
      const [first, second, third, fourth] = asking as [Asking, Asking, Asking, Asking, Asking];
      expect((await take(asking)).granted.toSorted()).toEqual(idsOf([first, second]).toSorted());
      // asking again changes nothing
      expect((await take(asking)).granted.toSorted()).toEqual(idsOf([first, second]).toSorted());
      await sleep(third);
      expect(await giveBack([second])).toEqual([third.task.id]);
      expect(await inboxOf(third)).toMatchObject([{ kind: "ticket", step_id: third.step.id, seq: 1 }]);
      const woken = await bench.store.readTaskRow(third.task.id);
      expect(woken).toMatchObject({ wake_seq: 1, version: third.task.version + 1 });
      expect(woken?.due_at ?? 0).toBeLessThanOrEqual(Date.now());
      expect((await take([third])).granted).toEqual(idsOf([third]));
      expect(await giveBack([first, third])).toHaveLength(2);
      expect(await inboxOf(fourth)).toHaveLength(1);
      expect(await giveBack([first])).toEqual([]);
    });

    test("what is given back late takes it from nobody who has asked since", async () => {
      await bench.store.limits.declare([limited({ running: 1 })]);
      const [one, other] = (await several(2)) as [Asking, Asking];
      const askAs = (token: string, { task, step }: Asking) =>
        bench.store.limits.take("openai", [{ taskId: task.id, stepId: step.id, key: "", token }]);
      expect((await askAs("first", one)).granted).toHaveLength(1);
      expect((await askAs("second", one)).granted).toHaveLength(1);
      await askAs("third", other);
      await bench.store.limits.giveBack("openai", [{ taskId: one.task.id, stepId: one.step.id, token: "first" }]);
      await bench.store.limits.giveBack("openai", [{ taskId: other.task.id, stepId: other.step.id, token: "first" }]);
      expect(await bench.place.count("tickets")).toBe(2);
      expect(
        await bench.store.limits.giveBack("openai", [{ taskId: one.task.id, stepId: one.step.id, token: "second" }]),
      ).toEqual([other.task.id]);
    });

    test("keys take turns, and have no more than each may", async () => {
      await bench.store.limits.declare([limited({ running: 3, runningPerKey: 2 }, true)]);
      const ofA = await several(6);
      const ofB = await several(2);
      expect((await take(ofA, "a")).granted).toHaveLength(2);
      expect((await take(ofB, "b")).granted).toEqual(idsOf(ofB.slice(0, 1)));
      const [next] = await giveBack(ofA.slice(0, 1));
      expect(next).toBe(ofA[2]?.task.id ?? "");
      expect(await giveBack(ofA.slice(1, 2))).toEqual([ofB[1]?.task.id ?? ""]);
    });

    test("a rate grants so many within its time", async () => {
      await bench.store.limits.declare([limited({ rate: { count: 3, perMs: HOUR_MS } })]);
      const asking = await several(5);
      expect((await take(asking)).granted).toHaveLength(3);
      expect(await giveBack(asking.slice(0, 3))).toEqual([]);
      expect(await bench.store.limits.settle()).toEqual({ woken: [], isWaiting: true });
      const past = dialect === "sqlite" ? "- 3700000" : "- interval '3700 s'";
      await bench.place.execute(`update limit_starts set slice_at = slice_at ${past}, last_at = last_at ${past}`);
      expect((await bench.store.limits.settle()).woken.toSorted()).toEqual(
        asking
          .slice(3)
          .map(({ task }) => task.id)
          .toSorted(),
      );
      expect(await bench.store.limits.settle()).toEqual({ woken: [], isWaiting: false });
    });

    test("without any number everybody has one, however many ask", async () => {
      await bench.store.limits.declare([limited({})]);
      const asking = await several(3);
      expect((await take(asking)).granted).toHaveLength(3);
    });

    test("what is granted to a step that has ended, or to a task that has, is free again", async () => {
      await bench.store.limits.declare([limited({ running: 2 })]);
      const asking = await several(5);
      const [ofStep, ofTask, ...waiting] = asking as [Asking, Asking, Asking, Asking, Asking];
      await take(asking);
      const step = { ...ofStep.step, status: "COMPLETED", output_payload: "1", outcome_seq: 1 } as const;
      await bench.store.commitChanges([changeOf(ofStep.task, {}, { changedSteps: [step] })]);
      await bench.store.commitChanges([
        changeOf(ofTask.task, { ...inStatus("CANCELLED"), lease_owner: null, due_at: null }),
        changeOf(waiting[0].task, { ...inStatus("CANCELLED"), lease_owner: null, due_at: null }),
      ]);
      // who has ended is passed over
      expect((await bench.store.limits.settle()).woken.toSorted()).toEqual(
        waiting
          .slice(1)
          .map(({ task }) => task.id)
          .toSorted(),
      );
      expect(await bench.place.count("tickets")).toBe(2);
    });

    test("what has ended keeps its ticket while the worker lives whose tool may still run, but not for ever", async () => {
      await bench.store.limits.declare([limited({ running: 2 })]);
      const id = crypto.randomUUID();
      await bench.store.registerWorker({ id, name: "w", leaseMs: HOUR_MS, concurrency: 1 });
      const asking = await several(4);
      const [ofStep, ofTask, ...waiting] = asking as [Asking, Asking, Asking, Asking];
      await bench.store.limits.take(
        "openai",
        asking.map(({ task, step }, n) => ({ taskId: task.id, stepId: step.id, key: "", token: `${id} ${n}` })),
      );
      const endOf = (step: StepRow) => ({ ...step, status: "CANCELLED", updated_at: Date.now() }) as const;
      await bench.store.commitChanges([
        changeOf(ofStep.task, {}, { changedSteps: [endOf(ofStep.step)] }),
        changeOf(
          ofTask.task,
          { ...inStatus("CANCELLED"), lease_owner: null, due_at: null },
          { changedSteps: [endOf(ofTask.step)] },
        ),
      ]);
      expect(await bench.store.limits.settle()).toEqual({ woken: [], isWaiting: true });
      const running = async () => (await bench.store.limits.list())[0]?.running;
      expect(await running()).toBe(2);
      const past = dialect === "sqlite" ? "updated_at - 3700000" : "updated_at - interval '3700 s'";
      await bench.place.execute(`update task_steps set updated_at = ${past} where id = '${ofTask.step.id}'`);
      expect(await running()).toBe(1);
      expect((await bench.store.limits.settle()).woken).toEqual([waiting[0].task.id]);
      await bench.store.removeWorker(id);
      expect(await running()).toBe(1);
      expect((await bench.store.limits.settle()).woken).toEqual([waiting[1]?.task.id ?? ""]);
    });

    test("what was granted to a step that waited, and has ended before it began, is free again", async () => {
      await bench.store.limits.declare([limited({ running: 1 })]);
      const id = crypto.randomUUID();
      await bench.store.registerWorker({ id, name: "w", leaseMs: HOUR_MS, concurrency: 1 });
      const asking = await several(3);
      const [first, second, third] = asking as [Asking, Asking, Asking];
      const token = `${id} 1`;
      await bench.store.limits.take(
        "openai",
        asking.map(({ task, step }) => ({ taskId: task.id, stepId: step.id, key: "", token })),
      );
      const given = { taskId: first.task.id, stepId: first.step.id, token };
      expect(await bench.store.limits.giveBack("openai", [given])).toEqual([second.task.id]);
      const { version } = (await bench.store.readTaskRow(second.task.id)) ?? second.task;
      const step = { ...second.step, status: "CANCELLED", updated_at: Date.now() } as const;
      await bench.store.commitChanges([changeOf({ ...second.task, version }, {}, { changedSteps: [step] })]);
      expect((await bench.store.limits.list())[0]?.running).toBe(0);
      expect((await bench.store.limits.settle()).woken).toEqual([third.task.id]);
    });

    test("a ticket of a task that nobody drives is taken back after a while, where others wait", async () => {
      await bench.store.limits.declare([limited({ running: 1 })]);
      const [idle, waiting] = (await several(2)) as [Asking, Asking];
      await take([idle]);
      await sleep(idle);
      await bench.store.limits.settle();
      await take([waiting]);
      expect(await bench.store.limits.settle()).toEqual({ woken: [], isWaiting: true });
      const past = dialect === "sqlite" ? "granted_at - 3700000" : "granted_at - interval '3700 s'";
      await bench.place.execute(`update tickets set granted_at = ${past} where granted_at is not null`);
      expect((await bench.store.limits.settle()).woken).toEqual([waiting.task.id]);
    });

    test("tickets go with their task, and nobody who has ended gets one", async () => {
      await bench.store.limits.declare([limited({ running: 1 })]);
      const [one, other] = (await several(2)) as [Asking, Asking];
      await take([one, other]);
      await bench.place.execute(
        `${dialect === "sqlite" ? "pragma foreign_keys = on;" : ""} delete from tasks where id = '${one.task.id}'`,
      );
      expect(await bench.place.count("tickets")).toBe(1);
      expect((await bench.store.limits.settle()).woken).toEqual([other.task.id]);
      const ended = await insert({ ...inStatus("FAILED"), lease_owner: null, due_at: null });
      expect((await take([ended])).granted).toEqual([]);
      expect(await bench.place.count("tickets")).toBe(1);
    });

    test("however many ask and give back at once, no more are granted than there are, and nobody is forgotten", async () => {
      await bench.store.limits.declare([limited({ running: 4, runningPerKey: 2 }, true)]);
      const more = await Promise.all(Array.from({ length: 4 }, () => bench.open()));
      const asking = await several(40);
      const done = new Set<string>();
      const held = new Set<string>();
      const work = async (by: Store, mine: readonly Asking[]): Promise<void> => {
        while (mine.some(({ step }) => !done.has(step.id))) {
          for (const [n, each] of mine.entries()) {
            if (done.has(each.step.id)) continue;
            const { granted } = await take([each], `key ${n % 3}`, by);
            if (granted.length === 0) continue;
            held.add(each.step.id);
            expect(held.size).toBeLessThanOrEqual(4);
            done.add(each.step.id);
            held.delete(each.step.id);
            await by.limits.giveBack("openai", [{ taskId: each.task.id, stepId: each.step.id, token: "t" }]);
          }
        }
      };
      await Promise.all(more.map((by, n) => work(by, asking.slice(10 * n, 10 * n + 10))));
      expect(done.size).toBe(40);
      expect(await bench.place.count("tickets")).toBe(0);
    }, 60_000);

    test("what is set counts in the place of what the code says, until it is reset", async () => {
      const limit = { kind: "tool", name: "openai" } as const;
      expect(await bench.store.limits.set(limit, { running: 3, reason: null, by: "me" })).toBe(false);
      await bench.store.limits.declare([limited({ running: 1, rate: { count: 50, perMs: 60_000 } })]);
      const asking = await several(4);
      expect((await take(asking)).granted).toHaveLength(1);
      expect(await bench.store.limits.set(limit, { running: 3, reason: "more money", by: "me" })).toBe(true);
      expect((await bench.store.limits.settle()).woken).toHaveLength(2);
      expect(await bench.store.limits.set(limit, { rate: 0, reason: "x", by: "you" })).toBe(true);
      const [row] = await bench.store.limits.list();
      expect(row).toMatchObject({
        ...limit,
        isKeyed: false,
        own: { running: 1, runningPerKey: null, rate: { count: 50, perMs: 60_000 } },
        set: { running: 3, runningPerKey: null, rate: 0, reason: "x", by: "you" },
        running: 3,
        waiting: 1,
      });
      expect(row?.set?.at ?? 0).toBeWithin(Date.now() - 10_000, Date.now() + 10_000);
      // what the code says anew changes nothing of what is set
      await bench.store.limits.declare([limited({ running: 2 })]);
      expect((await bench.store.limits.list())[0]).toMatchObject({
        own: { running: 2, rate: null },
        set: { running: 3 },
      });
      expect(await bench.store.limits.reset(limit)).toBe(true);
      expect((await bench.store.limits.list())[0]?.set).toBeNull();
      expect(await bench.store.limits.reset({ ...limit, name: "other" })).toBe(false);
    });

    test("who waits knows how many come before", async () => {
      await bench.store.limits.declare([limited({ running: 1 })]);
      const asking = await several(4);
      await take(asking);
      const placeOf = (n: number) => {
        const { task, step } = asking[n] as Asking;
        return bench.store.limits.placeOfStep(task.id, step.id);
      };
      expect(await placeOf(0)).toBeUndefined();
      expect(await placeOf(1)).toEqual({ before: 0 });
      expect(await placeOf(3)).toEqual({ before: 2 });
      const queued: Asking[] = [];
      for (let n = 0; n < 3; n++)
        queued.push(await insert({ flow_name: "f", lease_owner: null, due_at: Date.now() - 9000 + n }));
      const keyed: Asking[] = [];
      for (let n = 0; n < 3; n++) {
        const over = {
          flow_name: "k",
          limit_key: n === 1 ? "other" : "a",
          lease_owner: null,
          due_at: Date.now() - 9000 + n,
        };
        keyed.push(await insert(over));
      }
      const places = async (all: readonly Asking[]) =>
        Promise.all(all.map(async ({ task }) => (await bench.store.limits.placeOfTask(task.id))?.before));
      expect(await bench.store.limits.placeOfTask(keyed[2]?.task.id ?? "")).toEqual({ before: 1, ofKey: 0 });
      expect(await places(queued)).toEqual([0, 1, 2]);
      expect(await places(keyed)).toEqual([0, 0, 1]);
      expect(await places(asking.slice(0, 1))).toEqual([undefined]);
    });
  });
}
