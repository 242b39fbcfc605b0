// An inbox in which much waits that nobody wants, or wants yet: what is wanted is found in its order, and what is read of
// the inbox does not grow with it.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow, waitForSignal } from "../../src/sdk/taskonaut.ts";
import { INBOX_PAGE, type Store } from "../../src/store/store.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { when } from "../support/queue.ts";

const anything = v.unknown();

/** Takes so many of one signal, one after the other, then a last word. */
const counting = defineFlow({
  name: "counting",
  input: v.object({ count: v.number() }),
  signals: { go: anything, noise: anything, last: anything },
  *run({ count }) {
    const heard: unknown[] = [];
    while (heard.length < count) heard.push(yield* waitForSignal("go"));
    return { heard, last: yield* waitForSignal("last") };
  },
});

describe.each(DATABASES)("%s", (_, create) => {
  const bench = benchOn(create);

  test("signals beyond a page are heard one after the other, and others stay", async () => {
    const engine = await bench.openEngine({ flows: [counting] });
    const count = 2 * INBOX_PAGE + 5;
    const { task } = await engine.createTask({ flow: counting.name, input: { count } });
    for (let n = 0; n < count; n++) {
      await engine.signalTask(task.id, { name: "noise", payload: n });
      await engine.signalTask(task.id, { name: "go", payload: n });
    }
    await engine.signalTask(task.id, { name: "last", payload: "end" });
    const { status, output_payload } = await engine.runTask(task.id);
    expect(status).toBe("COMPLETED");
    expect(output_payload).toEqual({ heard: Array.from({ length: count }, (_each, n) => n), last: "end" });
  });

  test("a cancel is heard behind signals that nobody wants, and behind ones that are wanted", async () => {
    const engine = await bench.openEngine({ flows: [counting] });
    const other = await bench.openEngine({ flows: [] });
    for (const name of ["noise", "go"]) {
      const { task } = await engine.createTask({ flow: counting.name, input: { count: 1000 } });
      await engine.runTask(task.id);
      for (let n = 0; n < 3 * INBOX_PAGE; n++) await engine.signalTask(task.id, { name, payload: n });
      // by a process that cannot do it itself
      await other.cancelTask(task.id);
      const { status, steps } = await engine.runTask(task.id);
      expect({ name, status }).toEqual({ name, status: "CANCELLED" });
      expect(steps.length).toBeLessThan(5);
    }
  });

  test("what is read to hear of one more does not grow with what waits", async () => {
    const rows: number[] = [];
    const around = (store: Store): Store => ({
      ...store,
      async readInbox(id, query) {
        const page = await store.readInbox(id, query);
        rows.push(page.rows.length);
        return page;
      },
    });
    const engine = await bench.openEngine({ flows: [counting], around });
    await engine.startWorker({ concurrency: 1 });
    const { task } = await engine.createTask({ flow: counting.name, input: { count: 1 }, start: "now" });
    for (let n = 0; n < 200; n++) await engine.signalTask(task.id, { name: "noise", payload: n });
    await engine.signalTask(task.id, { name: "go", payload: "one" });
    await when(engine, task.id, ({ steps }) => steps.length === 2);
    await engine.signalTask(task.id, { name: "last", payload: "end" });
    const { output_payload } = await when(engine, task.id, ({ status }) => status === "COMPLETED");
    expect(output_payload).toEqual({ heard: ["one"], last: "end" });
    expect(Math.max(...rows)).toBeLessThanOrEqual(1);
  });
});
