// Cancel: the flow hears of it once, `finally` blocks run, and the end is CANCELLED whatever they give.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import type { Flow } from "../../src/core/flow/flow.ts";
import { all, call, defineFlow, defineTool, sleep, waitForSignal, type Operation } from "../../src/sdk/taskonaut.ts";
import { forever, note, work } from "../support/construct-flows.ts";
import { DATABASES } from "../support/databases.ts";
import type { World } from "../support/mortal-store.ts";
import { useWorlds } from "../support/worlds.ts";
import { breaches } from "../support/scripts.ts";
import { until } from "../support/until.ts";

type Body = Generator<Operation<unknown>, unknown, unknown>;

describe.each(DATABASES)("on %s", (_name, create) => {
  const worlds = useWorlds(create);

  async function begin(given: Flow | (() => Body)): Promise<{ world: World; id: string }> {
    const flow =
      typeof given === "function"
        ? defineFlow({
            name: "sample",
            input: v.unknown(),
            signals: { go: v.unknown() },
            *run() {
              return yield* given();
            },
          })
        : given;
    const world = worlds.open([flow]);
    const { task } = await world.engine().engine.createTask({ flow: flow.name, input: null });
    return { world, id: task.id };
  }

  const inputs = (steps: readonly { input_payload: unknown; status: string }[]): unknown[] =>
    steps.map((step) => [step.input_payload, step.status]);

  test("a task that has not started is cancelled without a step, also one with a plan", async () => {
    const run = await begin(() => call(work, 1)[Symbol.iterator]());
    expect(await run.world.engine().engine.cancelTask(run.id)).toMatchObject({
      status: "CANCELLED",
      steps: [],
      output_payload: null,
    });
    const plan = await begin(
      defineFlow({ name: "planned", input: v.unknown(), plan: () => [call(work, 1), call(note, 2)] }),
    );
    const cancelled = await plan.world.engine().engine.cancelTask(plan.id);
    expect(inputs(cancelled.steps)).toEqual([
      [1, "CANCELLED"],
      [2, "CANCELLED"],
    ]);
  });

  test("what a finally gives or throws does not change the end", async () => {
    const bodies: (() => Body)[] = [
      function* () {
        try {
          yield* waitForSignal("go");
        } finally {
          // oxlint-disable-next-line no-unsafe-finally -- the end must be CANCELLED all the same
          return "returned";
        }
      },
      function* () {
        try {
          yield* waitForSignal("go");
        } finally {
          // oxlint-disable-next-line no-unsafe-finally -- the end must be CANCELLED all the same
          throw new Error("thrown");
        }
      },
    ];
    for (const body of bodies) {
      const { world, id } = await begin(body);
      const { engine } = world.engine();
      await engine.runTask(id);
      expect(await engine.cancelTask(id)).toMatchObject({
        status: "CANCELLED",
        output_payload: null,
        error_message: null,
        waiting_for: [],
      });
    }
  });

  test("a finally may wait; the task is CANCELLED when it is through, and a second cancel changes nothing", async () => {
    const { world, id } = await begin(function* () {
      try {
        yield* waitForSignal("go");
      } catch {
        yield* call(work, "never");
      } finally {
        yield* call(work, "begin");
        yield* waitForSignal("go");
        yield* call(work, "end");
      }
    });
    const { engine } = world.engine();
    await engine.runTask(id);
    const cleaning = await engine.cancelTask(id);
    expect(cleaning).toMatchObject({ status: "WAITING_OBSERVATION", waiting_for: [{ kind: "signal", name: "go" }] });
    expect(await world.engine().engine.cancelTask(id)).toMatchObject({
      status: "WAITING_OBSERVATION",
      steps: cleaning.steps,
    });
    await world.engine().engine.signalTask(id, { name: "go", payload: null });
    const ended = await world.engine().engine.runTask(id);
    expect(ended.status).toBe("CANCELLED");
    expect(inputs(ended.steps)).toEqual([
      [{}, "CANCELLED"],
      ["begin", "COMPLETED"],
      [{}, "COMPLETED"],
      ["end", "COMPLETED"],
    ]);
    expect(await engine.cancelTask(id)).toEqual(ended);
    expect((await world.read(id))?.task.cancelled_after).toBe(0);
  });

  test("a running tool is aborted, and its outcome is not what the flow hears of", async () => {
    const aborted: unknown[] = [];
    const slow = defineTool({
      name: "slow",
      input: v.unknown(),
      output: v.unknown(),
      run: (_input, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            aborted.push(signal.reason instanceof Error ? signal.reason.message : signal.reason);
            reject(new Error("stopped"));
          });
        }),
    });
    const { world, id } = await begin(function* () {
      try {
        yield* all([call(slow, 1), call(slow, 2)]);
      } catch {
        yield* call(work, "never");
      } finally {
        yield* call(work, "put back");
      }
    });
    const { engine } = world.engine();
    const running = engine.runTask(id);
    await until(async () => (await world.read(id))?.task.lease_owner !== null);
    // from elsewhere it is left to whoever runs the tools
    await world.engine().engine.cancelTask(id);
    const ended = await running;
    expect(ended.status).toBe("CANCELLED");
    expect(aborted).toEqual(["The task was cancelled.", "The task was cancelled."]);
    expect(inputs(ended.steps)).toEqual([
      [1, "CANCELLED"],
      [2, "CANCELLED"],
      ["put back", "COMPLETED"],
    ]);
    const record = await world.read(id);
    expect(record && breaches(record)).toEqual([]);
    expect(record?.calls.map((made) => made.status)).toEqual(["FAILED", "FAILED", "COMPLETED"]);
  });

  test("a parked task is cancelled only by code that matches it", async () => {
    const { world, id } = await begin(function* () {
      yield* call(note, 1);
      yield* sleep("1h");
    });
    await world.engine().engine.runTask(id);
    const edited = defineFlow({
      name: "sample",
      input: v.unknown(),
      *run() {
        yield* call(note, 2);
      },
    });
    expect(
      await world
        .engine([edited])
        .engine.cancelTask(id)
        .catch((error: unknown) => String(error)),
    ).toContain("parked");
    expect((await world.engine().engine.runTask(id)).status).toBe("CANCELLED");
  });

  test("of a task that has ended gives it back as it is", async () => {
    const { world, id } = await begin(() => call(work, 1)[Symbol.iterator]());
    const ended = await world.engine().engine.runTask(id);
    expect(await world.engine().engine.cancelTask(id)).toEqual(ended);
  });

  test("of a plan flow lets its running tool go and calls no other", async () => {
    const { world, id } = await begin(
      defineFlow({ name: "planned", input: v.unknown(), plan: () => [call(work, 1), call(forever, 2), call(note, 3)] }),
    );
    const { engine } = world.engine();
    const running = engine.runTask(id);
    await until(async () => (await world.read(id))?.steps[1]?.status === "RUNNING");
    await engine.cancelTask(id);
    const ended = await running;
    expect(ended.status).toBe("CANCELLED");
    expect(ended.steps.map((step) => step.status)).toEqual(["COMPLETED", "CANCELLED", "CANCELLED"]);
  });
});
