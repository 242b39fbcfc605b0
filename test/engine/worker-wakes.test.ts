// Whatever makes a task due wakes a worker that has room: nobody waits for the moment in which workers look into the
// queue all the same, which is twice as far away as these tests wait.

import { describe, expect, test } from "bun:test";
import { TaskonautError } from "../../src/core/errors.ts";
import { keyedTaskId } from "../../src/core/record/ids.ts";
import { all, call, sleep, waitForSignal } from "../../src/core/flow/operation.ts";
import type { Store } from "../../src/store/store.ts";
import { DATABASES } from "../support/databases.ts";
import { turn } from "../support/fake-clock.ts";
import { ended, enqueue, waiting } from "../support/queue.ts";
import { Gate, giveBack } from "../support/tools.ts";
import { until } from "../support/until.ts";
import { Claims } from "../support/watched-store.ts";
import { flowOf, inTurn, workerBench } from "./worker-bench.ts";

/** Holds the commit with which a task that only waits is let go of, until the test lets it through. */
class LettingGo {
  readonly reached = Promise.withResolvers<void>();
  readonly through = Promise.withResolvers<void>();
  /** Whether the inbox was looked at once more after the commit. */
  isLookedAfter = false;
  #isOver = false;

  /** For `around` of a bench's engine. */
  readonly watch = (store: Store): Store => ({
    ...store,
    commitChanges: async (changes) => {
      const isLettingGo = changes.some(
        ({ expectedOwner, task }) =>
          expectedOwner !== null && task.lease_owner === null && task.status === "WAITING_OBSERVATION",
      );
      if (!isLettingGo) return store.commitChanges(changes);
      this.reached.resolve();
      await this.through.promise;
      const won = await store.commitChanges(changes);
      this.#isOver = true;
      return won;
    },
    readInbox: async (taskId, query) => {
      const inbox = await store.readInbox(taskId, query);
      this.isLookedAfter ||= this.#isOver;
      return inbox;
    },
  });
}

