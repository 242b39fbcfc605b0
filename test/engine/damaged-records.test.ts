// Records of tasks that are damaged where few look: what is done to them is told as damage, and no other task suffers.

import { describe, expect, test } from "bun:test";
import { isDamaged } from "../../src/core/api/task.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import { call } from "../../src/core/flow/operation.ts";
import { defineTool, NonRetryableError } from "../../src/core/flow/tool.ts";
import * as v from "valibot";
import { DATABASES } from "../support/databases.ts";
import { execute } from "../support/past-the-store.ts";
import { ended, enqueue } from "../support/queue.ts";
import { flowOf, workerBench } from "./worker-bench.ts";

const refuse = defineTool({
  name: "refuse",
  input: v.unknown(),
  output: v.unknown(),
  run: () => {
    throw new NonRetryableError("no");
  },
});
const fails = flowOf(function* () {
  yield* call(refuse, null);
});

const failed = async (engine: Engine): Promise<string> => {
  const { task } = await engine.createTask({ flow: fails.name, input: null });
  await engine.runTask(task.id);
  return task.id;
};

describe.each(DATABASES)("a damaged record on %s", (_name, create) => {
  describe.each<[set: string, says: RegExp, act: (engine: Engine, id: string) => Promise<unknown>]>([
    ["tasks set tags = 'null'", /table tasks, its tags is JSON of something else/, (engine, id) => engine.getTask(id)],
    ["tasks set origin = 'null'", /table tasks, its origin is JSON/, (engine, id) => engine.getTask(id)],
    [
      "tasks set given_tags = '7'",
      /table tasks, its given_tags is JSON/,
      (engine, id) => engine.forks.create(id, { from: 2 }),
    ],
    ["tasks set error = '[]'", /table tasks, its error is JSON of something else/, (engine, id) => engine.getTask(id)],
    [
      "tool_calls set error = '{}'",
      /table tool_calls, .*its error is JSON of something else/,
      (engine, id) => engine.getTask(id),
    ],
    [
      "task_steps set error = '7'",
      /table task_steps, .*its error is JSON of something else/,
      (engine, id) => engine.retryTask(id),
    ],
    ["task_steps set error = '7'", /table task_steps, /, (engine, id) => engine.forks.create(id, { from: 2 })],
    [
      "tasks set parent_step_id = id",
      /its parent is told by half/,
      (engine, id) => engine.forks.create(id, { from: 2 }),
    ],
    [
      "task_steps set target = null",
      /its target does not suit its kind, tool/,
      (engine, id) => engine.forks.create(id, { from: 2 }),
    ],
  ])("(%s)", (set, says, act) => {
    const { bench } = workerBench(create);

    test("is told by whatever needs what is damaged", async () => {
      const engine = await bench.openEngine({ flows: [fails] });
      const id = await failed(engine);
      await execute(bench.database.url, { sqlite: `update ${set}` });
      const told = { code: "record_damaged", message: expect.stringMatching(says) };
      await expect(act(await bench.openEngine({ flows: [fails] }), id)).rejects.toMatchObject(told);
    });
  });

  describe("whose time is beyond all", () => {
    const { bench } = workerBench(create);

    test("is listed as damaged beside the others, and found by its name", async () => {
      const engine = await bench.openEngine({ flows: [fails] });
      const sound = (await engine.createTask({ flow: "echo_add", input: {} })).task.id;
      const id = await failed(engine);
      await execute(bench.database.url, {
        sqlite: `update tasks set created_at = 9000000000000000 where id = '${id}'`,
        postgresql: `update tasks set created_at = 'infinity' where id = '${id}';
          update task_steps set updated_at = '-infinity' where task_id = '${id}'`,
      });
      const { tasks } = await engine.listTasks({ limit: 10 });
      expect(tasks.map((task) => [task.id, isDamaged(task)])).toEqual([
        [id, true],
        [sound, false],
      ]);
      expect((await engine.findTasks("@last")).tasks).toMatchObject([{ id }]);
    });
  });
});

const [, createSqlite] = DATABASES.find(([name]) => name === "sqlite")!;

describe("an ended task that is parked", () => {
  const { bench, working } = workerBench(createSqlite);

  test("keeps no worker from starting", async () => {
    const engine = await bench.openEngine({});
    const { task } = await engine.createTask({ flow: "echo_add", input: {} });
    await engine.runTask(task.id);
    await execute(bench.database.url, { sqlite: "update tasks set parked_reason = 'why'" });
    const { engine: worker } = await working({});
    expect((await ended(worker, await enqueue(worker, "echo_add"))).status).toBe("COMPLETED");
  });
});

describe("a parked task whose row no table would take", () => {
  const { bench, working } = workerBench(createSqlite);

  test("keeps no other from being taken up again by other code", async () => {
    const flow = { ...fails, file: "/flows/fails.ts", code: "new" };
    const engine = await bench.openEngine({ flows: [flow] });
    const [bad, good] = [await enqueue(engine, flow.name), await enqueue(engine, flow.name)];
    await execute(bench.database.url, {
      sqlite: `update tasks set parked_reason = 'why', parked_code = 'old', due_at = null;
        update tasks set depth = -1 where id = '${bad}'`,
    });
    const { engine: worker } = await working({ flows: [flow] });
    expect((await ended(worker, good)).status).toBe("FAILED");
  });
});
