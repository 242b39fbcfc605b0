// `finally` is shielded: a cancel, or a lost race, that finds a branch in one lets it end first.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import type { Task } from "../../src/core/api/task.ts";
import {
  all,
  call,
  defineFlow,
  defineTool,
  map,
  race,
  runChild,
  sleep,
  waitForSignal,
  type Operation,
} from "../../src/sdk/taskonaut.ts";
import { fail, leaf, note, work } from "../support/construct-flows.ts";
import { DATABASES } from "../support/databases.ts";
import type { World } from "../support/mortal-store.ts";
import { breaches } from "../support/scripts.ts";
import { until } from "../support/until.ts";
import { useWorlds } from "../support/worlds.ts";

type Body = Generator<Operation<unknown>, unknown, unknown>;
type Steps = Generator<Operation<unknown>, void, unknown>;

/** An undo step, a wait, and another one: the middle is where the cancel comes. */
function* undo(): Steps {
  yield* call(work, "undo 1");
  yield* waitForSignal("go");
  yield* call(work, "undo 2");
}

/** In which the branch comes to its `finally` by itself. */
function* cleansUp(): Steps {
  try {
    yield* call(note, "do");
  } finally {
    yield* undo();
  }
  yield* call(work, "never");
}

function* nested(): Steps {
  try {
    try {
      yield* call(fail, "do");
    } finally {
      try {
        yield* call(note, "inner");
      } finally {
        yield* undo();
      }
      yield* call(work, "rest of the inner");
    }
  } catch {
    yield* call(work, "never");
  } finally {
    yield* call(work, "outer");
  }
}

