import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow } from "../../src/core/flow/flow.ts";
import { all, waitForSignal } from "../../src/core/flow/operation.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { when } from "../support/queue.ts";

const flow = defineFlow({
  name: "two_signals",
  input: v.unknown(),
  signals: { left: v.unknown(), right: v.unknown() },
  *run() {
    return yield* all({ left: waitForSignal("left"), right: waitForSignal("right") });
  },
});

describe.each(DATABASES)("%s", (_, create) => {
  const bench = benchOn(create);

  test("who observes one of two things that came, and leaves, leaves the other to a worker", async () => {
    const [caller, passerBy, worker] = await Promise.all([1, 2, 3].map(() => bench.openEngine({ flows: [flow] })));
    if (!caller || !passerBy || !worker) throw new Error("Three engines were opened.");
    const { task } = await caller.createTask({ flow: flow.name, input: 1 });
    await caller.runTask(task.id);
    for (const name of ["left", "right"]) await caller.signalTask(task.id, { name, payload: name });
    await passerBy.advanceTask(task.id);
    await worker.startWorker({ concurrency: 1 });
    const { output_payload } = await when(worker, task.id, ({ status }) => status === "COMPLETED");
    expect(output_payload).toEqual({ left: "left", right: "right" });
  });
});
