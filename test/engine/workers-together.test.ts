// Several workers on one queue: each task is driven by one, and by another when that one dies.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { call } from "../../src/core/flow/operation.ts";
import { defineTool } from "../../src/core/flow/tool.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import { DATABASES } from "../support/databases.ts";
import { ended, enqueue } from "../support/queue.ts";
import { Gate, giveBack } from "../support/tools.ts";
import { flowOf, inTurn, workerBench } from "./worker-bench.ts";

/** Of those that die: their process lives on, so that it is the lease that tells. */
const LEASE_MS = 500;

describe.each(DATABASES)("a worker on %s", (_name, create) => {
  const { bench, working } = workerBench(create);

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
    test("each task is driven by one, and all ends", async () => {
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

    test("a flow's limit holds over all of them, and all ends", async () => {
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