describe.each(DATABASES)("on %s", (_name, create) => {
  const worlds = useWorlds(create);

  async function begin(body: () => Body): Promise<{ world: World; id: string }> {
    const flow = defineFlow({
      name: "sample",
      input: v.unknown(),
      signals: { go: v.unknown(), other: v.unknown() },
      *run() {
        return yield* body();
      },
    });
    const world = worlds.open([flow, leaf], { leaseMs: 300 });
    const { task } = await world.engine().engine.createTask({ flow: "sample", input: null });
    return { world, id: task.id };
  }

  const done = ({ steps }: Task): unknown[] =>
    steps.filter(({ status }) => status === "COMPLETED").map((step) => step.input_payload);

  const go = (world: World, id: string): Promise<Task> =>
    world.engine().engine.signalTask(id, { name: "go", payload: null });

  test.each([
    ["of a flow", cleansUp, ["do", "undo 1", {}, "undo 2"]],
    ["within another", nested, ["inner", "undo 1", {}, "undo 2", "rest of the inner", "outer"]],
    [
      "that a catch follows",
      function* () {
        try {
          yield* cleansUp();
        } catch {
          yield* call(work, "never");
        }
      },
      ["do", "undo 1", {}, "undo 2"],
    ],
    [
      "of a member of all",
      function* () {
        yield* all({ a: cleansUp(), b: sleep("1h"), c: runChild(leaf, null) });
      },
      ["do", null, "undo 1", {}, "undo 2"],
    ],
    [
      "of a member of map",
      function* () {
        yield* map([1, 2], () => cleansUp(), { concurrency: 1 });
      },
      ["do", "undo 1", {}, "undo 2"],
    ],
    [
      "of a member of race",
      function* () {
        yield* race([cleansUp(), waitForSignal("other")]);
      },
      ["do", "undo 1", {}, "undo 2"],
    ],
    [
      "that holds a group",
      function* () {
        try {
          yield* call(note, "do");
        } finally {
          yield* all([undo(), sleep(1)]);
        }
      },
      ["do", "undo 1", { ms: 1 }, {}, "undo 2"],
    ],
  ] as [string, () => Body, unknown[]][])("a cancel lets a finally %s end", async (_what, body, steps) => {
    const { world, id } = await begin(body);
    await world.engine().engine.runTask(id);
    world.skippedMs += 1000;
    await world.engine().engine.runTask(id);
    const cleaning = await world.engine().engine.cancelTask(id);
    expect(cleaning).toMatchObject({ status: "WAITING_OBSERVATION" });
    expect(cleaning.waiting_for).toContainEqual({ kind: "signal", name: "go", until: null, task_id: null });
    // a second cancel, by another engine that has replayed the first
    expect((await world.engine().engine.cancelTask(id)).steps).toEqual(cleaning.steps);
    await go(world, id);
    const ended = await world.engine().engine.runTask(id);
    expect(ended.status).toBe("CANCELLED");
    expect(done(ended)).toEqual(steps);
    const record = await world.read(id);
    expect(record && breaches(record)).toEqual([]);
  });

  test("a race that is lost meanwhile ends the branch after its finally, and with what won", async () => {
    const { world, id } = await begin(function* () {
      return yield* race({
        loser: cleansUp(),
        winner: (function* () {
          yield* waitForSignal("go");
          return "won";
        })(),
      });
    });
    const { engine } = world.engine();
    await engine.runTask(id);
    await go(world, id); // the winner waits for it as well, and was there first
    await engine.runTask(id);
    await go(world, id);
    const ended = await engine.runTask(id);
    expect(ended).toMatchObject({ status: "COMPLETED", output_payload: "won" });
    expect(done(ended)).toEqual(["do", {}, "undo 1", {}, "undo 2"]);
  });

  test("an undo step that runs is not aborted, one of another branch is", async () => {
    const ends: unknown[] = [];
    const gate = Promise.withResolvers<void>();
    const held = defineTool({
      name: "held",
      input: v.unknown(),
      output: v.unknown(),
      retry: { attempts: 1 },
      run: async (input, { signal }) => {
        const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        await Promise.race([gate.promise, aborted]);
        ends.push([input, signal.aborted]);
        if (signal.aborted) throw new Error("aborted");
        return input;
      },
    });
    const { world, id } = await begin(function* () {
      yield* all([
        (function* (): Steps {
          try {
            yield* call(note, "do");
          } finally {
            yield* call(held, "undo");
            yield* call(work, "undo 2");
          }
        })(),
        call(held, "beside"),
      ]);
    });
    const { engine } = world.engine();
    const running = engine.runTask(id);
    await until(async () => (await world.read(id))?.steps.filter(({ status }) => status === "RUNNING").length === 2);
    const cancelled = world.engine().engine.cancelTask(id);
    await until(() => Promise.resolve(ends.length === 1));
    gate.resolve();
    await cancelled;
    const ended = await running;
    expect(ends).toEqual([
      ["beside", true],
      ["undo", false],
    ]);
    expect(ended.status).toBe("CANCELLED");
    expect(done(ended)).toEqual(["do", "undo", "undo 2"]);
  });

  test("a catch is not shielded: what compensates belongs into finally", async () => {
    const { world, id } = await begin(function* () {
      try {
        yield* call(fail, "do");
      } catch {
        yield* undo();
      }
    });
    const { engine } = world.engine();
    await engine.runTask(id);
    const ended = await engine.cancelTask(id);
    expect(ended.status).toBe("CANCELLED");
    expect(done(ended)).toEqual(["undo 1"]);
  });

  test("a process that dies in the middle of it leaves the rest of the finally to the next", async () => {
    for (const death of [2, 3, 5]) {
      const { world, id } = await begin(cleansUp);
      await world.engine().engine.runTask(id);
      let moments = 0;
      const died = Promise.withResolvers<void>();
      world.listener = ({ side }) => {
        if (side === "before" || ++moments !== death) return undefined;
        died.resolve();
        return "die";
      };
      const doomed = world.engine();
      const driven = doomed.engine
        .cancelTask(id)
        .then(() => doomed.engine.signalTask(id, { name: "go", payload: null }))
        .then(() => doomed.engine.runTask(id))
        .catch(() => {}); // it has died
      await Promise.race([driven, died.promise]);
      world.listener = undefined;
      expect([death, doomed.isDead]).toEqual([death, true]);
      const { engine } = world.engine();
      await engine.cancelTask(id);
      if ((await world.read(id))?.steps[2]?.status === "PLANNED") await go(world, id);
      const ended = await engine.runTask(id);
      expect([death, ended.status]).toEqual([death, "CANCELLED"]);
      expect(done(ended)).toEqual(["do", "undo 1", {}, "undo 2"]);
    }
  });
});
