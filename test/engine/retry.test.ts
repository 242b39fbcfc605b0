// retry-task: the failed step that ended a task is opened again, under its key; else the reason why not.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { TaskonautError } from "../../src/core/errors.ts";
import type { Flow } from "../../src/core/flow/flow.ts";
import { childTaskId } from "../../src/core/record/ids.ts";
import type { Task } from "../../src/core/api/task.ts";
import {
  all,
  call,
  defineFlow,
  defineTool,
  race,
  runChild,
  sleep,
  waitForSignal,
  type Operation,
} from "../../src/sdk/taskonaut.ts";
import { forever, leaf, note, patient, work } from "../support/construct-flows.ts";
import { DATABASES } from "../support/databases.ts";
import { World } from "../support/mortal-store.ts";
import { rejection } from "../support/rejection.ts";
import { breaches, runToEnd } from "../support/scripts.ts";
import { useWorlds } from "../support/worlds.ts";

describe.each(DATABASES)("on %s", (_name, create) => {
  const worlds = useWorlds(create);
  let isBroken: boolean;
  const keys: string[] = [];

  const flaky = defineTool({
    name: "flaky",
    input: v.unknown(),
    output: v.unknown(),
    retry: { attempts: 2, base: 0 },
    run: (_input, { idempotencyKey }) => {
      keys.push(idempotencyKey);
      if (isBroken) throw new Error("broken");
      return "mended";
    },
  });
  const pureFlaky = defineTool({
    name: "pure_flaky",
    input: v.unknown(),
    output: v.unknown(),
    execution: "pure",
    retry: { attempts: 1 },
    run: () => {
      if (isBroken) throw new Error("broken");
      return "mended";
    },
  });

  const flowOf = (run: () => Generator<Operation<unknown>, unknown, unknown>): Flow =>
    defineFlow({
      name: "sample",
      input: v.unknown(),
      signals: { go: v.unknown() },
      *run() {
        return yield* run();
      },
    });

  async function failed(flow: Flow): Promise<{ world: World; task: Task }> {
    isBroken = true;
    keys.length = 0;
    const world = new World(worlds.store, [flow, leaf, patient]);
    const { engine } = world.engine();
    const { task } = await engine.createTask({ flow: "sample", input: null });
    const ended = await engine.runTask(task.id);
    isBroken = false;
    return { world, task: ended };
  }

  async function refusal({ world, task }: { world: World; task: Task }): Promise<string> {
    const before = await world.read(task.id);
    const error = await rejection(world.engine().engine.retryTask(task.id));
    expect(error instanceof TaskonautError && error.code).toBe("task_not_retryable");
    expect(await world.read(task.id)).toEqual(before);
    await world.end();
    return error.message;
  }

  test.each([
    ["flaky", () => flaky],
    ["pure_flaky", () => pureFlaky],
  ])("the step and its call are opened again under the same key and a higher epoch (%s)", async (name, tool) => {
    const flow = flowOf(function* () {
      const first = yield* call(work, 1);
      return { first, second: yield* call(tool(), 2), third: yield* call(note, 3) };
    });
    const { world, task } = await failed(flow);
    expect(task.status).toBe("FAILED");
    expect(task.tool_calls[1]?.last_error).toBe("broken");

    const reopened = await world.engine().engine.retryTask(task.id);
    expect(reopened).toMatchObject({ status: "RUNNING", error_message: null, current_step: 1 });
    expect(reopened.steps[1]).toMatchObject({ status: "PLANNED", error_message: null });

    const ended = await world.engine().engine.runTask(task.id);
    expect(ended.output_payload).toEqual({ first: 1, second: "mended", third: 3 });
    expect(ended.tool_calls).toHaveLength(3);
    const record = await world.read(task.id);
    expect(record?.steps.map((step) => step.attempt_epoch)).toEqual([0, 1, 0]);
    expect(record?.calls.map((made) => made.attempt_epoch)).toEqual([0, 1, 0]);
    expect(record?.calls.map((made) => made.id)).toContain(task.tool_calls[1]?.id ?? "");
    expect(record && breaches(record)).toEqual([]);
    if (name === "flaky") {
      expect(keys).toHaveLength(3);
      expect(new Set(keys).size).toBe(1);
    }
    await world.end();
  });

  test("as often as it takes", async () => {
    const { world, task } = await failed(flowOf(() => call(flaky, 1)[Symbol.iterator]()));
    for (const epoch of [1, 2, 3]) {
      isBroken = epoch < 3;
      await world.engine().engine.retryTask(task.id);
      await world.engine().engine.runTask(task.id);
      expect((await world.read(task.id))?.calls[0]?.attempt_epoch).toBe(epoch);
    }
    expect((await world.engine().engine.getTask(task.id)).output_payload).toBe("mended");
    await world.end();
  });

  test("what was given up when the flow heard of the failure is open again", async () => {
    const { world, task } = await failed(
      flowOf(function* () {
        return yield* all({ a: call(flaky, 1), b: sleep("1h"), c: waitForSignal("go") });
      }),
    );
    expect(task.steps.map((step) => step.status)).toEqual(["FAILED", "CANCELLED", "CANCELLED"]);
    await world.engine().engine.retryTask(task.id);
    const ended = await runToEnd(world, task.id);
    expect(ended.output_payload).toEqual({ a: "mended", b: null, c: { from: "wait /0.c" } });
    await world.end();
  });

  test("what was given up earlier stays so, a racer that lost by the failure runs again", async () => {
    const { world, task } = await failed(
      flowOf(function* () {
        yield* race([call(note, 1), sleep("1h")]);
        return yield* race([call(flaky, 1), sleep("2h"), call(forever, 2)]);
      }),
    );
    await world.engine().engine.retryTask(task.id);
    const ended = await world.engine().engine.runTask(task.id);
    expect(ended.output_payload).toBe("mended");
    expect(ended.steps.map((step) => step.status)).toEqual([
      "COMPLETED",
      "CANCELLED",
      "COMPLETED",
      "CANCELLED",
      "CANCELLED",
    ]);
    const record = await world.read(task.id);
    expect(record?.steps.map((step) => step.attempt_epoch)).toEqual([0, 0, 1, 1, 1]);
    expect(record && breaches(record)).toEqual([]);
    await world.end();
  });

  test("a crash at any write of it leaves the task as it was, or reopened", async () => {
    const flow = flowOf(function* () {
      return [yield* call(work, 1), yield* call(flaky, 2)];
    });
    for (const side of ["before", "after"] as const) {
      const { world, task } = await failed(flow);
      world.listener = (moment) => (moment.side === side ? "die" : undefined);
      await rejection(world.engine().engine.retryTask(task.id));
      world.listener = undefined;
      const { engine } = world.engine();
      if (side === "before") await engine.retryTask(task.id);
      expect((await engine.runTask(task.id)).output_payload).toEqual([1, "mended"]);
      await world.end();
    }
  });

  test("of a task that has not failed is refused", async () => {
    const { world, task } = await failed(flowOf(() => call(work, 1)[Symbol.iterator]()));
    expect(await refusal({ world, task })).toContain("it is COMPLETED; only a FAILED task can be retried");
  });

  test("of a flow that ended with an error of its own is refused", async () => {
    const given = await failed(
      flowOf(function* () {
        yield* call(work, 1);
        throw new Error("enough");
      }),
    );
    expect(await refusal(given)).toContain("its flow itself ended with an error");
  });

  test("of a flow that did more after the failure is refused", async () => {
    const given = await failed(
      flowOf(function* () {
        try {
          yield* call(flaky, 1);
        } finally {
          yield* call(work, "clean up");
        }
      }),
    );
    expect(await refusal(given)).toContain("its flow went on after step 1 (flaky) had failed");
  });

  test("of a wait that timed out is refused with the reason", async () => {
    const { world, task } = await failed(flowOf(() => waitForSignal("go", { timeout: 1 })[Symbol.iterator]()));
    const ended = await runToEnd(world, task.id, (waiting, _engine, { skippedMs }) => {
      world.skippedMs = skippedMs + 10;
      return Promise.resolve(waiting);
    });
    expect(await refusal({ world, task: ended })).toContain("step 1 (go) waited in vain");
  });

  test("opens what failed in a group, all of it, and what came of its neighbours stays", async () => {
    const { world, task } = await failed(
      flowOf(function* () {
        return yield* all({
          a: call(flaky, 1),
          b: (function* () {
            yield* call(work, "b1");
            return yield* call(work, "b2");
          })(),
          c: call(flaky, 3),
          d: sleep("1h"),
        });
      }),
    );
    expect(task.steps.map((step) => step.status)).toContain("CANCELLED");
    const { engine } = world.engine();
    const reopened = await engine.retryTask(task.id);
    expect(reopened.steps.filter(({ status }) => status === "COMPLETED").map((step) => step.input_payload)).toEqual([
      "b1",
      "b2",
    ]);
    await engine.runTask(task.id);
    world.skippedMs += 4_000_000;
    const ended = await world.engine().engine.runTask(task.id);
    expect(ended.output_payload).toEqual({ a: "mended", b: "b2", c: "mended", d: null });
    expect(ended.tool_calls).toHaveLength(4);
    const record = await world.read(task.id);
    expect(record && breaches(record)).toEqual([]);
    await world.end();
  });

  const unlucky = defineFlow({
    name: "unlucky",
    input: v.unknown(),
    *run(n) {
      if (n === "thrown") throw new Error("enough");
      return yield* call(flaky, n);
    },
  });

  async function failedParent(input: unknown): Promise<{ world: World; id: string; childId: string }> {
    isBroken = true;
    const world = new World(worlds.store, [flowOf(() => runChild(unlucky, input)[Symbol.iterator]()), unlucky]);
    const { engine } = world.engine();
    const { id } = (await engine.createTask({ flow: "sample", input: null })).task;
    const parent = await engine.runTask(id);
    expect(parent.status).toBe("FAILED");
    isBroken = false;
    return { world, id, childId: childTaskId(parent.steps[0]?.id ?? "") };
  }

  test("of a parent retries the child that failed", async () => {
    const { world, id, childId } = await failedParent(1);
    const { engine } = world.engine();
    expect((await engine.retryTask(id)).status).toBe("RUNNING");
    expect((await engine.runTask(id)).output_payload).toBe("mended");
    expect((await engine.getTask(childId)).status).toBe("COMPLETED");
    for (const each of [id, childId]) {
      const record = await world.read(each);
      expect(record && breaches(record)).toEqual([]);
    }
    await world.end();
  });

  test("of a parent takes up the end that its child has come to since", async () => {
    const { world, id, childId } = await failedParent(1);
    const { engine } = world.engine();
    await engine.retryTask(childId);
    expect((await engine.runTask(childId)).status).toBe("COMPLETED");
    await engine.retryTask(id);
    expect((await world.engine().engine.runTask(id)).output_payload).toBe("mended");
    await world.end();
  });

  test("of a parent whose child cannot be retried is refused, and tells of the child", async () => {
    const { world, id, childId } = await failedParent("thrown");
    const message = await refusal({ world, task: await world.engine().engine.getTask(id) });
    expect(message).toContain(`child ${childId} of step 1 (unlucky) failed. Task ${childId} cannot be retried`);
  });

  test.each([
    ["whose contract refused the input", "input_invalid"],
    ["whose key an open task had", "unique_key_taken"],
  ])("of a parent makes the child %s", async (_what, code) => {
    let isStrict = true;
    const kid = defineFlow({
      name: "kid",
      input: v.pipe(
        v.string(),
        v.check(() => code !== "input_invalid" || !isStrict),
      ),
      ...(code === "unique_key_taken" && { unique: { key: (input: string) => input } }),
      signals: { go: v.unknown() },
      *run() {
        if (code === "unique_key_taken" && isStrict) yield* waitForSignal("go");
        return "made";
      },
    });
    const parent = flowOf(function* () {
      return yield* runChild(kid, "one");
    });
    const world = new World(worlds.store, [parent, kid]);
    const { engine } = world.engine();
    const holder =
      code === "unique_key_taken" ? (await engine.createTask({ flow: "kid", input: "one" })).task : undefined;
    if (holder) await engine.runTask(holder.id);
    const { task } = await engine.createTask({ flow: "sample", input: null });
    expect((await engine.runTask(task.id)).error?.name).toBe(code);
    if (holder) await engine.cancelTask(holder.id);
    isStrict = false;
    await engine.retryTask(task.id);
    expect((await engine.runTask(task.id)).output_payload).toBe("made");
    await world.end();
  });

  test("of a flow that decides otherwise by now is refused, and shows both sides", async () => {
    const { world, task } = await failed(flowOf(() => call(flaky, 1)[Symbol.iterator]()));
    const edited = flowOf(() => call(flaky, 2)[Symbol.iterator]());
    const error = await rejection(world.engine([edited]).engine.retryTask(task.id));
    expect(error.message).toMatch(/with 1.*with 2/s);
    expect((await world.read(task.id))?.task.status).toBe("FAILED");
    await world.end();
  });
});
