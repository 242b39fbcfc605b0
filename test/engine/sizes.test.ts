// Tasks whose record is large, and records that are damaged: what the engine does with them on each store.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { call, waitForSignal } from "../../src/core/flow/operation.ts";
import { defineTool } from "../../src/core/flow/tool.ts";
import type { Store } from "../../src/store/store.ts";
import { LARGE_BYTES } from "../../src/store/sizes.ts";
import { DATABASES } from "../support/databases.ts";
import { enqueue, ended } from "../support/queue.ts";
import { until } from "../support/until.ts";
import { flowOf, workerBench } from "./worker-bench.ts";

const KIB = 1024;

const fill = defineTool({
  name: "fill",
  input: v.number(),
  output: v.string(),
  run: (length) => "ž".repeat(length / 2),
});

/** So many outputs of so many bytes, then a wait. */
const filling = (count: number, bytes: number): ReturnType<typeof flowOf> =>
  flowOf(function* () {
    let length = 0;
    for (let step = 0; step < count; step++) length += (yield* call(fill, bytes, { as: `fill_${step}` })).length;
    const told = yield* waitForSignal<string>("go");
    return { length, told };
  });

describe.each([...DATABASES])("sizes on %s", (_, createDatabase) => {
  const { bench, working } = workerBench(createDatabase);

  test("a worker drives a task that is too large to come with its claim, and small ones beside it", async () => {
    const flow = filling(5, 400 * KIB);
    const { engine } = await working({ flows: [flow] });
    const large = await enqueue(engine, flow.name);
    const small = await enqueue(engine, "echo_add");
    await ended(engine, small);
    await until(async () => (await engine.getTask(large)).waiting_for.length === 1);
    const record = await (await bench.openStore()).readTask(large);
    expect(record?.task.recorded_bytes).toBeGreaterThan(LARGE_BYTES);
    // it is claimed again, bare, for the signal
    await engine.signalTask(large, { name: "go", payload: "now" });
    expect(await ended(engine, large)).toMatchObject({
      status: "COMPLETED",
      output_payload: { length: 5 * 200 * KIB, told: "now" },
    });
  });

  test("a task whose record has grown beyond the limit is parked with the reason, and goes on under a larger one", async () => {
    const flow = filling(4, 40 * KIB);
    const limits = { taskBytes: 100 * KIB };
    const small = await bench.openEngine({ flows: [flow], limits });
    const { task } = await small.createTask({ flow: flow.name, input: 1 });
    const tooLarge = {
      code: "task_parked",
      message: expect.stringMatching(/holds \d{6} bytes.* 102400 .*TASKONAUT_MAX_TASK_BYTES/),
    };
    await expect(small.runTask(task.id)).rejects.toMatchObject(tooLarge);
    const parked = await small.getTask(task.id);
    // what ran is recorded, and nothing ran again
    expect(parked.steps.map((step) => step.status)).toEqual(["COMPLETED", "COMPLETED", "COMPLETED"]);
    expect(parked).toMatchObject({
      lease_owner: null,
      parked_reason: expect.stringContaining("TASKONAUT_MAX_TASK_BYTES"),
    });
    await expect(small.resumeTask(task.id).then(() => small.runTask(task.id))).rejects.toMatchObject(tooLarge);
    const roomy = await bench.openEngine({ flows: [flow] });
    await roomy.resumeTask(task.id);
    expect((await roomy.runTask(task.id)).waiting_for).toHaveLength(1);
    await roomy.signalTask(task.id, { name: "go", payload: "x" });
    expect((await roomy.runTask(task.id)).status).toBe("COMPLETED");
  });

  test("the steps that a flow plans count before they are recorded", async () => {
    const flow = flowOf(function* () {
      const text = yield* call(fill, 60 * KIB, { as: "once" });
      return yield* call(
        defineTool({ name: "take", input: v.string(), output: v.number(), run: (t) => t.length }),
        `${text}${text}`,
      );
    });
    const engine = await bench.openEngine({ flows: [flow], limits: { taskBytes: 100 * KIB } });
    const { task } = await engine.createTask({ flow: flow.name, input: 1 });
    await expect(engine.runTask(task.id)).rejects.toMatchObject({ code: "task_parked" });
    expect((await engine.getTask(task.id)).steps).toHaveLength(1);
  });

  test("what is posted to a large task needs its row alone", async () => {
    const flow = filling(1, 10);
    const read: string[] = [];
    const around = (store: Store): Store => ({
      ...store,
      readTask: (id) => {
        read.push("whole");
        return store.readTask(id);
      },
      postToTask: (post) => {
        read.push(post.kind);
        return store.postToTask(post);
      },
    });
    const engine = await bench.openEngine({ flows: [flow], around });
    const { task } = await engine.createTask({ flow: flow.name, input: 1 });
    await engine.runTask(task.id);
    read.length = 0;
    await engine.signalTask(task.id, { name: "go", payload: "1" });
    await engine.cancelTask(task.id);
    // whole for the answer alone; who cancels drives the task, which is in memory here
    expect(read).toEqual(["signal", "whole", "cancel"]);
  });
});
