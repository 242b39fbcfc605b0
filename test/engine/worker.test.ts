// Workers take tasks from the queue and bring them to their ends, without anything else running.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow, type Flow } from "../../src/core/flow.ts";
import { childTaskId } from "../../src/core/ids.ts";
import { call, runChild, sleep, waitForSignal, type Operation } from "../../src/core/operation.ts";
import { defineTool, type Tool } from "../../src/core/tool.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { RunningWorker } from "../../src/engine/worker.ts";
import type { Store } from "../../src/store/store.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { ended, enqueue, waiting } from "../support/queue.ts";
import { Gate, giveBack } from "../support/tools.ts";
import { until } from "../support/until.ts";
import { Commits } from "../support/watched-store.ts";

type Body = Generator<Operation<unknown>, unknown, unknown>;

/** Of those that die: a free lock tells that they are dead once PostgreSQL has been up for longer. */
const LEASE_MS = 500;

/** Each flow has a name of its own: what one test leaves in the queue is nothing to the next. */
let flowCount = 0;
const flowOf = (run: (input: unknown) => Body, extra: { concurrency?: number } = {}): Flow =>
  defineFlow({
    name: `flow_${++flowCount}`,
    input: v.unknown(),
    signals: { go: v.unknown() },
    ...extra,
    *run(input) {
      return yield* run(input);
    },
  });

/** Each tool once, one after the other. */
const inTurn = (...tools: readonly Tool[]): Flow =>
  flowOf(function* () {
    const seen: unknown[] = [];
    for (const [index, tool] of tools.entries()) seen.push(yield* call(tool, index + 1, { as: `step${index + 1}` }));
    return seen;
  });