describe.each(DATABASES)("a worker on %s", (_, create) => {
  const { bench, working } = workerBench(create);

  describe("hears", () => {
    test("of a task whose creator was not told that it is there", async () => {
      const claims = new Claims();
      const { engine } = await working({ around: claims.watch });
      await claims.foundNothing();
      const losing = (store: Store): Store => ({
        ...store,
        async insertTasks(records) {
          await store.insertTasks(records);
          throw new TaskonautError("database_unavailable", "The answer was lost.");
        },
      });
      const creator = await bench.openEngine({ around: losing });
      const creating = creator.createTask({ flow: "echo_add", input: {}, start: "now", idempotencyKey: "once" });
      await expect(creating).rejects.toMatchObject({ code: "database_unavailable" });
      expect((await ended(engine, keyedTaskId("once"))).status).toBe("COMPLETED");
    });

    test("of a signal that comes while it lets go of the task", async () => {
      const flow = flowOf(() => waitForSignal("go")[Symbol.iterator]());
      const lettingGo = new LettingGo();
      const claims = new Claims();
      await working({ flows: [flow], around: (store) => claims.watch(lettingGo.watch(store)) });
      const other = await bench.openEngine({ flows: [flow] });
      const id = await enqueue(other, flow.name);
      await lettingGo.reached.promise;
      await claims.foundNothing();
      const before = claims.sizes.length;
      await other.signalTask(id, { name: "go", payload: "went" });
      // it was told, and looked, and the task was still its own
      await until(() => claims.sizes.length > before);
      lettingGo.through.resolve();
      expect(await ended(other, id)).toMatchObject({ status: "COMPLETED", output_payload: "went" });
    });

    test("of a signal that comes while a caller of another process lets go of the task", async () => {
      const flow = flowOf(function* () {
        yield* call(giveBack("first"), 1);
        return yield* waitForSignal("go");
      });
      const lettingGo = new LettingGo();
      const claims = new Claims();
      const { engine } = await working({ flows: [flow], around: claims.watch });
      const byHand = await bench.openEngine({ flows: [flow], around: lettingGo.watch });
      const { task } = await byHand.createTask({ flow: flow.name, input: {} });
      const running = byHand.runTask(task.id);
      await lettingGo.reached.promise;
      await claims.foundNothing();
      const before = claims.sizes.length;
      await engine.signalTask(task.id, { name: "go", payload: "went" });
      await until(() => claims.sizes.length > before);
      lettingGo.through.resolve();
      await running;
      expect(await ended(engine, task.id)).toMatchObject({ status: "COMPLETED", output_payload: "went" });
    });

    test("when a sleep is over that ended while it looked into the queue", async () => {
      const flow = flowOf(() => sleep(20)[Symbol.iterator]());
      const lettingGo = new LettingGo();
      const claims = new Claims();
      await working({ flows: [flow], around: (store) => claims.watch(lettingGo.watch(store)) });
      const other = await bench.openEngine({ flows: [flow] });
      const store = await bench.openStore();
      const id = await enqueue(other, flow.name);
      await lettingGo.reached.promise;
      const over = (await store.now()) + 20;
      await until(async () => (await store.now()) > over);
      await claims.foundNothing();
      // it looks once more, and finds the task held still, by itself; before it hears so the task is free, and due
      const answer = claims.holdNext();
      await store.announce();
      await answer.reached;
      lettingGo.through.resolve();
      await waiting(other, id, "time");
      await until(() => lettingGo.isLookedAfter);
      await turn();
      answer.give();
      expect((await ended(other, id)).status).toBe("COMPLETED");
    });

    test("of a task whose tool outlived the caller that started it, in another process", async () => {
      const [quick, slow] = [new Gate("quick"), new Gate("slow")];
      const flow = flowOf(function* () {
        return yield* all({ quick: call(quick.tool, 1), slow: call(slow.tool, 2) });
      });
      const claims = new Claims();
      await working({ flows: [flow], around: claims.watch });
      const byHand = await bench.openEngine({ flows: [flow] });
      const { task } = await byHand.createTask({ flow: flow.name, input: {} });
      await byHand.advanceTask(task.id);
      const advancing = byHand.advanceTask(task.id);
      await Promise.all([quick.called(), slow.called()]);
      const before = claims.sizes.length;
      quick.end(0, "soon");
      await advancing;
      // the worker was told of that, and found the task held
      await until(() => claims.sizes.length > before);
      expect(claims.sizes.at(-1)).toBe(0);
      slow.end(0, "late");
      expect(await ended(byHand, task.id)).toMatchObject({
        status: "COMPLETED",
        output_payload: { quick: "soon", slow: "late" },
      });
    });
  });

  describe("with room takes", () => {
    test("what was put into the queue by a process whose own worker has too little", async () => {
      const gate = new Gate("busy");
      const flow = inTurn(gate.tool);
      const [narrow, wide] = [new Claims(), new Claims()];
      const { engine } = await working({ flows: [flow], concurrency: 1, around: narrow.watch });
      await working({ flows: [flow], concurrency: 10, around: wide.watch });
      await Promise.all([narrow.foundNothing(), wide.foundNothing()]);
      await Promise.all([1, 2, 3, 4, 5].map(() => enqueue(engine, flow.name)));
      await until(() => gate.calls.length === 5);
    });

    test("what is due at a time that only a worker knows which has too little", async () => {
      const gate = new Gate("busy");
      const flow = flowOf(function* () {
        yield* sleep("1s");
        return yield* call(gate.tool, 1);
      });
      const [near, far] = [new Claims(), new Claims()];
      await working({ flows: [flow], around: far.watch });
      const { engine } = await working({ flows: [flow], concurrency: 3, around: near.watch });
      await Promise.all([near.foundNothing(), far.foundNothing()]);
      for (let tasks = 0; tasks < 4; tasks++) await waiting(engine, await enqueue(engine, flow.name), "time");
      await until(() => gate.calls.length === 4);
    });

    test("a task whose sleep is over while the worker that drove it is full", async () => {
      const gate = new Gate("busy");
      const busy = inTurn(gate.tool);
      const sleepy = flowOf(() => sleep("1s")[Symbol.iterator]());
      const [near, far] = [new Claims(), new Claims()];
      await working({ flows: [sleepy], concurrency: 1, around: far.watch });
      const { engine } = await working({ flows: [sleepy, busy], concurrency: 1, around: near.watch });
      await Promise.all([near.foundNothing(), far.foundNothing()]);
      const id = await enqueue(engine, sleepy.name);
      await waiting(engine, id, "time");
      await enqueue(engine, busy.name);
      await gate.called();
      expect((await ended(engine, id)).status).toBe("COMPLETED");
    });
  });
});
