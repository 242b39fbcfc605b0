// Tags that a flow sets: found by, decided once, and the same on every replay.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import type { Flow } from "../../src/core/flow/flow.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import {
  all,
  annotate,
  call,
  defineFlow,
  defineTool,
  NonRetryableError,
  type Operation,
  waitForSignal,
} from "../../src/sdk/taskonaut.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { rejection } from "../support/rejection.ts";
import { giveBack } from "../support/tools.ts";

const give = giveBack("give");

function flowOf(run: () => Generator<Operation<unknown>, unknown, unknown>, name = "noted"): Flow {
  return defineFlow({
    name,
    input: v.unknown(),
    signals: { go: v.unknown() },
    *run() {
      return yield* run();
    },
  });
}

describe.each(DATABASES)("annotate on %s", (_name, create) => {
  const bench = benchOn(create);

  async function found(engine: Engine, key: string, value: string): Promise<readonly string[]> {
    const { tasks } = await engine.listTasks({ limit: 10, filter: { tags: { [key]: value } } });
    return tasks.map(({ id }) => id);
  }

  test("sets tags beside those of the creation, by which the task is found, and makes no step", async () => {
    const key = crypto.randomUUID();
    const flow = flowOf(function* () {
      yield* annotate({ begun: key });
      const given = yield* call(give, "c1");
      yield* annotate({ customer: String(given), tenant: "later" });
      const [, two] = yield* all([annotate({ both: "1" }), call(give, 2)]);
      yield* waitForSignal("go");
      yield* annotate({ customer: "c2" });
      return two;
    });
    const engine = await bench.openEngine({ flows: [flow] });
    const { task } = await engine.createTask({ flow: "noted", input: null, tags: { tenant: "t1", kept: key } });
    const waiting = await engine.runTask(task.id);
    expect(waiting.tags).toEqual({ begun: key, customer: "c1", tenant: "later", both: "1", kept: key });
    expect(waiting.steps.map(({ step_name }) => step_name)).toEqual(["give", "give", "go"]);
    for (const each of ["begun", "kept"]) expect(await found(engine, each, key)).toEqual([task.id]);
    // another process replays it, and comes to the same
    const other = await bench.openEngine({ flows: [flow] });
    await other.signalTask(task.id, { name: "go", payload: null });
    const ended = await other.runTask(task.id);
    expect(ended).toMatchObject({ status: "COMPLETED", output_payload: 2, tags: { customer: "c2", kept: key } });
    expect((await engine.getTask(task.id)).tags).toEqual(ended.tags);
    expect(await found(engine, "begun", key)).toEqual([task.id]);
    expect(await found(engine, "tenant", "t1")).toEqual([]);
  });

  test("a flow that has ended by it alone is one commit", async () => {
    const flow = flowOf(function* () {
      yield* annotate({ a: "1" });
      return null;
    });
    const engine = await bench.openEngine({ flows: [flow] });
    const { task } = await engine.results.create({ flow: "noted", input: null }, { waitMs: 30_000 });
    expect(task).toMatchObject({ status: "COMPLETED", tags: { a: "1" }, steps: [] });
  });

  const KEPT = 'to have set the tags {"a":"1"}, now they are {';

  test.each<[string, () => Generator<Operation<unknown>, unknown, unknown>, string]>([
    [
      "sets another value",
      function* () {
        yield* annotate({ a: "2" });
        return yield* waitForSignal("go");
      },
      KEPT,
    ],
    [
      "sets none any more",
      function* () {
        return yield* waitForSignal("go");
      },
      "step 1 was recorded as signal go at /1 with {}, now it decides signal go at /0",
    ],
    [
      "sets one more",
      function* () {
        yield* annotate({ a: "1", b: "1" });
        return yield* waitForSignal("go");
      },
      KEPT,
    ],
  ])("a flow that %s than is recorded is parked, with both", async (_what, edited, why) => {
    const first = await bench.openEngine({
      flows: [
        flowOf(function* () {
          yield* annotate({ a: "1" });
          return yield* waitForSignal("go");
        }),
      ],
    });
    const { task } = await first.createTask({ flow: "noted", input: null });
    await first.runTask(task.id);
    const second = await bench.openEngine({ flows: [flowOf(edited)] });
    await second.signalTask(task.id, { name: "go", payload: null });
    expect(String(await rejection(second.runTask(task.id)))).toContain(why);
    await first.resumeTask(task.id);
    expect(await first.runTask(task.id)).toMatchObject({ status: "COMPLETED", tags: { a: "1" } });
  });

  test("what a flow sets by chance is found before its end is written", async () => {
    let count = 0;
    const flow = flowOf(function* () {
      count += 1;
      yield* annotate({ count: String(count) });
      return yield* call(give, 1);
    });
    const engine = await bench.openEngine({ flows: [flow] });
    const { task } = await engine.createTask({ flow: "noted", input: null });
    expect(String(await rejection(engine.runTask(task.id)))).toContain('now they are {"count":"2"}');
  });

  test("a retry takes back what the flow set after the failure", async () => {
    let fails = true;
    const flaky = defineTool({
      name: "flaky",
      input: v.unknown(),
      output: v.unknown(),
      run: () => {
        if (fails) throw new NonRetryableError("no");
        return "yes";
      },
    });
    const flow = flowOf(function* () {
      try {
        return yield* call(flaky, null);
      } catch (error) {
        yield* annotate({ state: "failed" });
        throw error;
      }
    });
    const engine = await bench.openEngine({ flows: [flow] });
    const key = crypto.randomUUID();
    const { task } = await engine.createTask({ flow: "noted", input: null, tags: { key } });
    expect(await engine.runTask(task.id)).toMatchObject({ status: "FAILED", tags: { key, state: "failed" } });
    fails = false;
    expect((await engine.retryTask(task.id)).tags).toEqual({ key });
    expect(await found(engine, "state", "failed")).toEqual([]);
    const other = await bench.openEngine({ flows: [flow] });
    expect(await other.runTask(task.id)).toMatchObject({ status: "COMPLETED", tags: { key } });
  });

  test.each<[string, unknown, string]>([
    ["no object", "c1", "expected an object of texts"],
    ["a number", { customer: 5 }, "customer: expected a text"],
    ["a long value", { customer: "x".repeat(300) }, "at most 256"],
    [
      "too many",
      Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`k${n}`, "v"])),
      "at most 20 tags, these are 21",
    ],
  ])("%s fails the flow, and says what is wrong", async (_what, tags, why) => {
    const flow = flowOf(function* () {
      yield* annotate(tags as Record<string, string>);
      return null;
    });
    const engine = await bench.openEngine({ flows: [flow] });
    const { task } = await engine.createTask({ flow: "noted", input: null, tags: { given: "1" } });
    const ended = await engine.runTask(task.id);
    expect(ended).toMatchObject({ status: "FAILED", tags: { given: "1" } });
    expect(ended.error_message).toContain(why);
  });
});
