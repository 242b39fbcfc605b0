// A pause: when it returns nothing of it starts any more, whatever was under way just then; and what it held back goes on
// when it is over.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import type { Clock } from "../../src/core/clock.ts";
import type { Flow } from "../../src/core/flow/flow.ts";
import type { Tool } from "../../src/core/flow/tool.ts";
import type { Execution } from "../../src/core/record/record.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import { systemClock } from "../../src/engine/process/system-clock.ts";
import { all, call, defineFlow, defineTool, runChild, waitForSignal } from "../../src/sdk/taskonaut.ts";
import type { Store } from "../../src/store/store.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { rejection } from "../support/rejection.ts";
import { until } from "../support/until.ts";

/** Time passes so much faster, for what has to wait a while to be sure. */
const HURRY = 10;

const clock: Clock = {
  now: () => systemClock.now(),
  elapsed: () => HURRY * systemClock.elapsed(),
  sleep: (ms, signal) => systemClock.sleep(ms / HURRY, signal),
};

/** What tools have begun, in order; and what each of them waits for before it ends. */
class Effects {
  readonly begun: string[] = [];
  readonly #gates = new Map<string, PromiseWithResolvers<void>>();

  tool(name: string, execution: Execution = "at-least-once", failures = 0): Tool {
    let left = failures;
    return defineTool({
      name,
      input: v.unknown(),
      output: v.string(),
      execution,
      retry: { attempts: execution === "at-most-once" ? 1 : 5, base: 50 },
      run: async () => {
        this.begun.push(name);
        await this.#gates.get(name)?.promise;
        if (left-- > 0) throw new Error("not yet");
        return name;
      },
    });
  }

  /** The tool of this name ends when what is given is called. */
  hold(name: string): () => void {
    const gate = Promise.withResolvers<void>();
    this.#gates.set(name, gate);
    return () => gate.resolve();
  }
}

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

    const open = (flows: readonly Flow[], around: (store: Store) => Store = (store) => store): Promise<Engine> =>
      bench.openEngine({ flows, clock, around });
    const create = async (engine: Engine, start: "now" | undefined, flow = "order"): Promise<string> =>
      (await engine.createTask({ flow, input: {}, ...(start && { start }) })).task.id;
    const ended = (engine: Engine, id: string): Promise<boolean> =>
      until(async () => (await engine.getTask(id)).status === "COMPLETED");

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

    test("calls of a paused tool wait, whatever flow makes them, while other tools go on; they begin at once when it is over", async () => {
      const effects = new Effects();
      const [charge, ship] = [effects.tool("charge", "at-most-once"), effects.tool("ship")];
      const flowOf = (name: string): Flow =>
        defineFlow({
          name,
          input: v.unknown(),
          *run() {
            return yield* all({ charge: call(charge, {}), ship: call(ship, {}) });
          },
        });
      const flows = [flowOf("order"), flowOf("gift")];
      let claims = 0;
      const works = await open(flows, (store) => ({
        ...store,
        claimTasks: (request) => {
          claims += 1;
          return store.claimTasks(request);
        },
      }));
      const other = await open(flows);
      await other.pauses.pause({ scope: "tool", name: "charge" }, { reason: "the bank is down" });
      await works.startWorker({ concurrency: 5 });
      const queued = [await create(other, "now"), await create(other, "now", "gift")];
      const byHand = await create(other, undefined);
      const wait = { kind: "pause", name: "charge", until: null, task_id: null, reason: "the bank is down" };
      expect(await other.runTask(byHand)).toMatchObject({ status: "WAITING_OBSERVATION", waiting_for: [wait] });
      const ids = [...queued, byHand];
      for (const id of ids) {
        const task = await until(async () => {
          const found = await other.getTask(id);
          return found.lease_owner === null && found.waiting_for.length > 0 && found;
        });
        expect(task).toMatchObject({ waiting_for: [wait], current_step: 2 });
      }
      expect(effects.begun).toEqual(["ship", "ship", "ship"]);
      const before = claims;
      await Bun.sleep(300); // three seconds for the engines: nobody goes round in circles
      expect(claims - before).toBeLessThan(10);
      await other.pauses.unpause({ scope: "tool", name: "charge" });
      for (const id of ids) await ended(other, id);
      expect(effects.begun.filter((name) => name === "charge")).toHaveLength(3);
      // once more, with the same tasks gone: nothing is left of the first pause
      await other.pauses.pause({ scope: "tool", name: "charge" });
      const again = await create(other, "now");
      await until(async () => (await other.getTask(again)).waiting_for.length > 0);
      await other.pauses.unpause({ scope: "tool", name: "charge" });
      await ended(other, again);
    });

    test("with abort what runs is told to stop, is no failed attempt, and is called again with its key; an at-most-once tool runs on", async () => {
      const keys: string[] = [];
      const told: string[] = [];
      const listens = (name: string, execution: Execution): Tool =>
        defineTool({
          name,
          input: v.unknown(),
          output: v.string(),
          execution,
          retry: { attempts: 1 },
          run: async (_input, { signal, idempotencyKey }) => {
            keys.push(`${name} ${idempotencyKey}`);
            if (keys.filter((key) => key.startsWith(name)).length > 1) return name;
            const end = Promise.withResolvers<string>();
            signal.addEventListener("abort", () => {
              told.push(name);
              end.reject(signal.reason as Error);
            });
            if (execution === "at-most-once") gate.promise.then(() => end.resolve(name)).catch(() => {});
            return end.promise;
          },
        });
      const gate = Promise.withResolvers<void>();
      const [often, once] = [listens("often", "at-least-once"), listens("once", "at-most-once")];
      const flow = defineFlow({
        name: "order",
        input: v.unknown(),
        *run() {
          return yield* all({ often: call(often, {}), once: call(once, {}) });
        },
      });
      const [works, other] = [await open([flow]), await open([flow])];
      await works.startWorker({ concurrency: 1 });
      const id = await create(other, "now");
      await until(() => keys.length === 2);
      await other.pauses.pause({ scope: "flow", name: "order" }, { abort: true });
      expect(told).toEqual(["often"]);
      gate.resolve();
      const task = await until(async () => {
        const found = await other.getTask(id);
        return found.lease_owner === null && found;
      });
      expect(task.steps.map(({ step_name, status, doubt }) => [step_name, status, doubt])).toEqual([
        ["often", "RUNNING", null],
        ["once", "COMPLETED", null],
      ]);
      await other.pauses.unpause({ scope: "flow", name: "order" });
      await ended(other, id);
      expect(new Set(keys).size).toBe(2);
      expect(keys).toHaveLength(3);
      const calls = (await other.getTask(id)).tool_calls;
      expect(calls.map(({ retry_count, last_error }) => [retry_count, last_error])).toEqual([
        [0, null],
        [0, null],
      ]);
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
