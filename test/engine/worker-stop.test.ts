// A worker that is stopped: what it still does, and what it leaves to others.

import { describe, expect, test } from "bun:test";
import type { Store } from "../../src/store/store.ts";
import { DATABASES } from "../support/databases.ts";
import { ended, enqueue, waiting } from "../support/queue.ts";
import { Gate, giveBack } from "../support/tools.ts";
import { until } from "../support/until.ts";
import { inTurn, workerBench } from "./worker-bench.ts";

describe.each(DATABASES)("a worker on %s", (_name, create) => {
  const { bench, working } = workerBench(create);

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
      // no tool runs: the time is for what is written when it lets go of them
      const engine = await bench.openEngine({ flows: [dynamic], around, limits: { graceMs: 60_000 } });
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

    test("tells others of a task whose tool ends after the grace period", async () => {
      const gate = new Gate("slow");
      const seen: string[] = [];
      const around = (store: Store): Store => ({
        ...store,
        announce: async () => {
          seen.push("told");
          await store.announce();
        },
        commitChanges: async (changes) => {
          const won = await store.commitChanges(changes);
          if (changes.some(({ task }) => task.lease_owner === null && task.due_at !== null)) seen.push("let go");
          return won;
        },
      });
      const flow = inTurn(gate.tool, giveBack("next"));
      const { engine, worker } = await working({ flows: [flow], around, limits: { graceMs: 20 } });
      await enqueue(engine, flow.name);
      await gate.called();
      await worker.stop();
      await until(() => seen.includes("told")); // of what it gave back when it stopped
      seen.length = 0;
      gate.end(0, "done");
      await until(() => seen.includes("let go") && seen.at(-1) === "told");
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
});

async function rejects(promise: Promise<unknown>, message: string): Promise<void> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  expect(String(error)).toContain(message);
}
