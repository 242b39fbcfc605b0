// Workers take tasks from the queue and bring them to their ends, without anything else running.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { childTaskId } from "../../src/core/record/ids.ts";
import { call, runChild, sleep, waitForSignal } from "../../src/core/flow/operation.ts";
import { defineTool } from "../../src/core/flow/tool.ts";
import { DATABASES } from "../support/databases.ts";
import { ended, enqueue, waiting } from "../support/queue.ts";
import { Gate, giveBack } from "../support/tools.ts";
import { until } from "../support/until.ts";
import { Commits } from "../support/watched-store.ts";
import { flowOf, inTurn, workerBench } from "./worker-bench.ts";

/** Of those that die: a free lock tells that they are dead once PostgreSQL has been up for longer. */
const LEASE_MS = 500;

describe.each(DATABASES)("a worker on %s", (_name, create) => {
  const { bench, working } = workerBench(create);

  describe("drives", () => {
    test("a task of the queue to its end, whoever has put it there", async () => {
      const { engine } = await working();
      const other = await bench.openEngine();
      const ids = [await enqueue(engine, "echo_add"), await enqueue(other, "echo_add")];
      for (const id of ids) {
        expect(await ended(other, id)).toMatchObject({ status: "COMPLETED", lease_owner: null, due_at: null });
      }
    });

    test("what was in the queue before it came, the most urgent first, then what has waited longest", async () => {
      const order: unknown[] = [];
      const tell = defineTool({
        name: "tell",
        input: v.unknown(),
        output: v.null(),
        run: (input) => {
          order.push(input);
          return null;
        },
      });
      const flow = flowOf((input) => call(tell, input)[Symbol.iterator]());
      const engine = await bench.openEngine({ flows: [flow] });
      const now = await (await bench.openStore()).now();
      const ids: string[] = [];
      for (const [name, priority, start] of [
        ["last", 9, now - 9],
        ["later", 5, now - 1],
        ["sooner", 5, now - 2],
        ["first", 0, now],
      ] as const) {
        ids.push(await enqueue(engine, flow.name, { input: name, priority, start }));
      }
      await engine.startWorker({ concurrency: 1 });
      for (const id of ids) await ended(engine, id);
      expect(order).toEqual(["first", "sooner", "later", "last"]);
    });

    test("as many at once as it was told, and no more", async () => {
      const gate = new Gate("busy");
      const flow = inTurn(gate.tool);
      const { engine } = await working({ flows: [flow], concurrency: 2 });
      const ids = await Promise.all([1, 2, 3, 4, 5].map(() => enqueue(engine, flow.name)));
      for (let next = 0; next < 5; next++) {
        await gate.called(Math.min(5, next + 2));
        expect(gate.calls).toHaveLength(Math.min(5, next + 2));
        gate.end(next, "done");
      }
      for (const id of ids) expect((await ended(engine, id)).status).toBe("COMPLETED");
    });

    test("a task that is to start later when its time has come, by the store's clock", async () => {
      const store = await bench.openStore();
      const clock = defineTool({ name: "clock", input: v.null(), output: v.number(), run: () => store.now() });
      const flow = flowOf(function* () {
        return yield* call(clock, null);
      });
      const { engine } = await working({ flows: [flow] });
      const far = await enqueue(engine, flow.name, { start: (await store.now()) + 3_600_000 });
      const start = (await store.now()) + 300;
      const { output_payload: started } = await ended(engine, await enqueue(engine, flow.name, { start }));
      expect(started).toBeGreaterThanOrEqual(start);
      expect(await engine.getTask(far)).toMatchObject({ status: "PLANNED", lease_owner: null, steps: [] });
    });

    test("no task that was created by hand, and none of a flow that it has not loaded", async () => {
      const stranger = inTurn(giveBack("strange"));
      const { engine } = await working();
      const other = await bench.openEngine({ flows: [stranger] });
      const byHand = (await engine.createTask({ flow: "echo_add", input: {} })).task;
      const strange = await enqueue(other, stranger.name);
      for (let i = 0; i < 3; i++) await ended(engine, await enqueue(engine, "echo_add"));
      expect(await engine.getTask(byHand.id)).toEqual(byHand);
      expect(byHand).toMatchObject({ status: "PLANNED", due_at: null });
      expect(await other.getTask(strange)).toMatchObject({ status: "PLANNED", lease_owner: null });
    });

    test("one that was advanced by hand and left within its tools on from there", async () => {
      const gate = new Gate("busy");
      const flow = inTurn(giveBack("first"), gate.tool);
      const { engine: byHand, die } = await bench.openDoomed({ flows: [flow], limits: { leaseMs: LEASE_MS } });
      const { task } = await byHand.createTask({ flow: flow.name, input: {} });
      byHand.runTask(task.id).catch(() => {});
      await gate.called();
      await die();
      const { engine } = await working({ flows: [flow] });
      await gate.called(2);
      gate.end(1, "again");
      expect(await ended(engine, task.id)).toMatchObject({ status: "COMPLETED", output_payload: [1, "again"] });
    });
  });

  describe("lets go of a task that waits, and it comes back", () => {
    test("when its sleep is over; it let go with the transition that led there", async () => {
      const commits = new Commits();
      const flow = flowOf(function* (input) {
        yield* call(giveBack("first"), 1);
        yield* sleep(input === "an hour" ? "1h" : 400);
        return "rested";
      });
      const { engine } = await working({ flows: [flow], around: commits.watch });
      // looked at while it sleeps, however slow the machine is; another one is there to wake up
      const id = await enqueue(engine, flow.name, { input: "an hour" });
      const short = await enqueue(engine, flow.name);
      const asleep = await waiting(engine, id);
      const [wait] = asleep.waiting_for;
      expect(asleep).toMatchObject({ status: "WAITING_OBSERVATION", due_at: wait?.until ?? "" });
      const last = commits.of(id).at(-1);
      expect(last?.newSteps.map(({ kind }) => kind)).toContain("sleep");
      expect(last?.task).toMatchObject({
        status: "WAITING_OBSERVATION",
        lease_owner: null,
        due_at: Date.parse(wait?.until ?? ""),
      });
      expect(await ended(engine, short)).toMatchObject({ status: "COMPLETED", output_payload: "rested" });
      const led = commits.of(short).find(({ newSteps }) => newSteps.some(({ kind }) => kind === "sleep"));
      expect(led?.task).toMatchObject({ status: "WAITING_OBSERVATION", lease_owner: null });
    });

    test("when its signal comes, from wherever", async () => {
      const flow = flowOf(() => waitForSignal("go")[Symbol.iterator]());
      const { engine } = await working({ flows: [flow] });
      const other = await bench.openEngine({ flows: [flow] });
      for (const sender of [engine, other]) {
        const id = await enqueue(engine, flow.name);
        expect(await waiting(engine, id)).toMatchObject({ waiting_for: [{ kind: "signal" }], due_at: null });
        await sender.signalTask(id, { name: "go", payload: "went" });
        expect(await ended(engine, id)).toMatchObject({ status: "COMPLETED", output_payload: "went" });
      }
    });

    test("when its child has ended, which is in the queue itself", async () => {
      const gate = new Gate("child");
      const leaf = inTurn(gate.tool);
      const flow = flowOf(() => runChild(leaf, {})[Symbol.iterator]());
      const { engine } = await working({ flows: [flow, leaf] });
      const id = await enqueue(engine, flow.name, { priority: 3 });
      await gate.called();
      const parent = await waiting(engine, id, "child");
      const childId = childTaskId(parent.steps[0]?.id ?? "");
      expect(parent).toMatchObject({ due_at: null, waiting_for: [{ kind: "child", task_id: childId }] });
      expect((await engine.getTask(childId)).priority).toBe(3);
      gate.end(0, "grown up");
      expect(await ended(engine, id)).toMatchObject({ status: "COMPLETED", output_payload: ["grown up"] });
    });

    test("when it is cancelled", async () => {
      const clean = new Gate("clean");
      const flow = flowOf(function* () {
        try {
          yield* sleep("1h");
        } finally {
          yield* call(clean.tool, null);
        }
      });
      const { engine } = await working({ flows: [flow] });
      const id = await enqueue(engine, flow.name);
      await waiting(engine, id);
      const cancelled = engine.cancelTask(id);
      await clean.called();
      clean.end(0, null);
      expect(await cancelled).toMatchObject({ status: "CANCELLED" });
      expect(await ended(engine, id)).toMatchObject({ lease_owner: null, due_at: null });
    });
  });

  test("hears of the cancel of a task whose tool it runs, from another process", async () => {
    const gate = new Gate("stuck");
    const flow = inTurn(gate.tool, giveBack("never"));
    const { engine } = await working({ flows: [flow] });
    const id = await enqueue(engine, flow.name);
    await gate.called();
    const other = await bench.openEngine({ flows: [flow] });
    const signal = gate.calls[0]?.signal; // asked for before: it aborts then
    await other.cancelTask(id);
    await until(() => signal?.aborted === true);
    gate.fail(0, "told to stop");
    expect(await ended(other, id)).toMatchObject({ status: "CANCELLED", steps: [{ status: "CANCELLED" }] });
  });

  test("tells of each task that has ended under it", async () => {
    const told: string[] = [];
    const engine = await bench.openEngine();
    await engine.startWorker({ concurrency: 5, onEnded: (id) => told.push(id) });
    const ids = await Promise.all([1, 2, 3].map(() => enqueue(engine, "echo_add")));
    await until(() => told.length === 3);
    expect(told.toSorted()).toEqual(ids.toSorted());
    for (const id of ids) expect((await engine.getTask(id)).status).toBe("COMPLETED");
  });

  test.each([
    [15_000, 14_500],
    [1_000, 667],
  ])("is taken for dead early enough for others to have its tasks within %i ms", async (leaseMs, takenMs) => {
    const engine = await bench.openEngine({ limits: { leaseMs } });
    const worker = await engine.startWorker({ concurrency: 1 });
    const row = (await engine.listWorkers()).find(({ id }) => id === worker.id);
    expect(Date.parse(row?.lease_until ?? "") - Date.parse(row?.started_at ?? "")).toBe(takenMs);
  });

  test("goes on where whoever is told of an end fails", async () => {
    let told = 0;
    const onEnded = (): void => {
      told += 1;
      throw new Error("nobody listens");
    };
    const engine = await bench.openEngine();
    await engine.startWorker({ concurrency: 5, onEnded });
    const together = await Promise.all([1, 2, 3].map(() => enqueue(engine, "echo_add")));
    for (const id of together) expect((await ended(engine, id)).status).toBe("COMPLETED");
    expect((await ended(engine, await enqueue(engine, "echo_add"))).status).toBe("COMPLETED");
    await until(() => told === 4);
  });
});
