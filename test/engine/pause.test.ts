// A pause: when it returns nothing of it starts any more, whatever was under way just then; and what it held back goes on
// when it is over.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import type { Flow } from "../../src/core/flow/flow.ts";
import type { Execution } from "../../src/core/record/record.ts";
import { all, call, defineFlow, runChild, waitForSignal } from "../../src/sdk/taskonaut.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { clock, Effects, pausableOn } from "../support/pausable.ts";
import { rejection } from "../support/rejection.ts";
import { until } from "../support/until.ts";

function twoSteps(effects: Effects, execution?: Execution): Flow {
  const [first, second] = [effects.tool("first", execution), effects.tool("second", execution)];
  return defineFlow({
    name: "order",
    input: v.unknown(),
    *run() {
      return [yield* call(first, {}), yield* call(second, {})];
    },
  });
}

for (const [dialect, createDatabase] of DATABASES) {
  describe(`paused on ${dialect}`, () => {
    const bench = benchOn(createDatabase);
    const { open, create, ended } = pausableOn(bench);

    test("a worker finishes the step that runs, gives the task back, and goes on when the pause is over", async () => {
      const effects = new Effects();
      const flows = [twoSteps(effects)];
      const [works, other] = [await open(flows), await open(flows)];
      const letGo = effects.hold("first");
      await works.startWorker({ concurrency: 5 });
      const id = await create(other, "now");
      await until(() => effects.begun.length === 1);
      const paused = await other.pauses.pause(
        { scope: "flow", name: "order" },
        { reason: "the bank is down", by: "ada" },
      );
      expect(paused).toMatchObject({ pause: { scope: "flow", name: "order", by: "ada" }, unanswered: [] });
      letGo();
      const task = await until(async () => {
        const found = await other.getTask(id);
        return found.lease_owner === null && found;
      });
      const wait = { kind: "pause", name: "order", until: null, task_id: null, reason: "the bank is down" };
      expect(task).toMatchObject({ waiting_for: [wait], current_step: 1, steps: [{ status: "COMPLETED" }, {}] });
      expect((await other.listTasks({ limit: 1 })).tasks).toMatchObject([{ id, waiting_for: [wait] }]);
      // what comes while it is paused waits as well
      const late = await create(other, "now");
      expect(await other.getTask(late)).toMatchObject({ status: "PLANNED", waiting_for: [wait] });
      expect(effects.begun).toEqual(["first"]);
      await other.pauses.unpause({ scope: "flow", name: "order" });
      await Promise.all([ended(other, id), ended(other, late)]);
      expect(effects.begun.toSorted()).toEqual(["first", "first", "second", "second"]);
    });

    for (const execution of ["at-least-once", "at-most-once"] as const) {
      test(`one between a decision's commit and the start of its ${execution} tool is seen, and leaves nothing in doubt`, async () => {
        const effects = new Effects();
        const other = await open([twoSteps(effects, execution)]);
        let isToPause = false;
        // the answer of the commit comes when another process has paused the flow
        const works = await open([twoSteps(effects, execution)], (store) => ({
          ...store,
          commitChanges: async (changes) => {
            const won = await store.commitChanges(changes);
            if (!isToPause || changes.every(({ newSteps, newCalls }) => newSteps.length + newCalls.length === 0))
              return won;
            isToPause = false;
            await other.pauses.pause({ scope: "all" });
            return won;
          },
        }));
        const id = await create(other, "now");
        isToPause = true;
        await works.startWorker({ concurrency: 1 });
        const paused = await until(async () => {
          const task = await other.getTask(id);
          return task.waiting_for.length > 0 && task;
        });
        expect(effects.begun).toEqual([]);
        expect(paused.steps.every(({ doubt }) => doubt === null)).toBe(true);
        await other.pauses.unpause({ scope: "all" });
        await ended(other, id);
        expect(effects.begun).toEqual(["first", "second"]);
      });
    }

    test("whoever drives a task by hand is told so, in every process, and may go on at once when it is over", async () => {
      const effects = new Effects();
      const flows = [twoSteps(effects, "pure")];
      const [one, other] = [await open(flows), await open(flows)];
      const ids = [await create(one, undefined), await create(one, undefined)];
      // the engine knows the task, and has just heard that nothing is paused
      expect((await one.advanceTask(ids[0] as string)).status).toBe("RUNNING");
      await other.pauses.pause({ scope: "flow", name: "order" });
      for (const id of ids) {
        for (const drive of [() => one.runTask(id), () => one.advanceTask(id), () => other.runTask(id)]) {
          const refused = await rejection(drive());
          expect(refused).toMatchObject({ code: "flow_paused", details: { id, scope: "flow", name: "order" } });
        }
        expect((await one.getTask(id)).waiting_for).toMatchObject([{ kind: "pause" }]);
      }
      expect(effects.begun).toEqual([]);
      await other.pauses.unpause({ scope: "flow", name: "order" });
      for (const id of ids) expect((await one.runTask(id)).status).toBe("COMPLETED");
    });

    test("a request that waits for its task goes on when the pause is over; one that has left is continued by a worker", async () => {
      const effects = new Effects();
      const flows = [twoSteps(effects)];
      const [one, other] = [await open(flows), await open(flows)];
      await other.pauses.pause({ scope: "flow", name: "order" });
      const left = await one.results.create({ flow: "order", input: {} }, { waitMs: 10 });
      expect(left).toMatchObject({ created: true, task: { waiting_for: [{ kind: "pause" }] } });
      const idempotencyKey = crypto.randomUUID();
      const stays = one.results.create({ flow: "order", input: {}, idempotencyKey }, { waitMs: 300_000 });
      const queued = await until(async () => {
        const [newest] = (await other.listTasks({ limit: 1 })).tasks;
        return newest && newest.id !== left.task.id && (await other.getTask(newest.id)).due_at;
      });
      expect(Date.parse(queued ?? "")).toBeLessThanOrEqual(Date.now());
      await other.pauses.unpause({ scope: "flow", name: "order" });
      expect(await stays).toMatchObject({ created: true, task: { status: "COMPLETED" } });
      expect((await other.getTask(left.task.id)).finished_at).toBeNull();
      const works = await open(flows);
      await works.startWorker({ concurrency: 1 });
      await ended(other, left.task.id);
      expect(effects.begun).toEqual(["first", "second", "first", "second"]);
    });

    test("no further attempt begins of a tool that has failed, and those that were made count", async () => {
      const effects = new Effects();
      const failing = effects.tool("failing", "at-least-once", 2);
      const flow = defineFlow({
        name: "order",
        input: v.unknown(),
        run: function* () {
          return yield* call(failing, {});
        },
      });
      const [works, other] = [await open([flow]), await open([flow])];
      const letGo = effects.hold("failing");
      await works.startWorker({ concurrency: 1 });
      const id = await create(other, "now");
      await until(() => effects.begun.length === 1);
      await other.pauses.pause({ scope: "flow", name: "order" });
      letGo();
      const task = await until(async () => {
        const found = await other.getTask(id);
        return found.lease_owner === null && found;
      });
      expect(effects.begun).toHaveLength(1);
      expect(task).toMatchObject({ waiting_for: [{ kind: "pause" }], tool_calls: [{ retry_count: 1 }] });
      await other.pauses.unpause({ scope: "flow", name: "order" });
      await ended(other, id);
      expect((await other.getTask(id)).tool_calls).toMatchObject([{ retry_count: 2, status: "COMPLETED" }]);
      expect(effects.begun).toHaveLength(3);
    });

    test("a child of a paused flow is created and waits; a paused parent creates none", async () => {
      const effects = new Effects();
      const child = twoSteps(effects, "pure");
      const parent = defineFlow({
        name: "parent",
        input: v.unknown(),
        *run() {
          yield* waitForSignal("go");
          return yield* runChild(child, {});
        },
        signals: { go: v.unknown() },
      });
      const [works, other] = [await open([parent, child]), await open([parent, child])];
      await works.startWorker({ concurrency: 5 });
      const ids = [await create(other, "now", "parent"), await create(other, undefined, "parent")];
      await until(async () => (await other.getTask(ids[0] as string)).waiting_for.length === 1);
      await other.pauses.pause({ scope: "flow", name: "order" });
      await other.runTask(ids[1] as string);
      for (const id of ids) await other.signalTask(id, { name: "go", payload: null });
      await other.runTask(ids[1] as string);
      for (const id of ids) {
        const waits = await until(async () => {
          const { waiting_for } = await other.getTask(id);
          return waiting_for[0]?.kind === "child" && waiting_for;
        });
        expect(await other.getTask(waits[0]?.task_id ?? "")).toMatchObject({ waiting_for: [{ kind: "pause" }] });
      }
      expect(effects.begun).toEqual([]);

      await other.pauses.pause({ scope: "flow", name: "parent" });
      await other.pauses.unpause({ scope: "flow", name: "order" });
      const third = await create(other, undefined, "parent");
      await other.runTask(third);
      await other.signalTask(third, { name: "go", payload: null });
      expect(await rejection(other.runTask(third))).toMatchObject({ code: "flow_paused" });
      await until(() => effects.begun.length === 4);
      await other.pauses.unpause({ scope: "flow", name: "parent" });
      for (const id of ids) await ended(other, id);
      expect((await other.runTask(third)).status).toBe("COMPLETED");
    });

    test("steps beside one that runs are held back, and its outcome is recorded", async () => {
      const effects = new Effects();
      const [slow, next] = [effects.tool("slow"), effects.tool("next")];
      const flow = defineFlow({
        name: "order",
        input: v.unknown(),
        signals: { go: v.unknown() },
        *run() {
          function* branch() {
            yield* waitForSignal("go");
            return yield* call(next, {});
          }
          return yield* all({ slow: call(slow, {}), branch: branch() });
        },
      });
      const [works, other] = [await open([flow]), await open([flow])];
      const letGo = effects.hold("slow");
      await works.startWorker({ concurrency: 1 });
      const id = await create(other, "now");
      await until(() => effects.begun.length === 1);
      await other.pauses.pause({ scope: "all" });
      await other.signalTask(id, { name: "go", payload: null });
      await until(async () => (await other.getTask(id)).steps.length === 3);
      letGo();
      const task = await until(async () => {
        const found = await other.getTask(id);
        return found.lease_owner === null && found;
      });
      expect(task.steps.map(({ step_name, status }) => [step_name, status])).toEqual([
        ["slow", "COMPLETED"],
        ["go", "COMPLETED"],
        ["next", "PLANNED"],
      ]);
      expect(effects.begun).toEqual(["slow"]);
      await other.pauses.unpause({ scope: "all" });
      await ended(other, id);
    });

    test("a task by hand whose child waits beside what is held back is told so, and writes no more", async () => {
      const effects = new Effects();
      const [first, second] = [effects.tool("first"), effects.tool("second")];
      const child = defineFlow({
        name: "child",
        input: v.unknown(),
        signals: { go: v.unknown() },
        *run() {
          return yield* waitForSignal("go");
        },
      });
      const flow = defineFlow({
        name: "order",
        input: v.unknown(),
        *run() {
          function* branch() {
            yield* call(first, {});
            return yield* call(second, {});
          }
          return yield* all({ child: runChild(child, {}), branch: branch() });
        },
      });
      let commits = 0;
      const works = await open([flow, child], (store) => ({
        ...store,
        commitChanges(changes) {
          commits += 1;
          if (commits > 100) throw new Error("It goes round in circles.");
          return store.commitChanges(changes);
        },
      }));
      const other = await open([flow, child]);
      const letGo = effects.hold("first");
      const id = await create(other, undefined);
      const driven = rejection(works.runTask(id));
      await until(() => effects.begun.length === 1);
      await other.pauses.pause({ scope: "flow", name: "order" });
      letGo();
      expect(await driven).toMatchObject({ code: "flow_paused", details: { id } });
      expect(effects.begun).toEqual(["first"]);
      await other.pauses.unpause({ scope: "flow", name: "order" });
      const { waiting_for } = await works.runTask(id);
      expect(effects.begun).toEqual(["first", "second"]);
      const childId = waiting_for.find(({ kind }) => kind === "child")?.task_id ?? "";
      await works.signalTask(childId, { name: "go", payload: null });
      expect((await works.runTask(id)).status).toBe("COMPLETED");
    });

    test("a task that was not begun is cancelled; one that has to clean up waits, and can be ended by force", async () => {
      const effects = new Effects();
      const undo = effects.tool("undo");
      const flow = defineFlow({
        name: "order",
        input: v.unknown(),
        signals: { go: v.unknown() },
        *run() {
          try {
            yield* waitForSignal("go");
          } finally {
            yield* call(undo, {});
          }
        },
      });
      const engine = await open([flow]);
      const [unbegun, waits, forced] = [
        await create(engine, undefined),
        await create(engine, undefined),
        await create(engine, undefined),
      ];
      for (const id of [waits, forced]) await engine.runTask(id);
      await engine.pauses.pause({ scope: "flow", name: "order" });
      expect((await engine.cancelTask(unbegun)).status).toBe("CANCELLED");
      expect(await engine.cancelTask(waits)).toMatchObject({ status: "RUNNING", waiting_for: [{ kind: "pause" }] });
      await engine.cancelTask(forced);
      const gone = await engine.cancelTask(forced, { force: true });
      expect(gone).toMatchObject({ status: "CANCELLED", left_undone: [{ what: "given_up", step_name: "undo" }] });
      expect(effects.begun).toEqual([]);
      await engine.pauses.unpause({ scope: "flow", name: "order" });
      expect((await engine.runTask(waits)).status).toBe("CANCELLED");
      expect(effects.begun).toEqual(["undo"]);
    });

    test("a worker that does not answer is waited for and named", async () => {
      const engine = await open([]);
      const told: string[] = [];
      const pausing = await bench.openEngine({ clock, tellWait: (what) => told.push(what) });
      const store = await bench.openStore();
      const id = crypto.randomUUID();
      await store.registerWorker({ id, name: "deaf:1", leaseMs: 3_600_000, concurrency: 3 });
      expect((await pausing.pauses.pause({ scope: "all" })).unanswered).toEqual(["deaf:1"]);
      expect(told).toEqual(["deaf:1 to take note of the pause (at most 30 s)"]);
      // by hand nothing is started without asking
      await store.registerWorker({ id, name: "deaf:1", leaseMs: 3_600_000, concurrency: 0 });
      expect((await pausing.pauses.pause({ scope: "all" })).unanswered).toEqual([]);
      expect(await engine.pauses.list()).toHaveLength(1);
      await engine.pauses.unpause({ scope: "all" });
      await store.removeWorker(id);
    });

    test("what nothing has cannot be paused, and what is not paused cannot go on", async () => {
      const engine = await open([twoSteps(new Effects())]);
      const cases = [
        [() => engine.pauses.pause({ scope: "flow", name: "odrer" }), "flow_not_found", "did you mean order?"],
        [() => engine.pauses.pause({ scope: "flow", name: "1" }), "input_invalid", "is not a valid name for a flow"],
        [() => engine.pauses.pause({ scope: "all" }, { reason: "" }), "input_invalid", "reason"],
        [() => engine.pauses.pause({ scope: "all" }, { by: "x".repeat(201) }), "input_invalid", "by"],
        [() => engine.pauses.unpause({ scope: "tool", name: "charge" }), "pause_not_found", "Nothing is paused"],
      ] as const;
      for (const [ask, code, said] of cases) {
        expect(await rejection(ask())).toMatchObject({ code, message: expect.stringContaining(said) });
      }
      expect(await engine.pauses.list()).toEqual([]);
    });
  });
}
