// When a worker makes durable what it did: as seldom as the guarantees of the tools allow.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineTool } from "../../src/core/flow/tool.ts";
import { DATABASES } from "../support/databases.ts";
import { ended, enqueue } from "../support/queue.ts";
import { giveBack } from "../support/tools.ts";
import { Commits } from "../support/watched-store.ts";
import { inTurn, workerBench } from "./worker-bench.ts";

describe.each(DATABASES)("a worker on %s", (_name, create) => {
  const { bench, working } = workerBench(create);

  describe("commits", () => {
    test("a task of pure tools once after its claim", async () => {
      const commits = new Commits();
      const { engine } = await working({ around: commits.watch });
      const id = await enqueue(engine, "echo_add");
      await ended(engine, id);
      expect(commits.of(id)).toHaveLength(1);
      expect(commits.of(id)[0]?.expectedVersion).toBe(2);
    });

    test("a decision of a flow before the effect it leads to, with all that it follows from, and nothing else before the end", async () => {
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
      expect(stored).toEqual([["RUNNING"], ["COMPLETED", "COMPLETED", "RUNNING"]]);
      expect(commits.of(id)).toHaveLength(3);
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
});
