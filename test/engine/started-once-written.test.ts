// A step of which it is recorded that it runs is started at once, whatever came while that was written: nobody else may.

import { expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow } from "../../src/core/flow/flow.ts";
import { all, call } from "../../src/core/flow/operation.ts";
import { defineTool } from "../../src/core/flow/tool.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import { engineOn } from "../support/engine.ts";
import { turn } from "../support/fake-clock.ts";
import { Gate } from "../support/tools.ts";

test("a tool is called again, although what ran beside it has ended while that was written", async () => {
  const gate = new Gate("beside");
  let attempts = 0;
  const flaky = defineTool({
    name: "flaky",
    input: v.unknown(),
    output: v.number(),
    retry: { base: 20, factor: 1, jitter: 0 },
    run(_, { attempt }) {
      attempts = attempt;
      if (attempt === 1) throw new Error("not yet");
      return attempt;
    },
  });
  const flow = defineFlow({
    name: "two",
    input: v.unknown(),
    *run() {
      return yield* all([call(gate.tool, 1), call(flaky, 1)]);
    },
  });
  const store = await openSqliteStore({ path: ":memory:" });
  const engine = engineOn(
    {
      ...store,
      async commitChanges(changes) {
        const isAgain = changes.some(({ changedSteps }) =>
          changedSteps.some((step) => step.step_name === "flaky" && step.starts === 1 && attempts === 1),
        );
        if (isAgain) {
          gate.end(0, 1);
          await turn();
        }
        return store.commitChanges(changes);
      },
    },
    { flows: [flow], limits: { retryWaitMs: 0 } },
  );
  try {
    const { id } = (await engine.createTask({ flow: "two", input: null })).task;
    await engine.advanceTask(id); // it has begun
    await engine.advanceTask(id); // its tools run, until one has an outcome
    expect(attempts).toBe(2);
    expect(await engine.runTask(id)).toMatchObject({ status: "COMPLETED", tool_calls: [{}, { retry_count: 1 }] });
  } finally {
    await engine.close();
  }
});

test("a tool is started, and told to stop, although a cancel came while that was written", async () => {
  const called: string[] = [];
  const work = defineTool({
    name: "work",
    input: v.unknown(),
    output: v.unknown(),
    run(_, { signal }) {
      called.push("work");
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          called.push("told to stop");
          reject(signal.reason);
        });
      });
    },
  });
  const undo = defineTool({ name: "undo", input: v.unknown(), output: v.unknown(), run: () => called.push("undo") });
  const flow = defineFlow({
    name: "undone",
    input: v.unknown(),
    *run() {
      try {
        yield* call(work, 1);
      } finally {
        yield* call(undo, 1);
      }
    },
  });
  const store = await openSqliteStore({ path: ":memory:" });
  const starting: string[] = [];
  const posted = Promise.withResolvers<void>();
  let cancelled: Promise<unknown> | undefined;
  const engine = engineOn(
    {
      ...store,
      async postToTask(post) {
        const result = await store.postToTask(post);
        posted.resolve();
        return result;
      },
      async commitChanges(changes) {
        for (const { taskId, newSteps, changedSteps } of changes) {
          const started = [...newSteps, ...changedSteps].filter((step) => step.status === "RUNNING");
          starting.push(...started.map((step) => step.step_name));
          if (!starting.includes("work") || cancelled) continue;
          cancelled = engine.cancelTask(taskId);
          await posted.promise;
          await turn();
        }
        return store.commitChanges(changes);
      },
    },
    { flows: [flow] },
  );
  try {
    const { id } = (await engine.createTask({ flow: flow.name, input: null })).task;
    expect(await engine.runTask(id)).toMatchObject({ status: "CANCELLED" });
    await cancelled;
    expect(called).toEqual(["work", "told to stop", "undo"]);
    expect(starting).toEqual(["work", "undo"]);
  } finally {
    await engine.close();
  }
});
