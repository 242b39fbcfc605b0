// Parked tasks: a flow that decides otherwise than is recorded, or is not deterministic, leaves the record untouched and
// goes on when its code is put right.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { violate, isWatched } from "../../src/core/flow/determinism.ts";
import { TaskonautError } from "../../src/core/errors.ts";
import type { Flow } from "../../src/core/flow/flow.ts";
import {
  all,
  call,
  defineFlow,
  log,
  map,
  random,
  StepError,
  sleep,
  uuid,
  waitForSignal,
  type Operation,
} from "../../src/sdk/taskonaut.ts";
import { fail, note, work } from "../support/construct-flows.ts";
import { DATABASES } from "../support/databases.ts";
import type { World } from "../support/mortal-store.ts";
import { useWorlds } from "../support/worlds.ts";
import { rejection } from "../support/rejection.ts";
import { advanceToEnd } from "../support/scripts.ts";

type Body = Generator<Operation<unknown>, unknown, unknown>;

describe.each(DATABASES)("on %s", (_name, create) => {
  const worlds = useWorlds(create);

  const flowOf = (run: () => Body): Flow =>
    defineFlow({
      name: "sample",
      input: v.unknown(),
      signals: { go: v.unknown() },
      *run() {
        return yield* run();
      },
    });

  async function begin(flow: Flow): Promise<{ world: World; id: string }> {
    const world = worlds.open([flow]);
    const { task } = await world.engine().engine.createTask({ flow: "sample", input: null });
    return { world, id: task.id };
  }

  async function parked(promise: Promise<unknown>): Promise<string> {
    const error = await rejection(promise);
    expect(error instanceof TaskonautError && [error.code, error.status]).toEqual(["task_parked", 409]);
    return error.message;
  }

  const withoutParking = (record: Awaited<ReturnType<World["read"]>>): unknown =>
    record && {
      ...record,
      task: { ...record.task, parked_reason: null, parked_code: null, version: 0, updated_at: 0, due_at: null },
    };

  const original = flowOf(function* () {
    const first = yield* call(work, 1);
    yield* waitForSignal("go");
    return [first, yield* call(note, 2)];
  });

  test.each<[string, () => Body, RegExp]>([
    [
      "another input",
      () => inTurn(call(work, 10), waitForSignal("go")),
      /recorded as tool work at \/0 with 1, now it decides tool work at \/0 with 10/,
    ],
    [
      "another tool",
      () => inTurn(call(note, 1), waitForSignal("go")),
      /tool work at \/0 with 1, now it decides tool note at \/0/,
    ],
    [
      "another name",
      () => inTurn(call(work, 1, { as: "job" }), waitForSignal("go")),
      /now it decides tool job \(work\)/,
    ],
    [
      "another kind",
      () => inTurn(call(work, 1), sleep("1h")),
      /signal go at \/1 with \{\}, now it decides sleep sleep at \/1/,
    ],
    ["a step less", () => inTurn(call(work, 1)), /it returns \[1\] where step 2 was recorded as signal go/],
    [
      "another place",
      () => inTurn(all([call(work, 1)]), waitForSignal("go")),
      /at \/0 with 1, now it decides tool work at \/0\.0/,
    ],
    [
      "a step more beside it",
      () => inTurn(call(work, 1), all([waitForSignal("go"), call(work, 2)])),
      /signal go at \/1 .*now it decides signal go at \/1\.0/,
    ],
    ["an end of its own", () => inTurn(), /it returns \[\] before the outcome of step 1, tool work at \/0 with 1/],
    ["an error", () => thrower(), /it throws Error: edited at .*replay\.test\.ts:\d+:\d+ before the outcome of step 1/],
  ])(
    "a flow that decides on %s is parked with both sides shown, and goes on when it is put back",
    async (_what, run, told) => {
      const { world, id } = await begin(original);
      await world.engine().engine.runTask(id);
      const before = await world.read(id);
      const edited = flowOf(run);
      expect(await parked(world.engine([edited]).engine.runTask(id))).toMatch(told);
      const after = await world.read(id);
      expect(after?.task.parked_reason).toMatch(told);
      // of flows that came from no file
      expect(after?.task.parked_code).toBe("built-in");
      expect(after?.task.due_at).toBeNull();
      expect(withoutParking(after)).toEqual(withoutParking(before));
      // again: told again, and nothing is written for it
      await parked(world.engine([edited]).engine.advanceTask(id));
      await parked(world.engine([edited]).engine.resumeTask(id));
      expect(await world.read(id)).toEqual(after);
      // a signal is kept meanwhile, and does not make it due
      await world.engine().engine.signalTask(id, { name: "go", payload: null });
      expect((await world.read(id))?.task.due_at).toBeNull();

      expect(await world.engine().engine.runTask(id)).toMatchObject({
        status: "COMPLETED",
        output_payload: [1, 2],
        parked_reason: null,
      });
    },
  );

  test("a flow that is edited but decides the same goes on", async () => {
    const { world, id } = await begin(original);
    await world.engine().engine.runTask(id);
    await world.engine().engine.signalTask(id, { name: "go", payload: null });
    const edited = flowOf(function* () {
      const first = (yield* call(work, 0.5 + 0.5)) as number;
      yield* waitForSignal("go");
      const second = yield* call(note, 20);
      return { first: first + 1, second };
    });
    expect((await world.engine([edited]).engine.runTask(id)).output_payload).toEqual({ first: 2, second: 20 });
  });

  test("a parked task whose code is put back waits as before", async () => {
    const { world, id } = await begin(flowOf(() => inTurn(call(work, 1), sleep("1h"))));
    await world.engine().engine.runTask(id);
    const due = (await world.read(id))?.task.due_at;
    await parked(world.engine([flowOf(() => inTurn(call(work, 2)))]).engine.runTask(id));
    expect(await world.engine().engine.resumeTask(id)).toMatchObject({
      status: "WAITING_OBSERVATION",
      parked_reason: null,
    });
    expect((await world.read(id))?.task.due_at).toBe(due ?? 0);
  });

  test("a parked task with a tool to call goes on without being resumed first", async () => {
    for (const tool of [work, note]) {
      const { world, id } = await begin(flowOf(() => inTurn(call(tool, 1), call(note, 2))));
      await world.engine().engine.advanceTask(id);
      await parked(world.engine([flowOf(() => inTurn(call(tool, 3)))]).engine.advanceTask(id));
      expect((await world.read(id))?.task.status).toBe("RUNNING");
      expect((await world.engine().engine.runTask(id)).status).toBe("COMPLETED");
    }
  });

  test.each<[string, (isBad: () => boolean) => Body]>([
    ["at its start", (isBad) => inTurn(...(isBad() ? [violating()] : []), call(work, 1), call(note, 2))],
    ["in the middle", (isBad) => afterOne(isBad)],
  ])(
    "a violation %s parks the task although the flow catches it, and nothing of the transition is recorded",
    async (_when, run) => {
      let isBad = true;
      const flow = flowOf(() => run(() => isBad));
      const { world, id } = await begin(flow);
      const reached: unknown[] = [];
      for (let i = 0; i < 4; i++) {
        const before = await world.read(id);
        try {
          await world.engine().engine.advanceTask(id);
        } catch (error) {
          expect(error instanceof TaskonautError && error.message).toMatch(
            /is parked\. A flow called Date\.now\(\).*Use now\(\)/,
          );
          expect(withoutParking(await world.read(id))).toEqual(withoutParking(before));
          reached.push((await world.read(id))?.task.parked_reason);
        }
      }
      expect(reached.length).toBeGreaterThan(0);
      await parked(world.engine().engine.runTask(id));
      isBad = false;
      expect((await world.engine().engine.resumeTask(id)).parked_reason).toBeNull();
      expect((await world.engine().engine.runTask(id)).status).toBe("COMPLETED");
    },
  );

  test("a plan that breaks determinism makes no task, also when it catches it", async () => {
    const flow = defineFlow({
      name: "sample",
      input: v.unknown(),
      plan: () => {
        try {
          violate("Date.now()", "Use now().");
        } catch {
          // as if nothing had happened
        }
        return [call(note, 1)];
      },
    });
    const error = await rejection(begin(flow));
    expect(error instanceof TaskonautError && error.code).toBe("flow_invalid");
    expect(error.message).toContain("Date.now()");
  });

  test("lots are drawn alike live and on replay, other tasks and branches draw others", async () => {
    const drawing = flowOf(function* () {
      const one = [uuid(), random()];
      yield* call(work, one);
      const branches = yield* all([drawn(), drawn()]);
      return { one, branches, last: uuid() };
    });
    const seen: string[] = [];
    for (let i = 0; i < 2; i++) {
      const { world, id } = await begin(drawing);
      const output = (await advanceToEnd(world, id)).output_payload as {
        one: [string, number];
        branches: string[][];
        last: string;
      };
      expect((await world.read(id))?.steps[0]?.output_payload).toBe(JSON.stringify(output.one));
      expect(output.one[1]).toBeWithin(0, 1);
      seen.push(output.one[0], output.last, ...output.branches.flat());
    }
    expect(new Set(seen).size).toBe(seen.length);
  });

  test("a line is logged once, and not again on replay", async () => {
    const lines: string[] = [];
    const logging = flowOf(function* () {
      log("first");
      lines.push(isWatched() ? "watched" : "not watched");
      yield* call(work, 1);
      log("second");
      return yield* call(note, 2);
    });
    const { world, id } = await begin(logging);
    await advanceToEnd(world, id);
    // the flow ran again for each transition, so the lines of its log are what counts
    expect(lines.length).toBeGreaterThan(2);
    expect(world.lines.filter((line) => line === "first" || line === "second")).toEqual(["first", "second"]);
  });

  test("an error that a flow has caught is the same live and on replay", async () => {
    const catching = flowOf(function* () {
      const seen: unknown[] = [];
      for (const value of [1, 2]) {
        try {
          yield* call(fail, value);
        } catch (error) {
          seen.push(error instanceof StepError && [error.name, error.message, error.step, error.reason]);
        }
        yield* call(note, seen);
      }
      return seen;
    });
    const live = await begin(catching);
    const replayed = await begin(catching);
    const task = await live.world.engine().engine.runTask(live.id);
    expect((await advanceToEnd(replayed.world, replayed.id)).output_payload).toEqual(task.output_payload);
  });

  test("a task that would have more steps than it may is parked, and says so", async () => {
    const endless = flowOf(function* () {
      for (let n = 0; ; n++) yield* call(note, n);
    });
    const broad = flowOf(() => inTurn(map([1, 2, 3, 4, 5, 6], (n) => call(note, n))));
    for (const [flow, made] of [
      [endless, 5],
      [broad, 0],
    ] as const) {
      const world = worlds.open([flow], { stepsPerTask: 5 });
      const { task } = await world.engine().engine.createTask({ flow: "sample", input: null });
      const error = await rejection(advanceToEnd(world, task.id));
      expect(error.message).toContain("more than 5 steps, the limit of a task");
      const { parked_reason, steps } = await world.engine().engine.getTask(task.id);
      expect([parked_reason?.includes("TASKONAUT_MAX_STEPS"), steps.length]).toEqual([true, made]);
    }
  });
});

function* inTurn(...operations: readonly (Operation<unknown> | Body)[]): Body {
  const seen: unknown[] = [];
  for (const operation of operations) seen.push(yield* operation);
  return seen;
}

function* thrower(): Body {
  yield* [];
  throw new Error("edited");
}

function* violating(): Body {
  yield* [];
  try {
    violate("Date.now()", "Use now().");
  } catch {
    return "as if nothing had happened";
  }
}

function* afterOne(isBad: () => boolean): Body {
  yield* call(work, 1);
  if (isBad()) yield* violating();
  return yield* call(note, 2);
}

function* drawn(): Body {
  const first = uuid();
  yield* call(note, first);
  return [first, uuid()];
}