describe.each(DATABASES)("a worker on %s", (_name, create) => {
  const bench = benchOn(create);

  async function working(
    options: Parameters<typeof bench.openEngine>[0] & { readonly concurrency?: number } = {},
  ): Promise<{ engine: Engine; worker: RunningWorker }> {
    const { concurrency = 10, ...rest } = options;
    const engine = await bench.openEngine(rest);
    return { engine, worker: await engine.startWorker({ concurrency }) };
  }

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
      const started: number[] = [];
      const clock = defineTool({ name: "clock", input: v.null(), output: v.number(), run: () => store.now() });
      const flow = flowOf(function* () {
        started.push(yield* call(clock, null));
        return started;
      });
      const { engine } = await working({ flows: [flow] });
      const far = await enqueue(engine, flow.name, { start: (await store.now()) + 3_600_000 });
      const start = (await store.now()) + 300;
      await ended(engine, await enqueue(engine, flow.name, { start }));
      expect(started[0]).toBeGreaterThanOrEqual(start);
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
      const flow = flowOf(function* () {
        yield* call(giveBack("first"), 1);
        yield* sleep(400);
        return "rested";
      });
      const { engine } = await working({ flows: [flow], around: commits.watch });
      const id = await enqueue(engine, flow.name);
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
      expect(await ended(engine, id)).toMatchObject({ status: "COMPLETED", output_payload: "rested" });
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
    await other.cancelTask(id);
    expect(await ended(other, id)).toMatchObject({ status: "CANCELLED", steps: [{ status: "CANCELLED" }] });
    expect(gate.calls[0]?.signal.aborted).toBe(true);
  });

  describe("commits", () => {
    test("a task of pure tools once after its claim", async () => {
      const commits = new Commits();
      const { engine } = await working({ around: commits.watch });
      const id = await enqueue(engine, "echo_add");
      await ended(engine, id);
      expect(commits.of(id)).toHaveLength(1);
      expect(commits.of(id)[0]?.expectedVersion).toBe(2);
    });

    test("an outcome of an at-least-once tool before the next effect starts, and nothing else before the end", async () => {
      const commits = new Commits();
      const stored: unknown[] = [];
      const store = await bench.openStore();
      const look = defineTool({
        name: "look",
        input: v.unknown(),
        output: v.unknown(),
        run: async (input, { taskId }) => {
          stored.push((await store.readTask(taskId))?.steps.map(({ status }) => status));
          return input;
        },
      });
      const flow = inTurn(look, giveBack("between", { execution: "pure" }), look);
      const { engine } = await working({ flows: [flow], around: commits.watch });
      const id = await enqueue(engine, flow.name);
      expect(await ended(engine, id)).toMatchObject({ status: "COMPLETED", output_payload: [1, 2, 3] });
      expect(stored).toEqual([[], ["COMPLETED", "COMPLETED", "RUNNING"]]);
      expect(commits.of(id)).toHaveLength(2);
    });

    test("the intent of an at-most-once tool before it is called", async () => {
      const stored: unknown[] = [];
      const store = await bench.openStore();
      const look = defineTool({
        name: "look",
        input: v.unknown(),
        output: v.unknown(),
        execution: "at-most-once",
        run: async (_, { taskId }) => {
          const { task, steps, calls } = (await store.readTask(taskId)) ?? {};
          stored.push([task?.lease_owner, steps?.map(({ status }) => status), calls?.map(({ status }) => status)]);
          return null;
        },
      });
      const flow = inTurn(look);
      const { engine, worker } = await working({ flows: [flow] });
      await ended(engine, await enqueue(engine, flow.name));
      expect(stored).toEqual([[worker.id, ["RUNNING"], ["RUNNING"]]]);
    });
  });

  describe("that is stopped", () => {
    test("lets a running tool end, records it, and leaves what comes then to others, at once", async () => {
      const [first, second] = [new Gate("first"), new Gate("second")];
      const flow = inTurn(first.tool, second.tool);
      const { engine, worker } = await working({ flows: [flow], limits: { graceMs: 60_000 } });
      const id = await enqueue(engine, flow.name);
      await first.called();
      const stopped = worker.stop();
      const later = await enqueue(engine, flow.name);
      first.end(0, "done");
      await stopped;
      const left = await engine.getTask(id);
      expect(left).toMatchObject({
        lease_owner: null,
        due_at: expect.any(String),
        steps: [{ status: "COMPLETED", output_payload: "done" }],
      });
      expect(await engine.getTask(later)).toMatchObject({ status: "PLANNED", lease_owner: null });
      expect(second.calls).toHaveLength(0);

      const { engine: other } = await working({ flows: [flow] });
      await first.called(2);
      await second.called();
      first.end(1, "later");
      second.end(0, "other");
      expect((await ended(other, id)).output_payload).toEqual(["done", "other"]);
    });

    test("leaves in the queue what a claim gives it just then, whatever its flow", async () => {
      const claimed = Promise.withResolvers<void>();
      const answer = Promise.withResolvers<void>();
      const around = (store: Store): Store => ({
        ...store,
        claimTasks: async (request) => {
          const claim = await store.claimTasks(request);
          if (claim.tasks.length > 0) claimed.resolve();
          await answer.promise;
          return claim;
        },
      });
      const dynamic = inTurn(giveBack("first"));
      const engine = await bench.openEngine({ flows: [dynamic], around });
      const ids = [await enqueue(engine, dynamic.name), await enqueue(engine, "echo_add")];
      const worker = await engine.startWorker({ concurrency: 10 });
      await claimed.promise;
      const stopped = worker.stop();
      answer.resolve();
      await stopped;
      for (const id of ids) {
        expect(await engine.getTask(id)).toMatchObject({
          status: "PLANNED",
          lease_owner: null,
          due_at: expect.any(String),
        });
      }
      const { engine: other } = await working({ flows: [dynamic] });
      for (const id of ids) expect(await ended(other, id)).toMatchObject({ status: "COMPLETED" });
    });

    test("gives up a tool that does not end within the grace period; an at-most-once one is in doubt then", async () => {
      const [charge, ship] = [new Gate("charge", { execution: "at-most-once" }), new Gate("ship")];
      const flows = [inTurn(charge.tool), inTurn(ship.tool)] as const;
      const { engine: one } = await working({ flows, limits: { graceMs: 20 } });
      const ids = await Promise.all(flows.map(({ name }) => enqueue(one, name)));
      await Promise.all([charge.called(), ship.called()]);
      const { engine: other } = await working({ flows });
      await one.close();
      await ship.called(2);
      ship.end(1, "again");
      expect(await ended(other, ids[1] ?? "")).toMatchObject({ status: "COMPLETED", output_payload: ["again"] });
      const doubtful = await waiting(other, ids[0] ?? "", "doubt");
      expect(doubtful).toMatchObject({ due_at: null, steps: [{ status: "RUNNING", doubt: expect.any(String) }] });
      expect(charge.calls).toHaveLength(1);
      expect(ship.calls[0]?.signal.aborted).toBe(true);
    });

    test("is no worker any more: others are told of it, and its engine may start another", async () => {
      const { engine, worker } = await working();
      await rejects(engine.startWorker({ concurrency: 1 }), "a worker already");
      await worker.stop();
      const again = await engine.startWorker({ concurrency: 3 });
      expect(again.id).toBe(worker.id);
      expect(await engine.listWorkers()).toMatchObject([{ id: worker.id, concurrency: 3, tasks: 0, state: "alive" }]);
      await ended(engine, await enqueue(engine, "echo_add"));
      const other = await bench.openEngine();
      await engine.close();
      expect(await other.listWorkers()).toEqual([]);
    });
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

  test("takes over the tasks of a dead one within a second or so", async () => {
    const gate = new Gate("effect");
    const flow = inTurn(gate.tool);
    const dead = await bench.openDoomed({ flows: [flow], limits: { leaseMs: LEASE_MS } });
    await dead.engine.startWorker({ concurrency: 10 });
    const id = await enqueue(dead.engine, flow.name);
    await gate.called();
    const { engine } = await working({ flows: [flow] });
    await dead.die();
    const start = performance.now();
    await gate.called(2);
    expect(performance.now() - start).toBeLessThan(1500);
    gate.end(1, "other");
    const task = await ended(engine, id);
    expect(task).toMatchObject({ status: "COMPLETED", output_payload: ["other"], tool_calls: [{ retry_count: 0 }] });
    expect(gate.calls[1]?.idempotencyKey).toBe(gate.calls[0]?.idempotencyKey ?? "");
  });

  describe("with three of them", () => {
    test("each task is driven by one, and all come to their ends", async () => {
      const calls = new Map<string, number>();
      const count = defineTool({
        name: "count",
        input: v.unknown(),
        output: v.null(),
        run: async (_, { idempotencyKey }) => {
          calls.set(idempotencyKey, (calls.get(idempotencyKey) ?? 0) + 1);
          await new Promise((resolve) => setImmediate(resolve));
          return null;
        },
      });
      const flow = inTurn(count, giveBack("pure", { execution: "pure" }), count);
      const workers = await Promise.all([1, 2, 3].map(() => working({ flows: [flow], concurrency: 5 })));
      const ids = await Promise.all(
        Array.from({ length: 60 }, (_, index) => enqueue((workers[index % 3] as { engine: Engine }).engine, flow.name)),
      );
      for (const id of ids) {
        expect(await ended((workers[0] as { engine: Engine }).engine, id)).toMatchObject({ status: "COMPLETED" });
      }
      expect(calls.size).toBe(120);
      expect(Math.max(...calls.values())).toBe(1);
    });

    test("a flow's limit holds over all of them, and all come to their ends", async () => {
      let [now, most] = [0, 0];
      const count = defineTool({
        name: "count",
        input: v.unknown(),
        output: v.null(),
        run: async () => {
          now += 1;
          most = Math.max(most, now);
          await Bun.sleep(2); // others may start meanwhile
          now -= 1;
          return null;
        },
      });
      const flow = flowOf(() => call(count, null)[Symbol.iterator](), { concurrency: 2 });
      const workers = await Promise.all([1, 2, 3].map(() => working({ flows: [flow], concurrency: 5 })));
      const { engine } = workers[0] as { engine: Engine };
      const ids = await Promise.all(Array.from({ length: 20 }, () => enqueue(engine, flow.name)));
      for (const id of ids) expect(await ended(engine, id)).toMatchObject({ status: "COMPLETED" });
      expect(most).toBe(2);
    });
  });
});

async function rejects(promise: Promise<unknown>, message: string): Promise<void> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  expect(String(error)).toContain(message);
}
