// What a flow has given up is a decision like any other: a flow that gives up otherwise than is recorded is parked, and
// no task ends while a step of it is open.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { TaskonautError } from "../../src/core/errors.ts";
import type { Flow } from "../../src/core/flow/flow.ts";
import {
  all,
  call,
  defineFlow,
  map,
  race,
  sleep,
  waitForSignal,
  type Member,
  type Operation,
} from "../../src/sdk/taskonaut.ts";
import { isStepOpen } from "../../src/core/record/status.ts";
import { fail, forever, note, work } from "../support/construct-flows.ts";
import { DATABASES } from "../support/databases.ts";
import { rejection } from "../support/rejection.ts";
import { useWorlds } from "../support/worlds.ts";

type Group = (members: Member[]) => Operation<unknown>;

/** The group beside a wait, which keeps the task open; then a step of the outcome. */
function flowOf(group: Group, others: () => Member[]): Flow {
  return defineFlow({
    name: "sample",
    input: v.unknown(),
    signals: { go: v.unknown() },
    *run() {
      const [first] = yield* all([group([call(work, "first"), ...others()]), waitForSignal("go")]);
      return yield* call(note, first);
    },
  });
}

function* caught(group: Operation<unknown>): Generator<Operation<unknown>, unknown, unknown> {
  try {
    return yield* group;
  } catch {
    return "caught";
  }
}

const waits = (): Member[] => [sleep("1h")];
const signal = (): Member[] => [waitForSignal("go", { timeout: "1h" })];
const open =
  /^Task \S+ is parked\. Replay does not match the record: .*: step 2, (sleep sleep|signal go|tool note) at \S+ with .*, was recorded as open, now it gives that step up\./;
const givenUp =
  /: step 2, (sleep sleep|signal go|tool note) at \S+ with .*, was recorded as given up, now it waits for that step\./;

describe.each(DATABASES)("on %s", (_name, create) => {
  const worlds = useWorlds(create);

  test.each<[string, Flow, Flow, RegExp]>([
    ["a race made an all", flowOf(race, waits), flowOf(all, waits), givenUp],
    ["a race for a signal made an all", flowOf(race, signal), flowOf(all, signal), givenUp],
    ["an all made a race", flowOf(all, waits), flowOf(race, waits), open],
    ["an all with a signal made a race", flowOf(all, signal), flowOf(race, signal), open],
  ])(
    "%s, while a member is open, parks the task, and it goes on when it is put back",
    async (_what, before, after, told) => {
      const world = worlds.open([before]);
      const { engine } = world.engine();
      const { task } = await engine.createTask({ flow: "sample", input: null });
      const { steps } = await engine.runTask(task.id);
      const edited = world.engine([after]).engine;
      for (const act of ["runTask", "resumeTask"] as const) {
        const error = await rejection(edited[act](task.id));
        expect(error instanceof TaskonautError && error.code).toBe("task_parked");
        expect(error.message).toMatch(told);
      }
      expect((await edited.getTask(task.id)).steps).toEqual(steps);
      const former = world.engine([before]).engine;
      expect((await former.resumeTask(task.id)).parked_reason).toBeNull();
      await former.cancelTask(task.id);
      expect((await former.getTask(task.id)).status).toBe("CANCELLED");
    },
  );

  test("a flow that ends where a step is open by the record is parked", async () => {
    const of = (group: Group): Flow =>
      defineFlow({
        name: "sample",
        input: v.unknown(),
        *run() {
          return yield* group([call(work, 1), sleep("1h")]);
        },
      });
    const world = worlds.open([of(all)]);
    const { engine } = world.engine();
    const { task } = await engine.createTask({ flow: "sample", input: null });
    await engine.runTask(task.id);
    const error = await rejection(world.engine([of(race)]).engine.runTask(task.id));
    expect(error.message).toMatch(open);
    expect(await engine.getTask(task.id)).toMatchObject({ status: "WAITING_OBSERVATION", output_payload: null });
  });

  test.each<[string, Flow, Flow]>([
    [
      "a failure that is caught further in",
      flowOf((of) => all([caught(all(of))]), failing),
      flowOf((of) => all([all(of.map(one))]), failing),
    ],
    [
      "less at once",
      flowOf((of) => map(of, one, { concurrency: 3 }), two),
      flowOf((of) => map(of, one, { concurrency: 1 }), two),
    ],
    ["a member more", flowOf(all, waits), flowOf(all, () => [...waits(), call(note, 3)])],
    ["a member less", flowOf(all, two), flowOf(all, waits)],
  ])("%s is a mismatch", async (_what, before, after) => {
    const world = worlds.open([before]);
    const { engine } = world.engine();
    const { task } = await engine.createTask({ flow: "sample", input: null });
    await engine.runTask(task.id);
    expect((await rejection(world.engine([after]).engine.runTask(task.id))).message).toContain(
      "Replay does not match the record",
    );
  });

  test("no task ends with an open step, however it ends", async () => {
    const flows = [
      ["COMPLETED", () => race([call(note, 1), sleep("1h"), call(forever, 1)])],
      ["FAILED", () => all([call(fail, 1), sleep("1h"), waitForSignal("go")])],
    ] as const;
    for (const [status, operation] of flows) {
      const world = worlds.open([
        defineFlow({
          name: "sample",
          input: v.unknown(),
          signals: { go: v.unknown() },
          *run() {
            return yield* operation();
          },
        }),
        defineFlow({ name: "planned", input: v.unknown(), plan: () => [call(fail, 1), call(note, 2), call(work, 3)] }),
      ]);
      const { engine } = world.engine();
      for (const [flow, end] of [
        ["sample", status],
        ["planned", "FAILED"],
      ] as const) {
        const { task } = await engine.createTask({ flow, input: null });
        const ended = await engine.runTask(task.id);
        expect(ended.status).toBe(end);
        expect(ended.steps.filter((step) => isStepOpen(step.status))).toEqual([]);
      }
    }
  });
});

function failing(): Member[] {
  return [call(fail, 1), sleep("1h")];
}

function two(): Member[] {
  return [sleep("1h"), waitForSignal("go")];
}

function one(member: Member): Member {
  return member;
}
