// A child is a task of its own, once, whatever happens to whoever waits for it.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import type { Flow } from "../../src/core/flow/flow.ts";
import { childTaskId } from "../../src/core/record/ids.ts";
import { call, defineFlow, race, runChild, waitForSignal, type Operation } from "../../src/sdk/taskonaut.ts";
import { fail, held, leaf, note, patient, work } from "../support/construct-flows.ts";
import { DATABASES } from "../support/databases.ts";
import type { World } from "../support/mortal-store.ts";
import { rejection } from "../support/rejection.ts";
import { until } from "../support/until.ts";

type Body = Generator<Operation<unknown>, unknown, unknown>;

const strict = defineFlow({
  name: "strict",
  input: v.object({ n: v.number(), unit: v.optional(v.string(), "cm") }),
  *run(input) {
    return yield* call(note, input);
  },
});

const unlucky = defineFlow({
  name: "unlucky",
  input: v.unknown(),
  *run() {
    yield* call(fail, "luck");
  },
});

/** Each level runs the next, as deep as it may. */
const deep: Flow = defineFlow({
  name: "deep",
  input: v.unknown(),
  *run(): Body {
    try {
      const below = (yield* runChild(deep, null)) as number | string;
      return typeof below === "number" ? below + 1 : 1;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  },
});

import { useWorlds } from "../support/worlds.ts";
describe.each(DATABASES)("on %s", (_name, create) => {
  const worlds = useWorlds(create);

  async function begin(
    run: () => Body,
    loaded: readonly Flow[] = [leaf, patient, held, strict, unlucky],
  ): Promise<{ world: World; id: string }> {
    const flow = defineFlow({
      name: "sample",
      input: v.unknown(),
      *run() {
        return yield* run();
      },
    });
    const world = worlds.open([flow, ...loaded]);
    const { task } = await world.engine().engine.createTask({ flow: "sample", input: null });
    return { world, id: task.id };
  }

  const caught = (operation: () => Operation<unknown>) =>
    function* (): Body {
      try {
        return yield* operation();
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    };

  test("gives its output, and knows its parent", async () => {
    const { world, id } = await begin(() => runChild(strict, { n: 1 }, { as: "measure" })[Symbol.iterator]());
    const { engine } = world.engine();
    const parent = await engine.runTask(id);
    expect(parent.output_payload).toEqual({ n: 1, unit: "cm" });
    const [step] = parent.steps;
    expect(step?.step_name).toBe("measure");
    const child = await engine.getTask(childTaskId(step?.id ?? ""));
    expect(child).toMatchObject({
      flow_name: "strict",
      status: "COMPLETED",
      parent_task_id: id,
      input_payload: { n: 1, unit: "cm" },
    });
  });

  test("that waits lets its parent wait for it, and say for which task", async () => {
    const { world, id } = await begin(() => runChild(patient, "x")[Symbol.iterator]());
    const { engine } = world.engine();
    const waiting = await engine.runTask(id);
    const childId = childTaskId(waiting.steps[0]?.id ?? "");
    expect(waiting).toMatchObject({
      status: "WAITING_OBSERVATION",
      lease_owner: null,
      waiting_for: [{ kind: "child", name: "patient", until: null, task_id: childId }],
    });
    await engine.signalTask(childId, { name: "go", payload: { x: 1 } });
    // to run the parent is to run what it waits for
    expect((await engine.runTask(id)).output_payload).toEqual({ patient: { x: 1 } });
  });

  test("that fails throws its error in the parent", async () => {
    const { world, id } = await begin(caught(() => runChild(unlucky, null)));
    expect((await world.engine().engine.runTask(id)).output_payload).toBe('unlucky: fail: no "luck"');
  });

  test("that was cancelled by itself throws in the parent", async () => {
    const { world, id } = await begin(caught(() => runChild(patient, null)));
    const { engine } = world.engine();
    const parent = await engine.runTask(id);
    await engine.cancelTask(childTaskId(parent.steps[0]?.id ?? ""));
    expect((await engine.runTask(id)).output_payload).toBe("patient: The child task was cancelled.");
  });

  test("whose input breaks its contract fails the step, and no task is made", async () => {
    const { world, id } = await begin(caught(() => runChild(strict, { n: "one" } as unknown as { n: number })));
    const parent = await world.engine().engine.runTask(id);
    expect(parent.output_payload).toContain("breaks the contract of flow strict");
    expect(await world.read(childTaskId(parent.steps[0]?.id ?? ""))).toBeUndefined();
    expect(parent.lease_owner).toBeNull();
  });

  test("whose flow is not loaded here waits for a process that has it, and so does its parent", async () => {
    const { world, id } = await begin(
      caught(() => runChild(strict, { n: 1 })),
      [],
    );
    const parent = await world.engine().engine.runTask(id);
    const [wait] = parent.waiting_for;
    expect([parent.status, wait?.kind, wait?.name]).toEqual(["WAITING_OBSERVATION", "child", "strict"]);
    await begin(() => call(note, 1)[Symbol.iterator]()); // whatever else goes on
    await world.engine([strict]).engine.runTask(wait?.task_id ?? "");
    expect(await world.engine().engine.runTask(id)).toMatchObject({ status: "COMPLETED" });
  });

  test("whose name another flow has parks the parent with the reason, until the right one is loaded", async () => {
    const namesake = defineFlow({
      name: "strict",
      input: v.unknown(),
      *run() {
        yield* call(note, 1);
      },
    });
    const body = caught(() => runChild(strict, { n: 1 }));
    const { world, id } = await begin(body, [namesake]);
    const error = await rejection(world.engine().engine.runTask(id));
    expect(error.message).toContain("not the one that is loaded under this name");
    const parked = await world.read(id);
    // every worker that has the flow tries it now and then
    expect(parked?.task).toMatchObject({ parked_code: null, lease_owner: null, due_at: null });
    const sample = defineFlow({ name: "sample", input: v.unknown(), run: body });
    expect((await world.engine([sample, strict]).engine.runTask(id)).status).toBe("COMPLETED");
  });

  test("whose input is larger than this process takes parks the parent", async () => {
    const large = defineFlow({
      name: "sample",
      input: v.unknown(),
      *run() {
        return yield* runChild(leaf, "x".repeat(100));
      },
    });
    const small = worlds.open([large, leaf], { inputBytes: 50 });
    const { id } = (await small.engine().engine.createTask({ flow: "sample", input: null })).task;
    const error = await rejection(small.engine().engine.runTask(id));
    expect(error.message).toContain("the limit is 50 (TASKONAUT_MAX_INPUT_BYTES)");
    expect((await worlds.open([large, leaf]).engine().engine.runTask(id)).status).toBe("COMPLETED");
  });

  test("goes sixteen levels deep and no deeper, where the limit is that; elsewhere it goes on", async () => {
    const { world, id } = await begin(() => runChild(deep, null)[Symbol.iterator](), [deep]);
    const parent = await world.engine().engine.runTask(id);
    // the task itself is level 0, the lowest one that could not be is level 17
    expect(parent.status).toBe("WAITING_OBSERVATION");
    let depth = 0;
    let at = await world.read(id);
    for (;;) {
      const below: typeof at = at && (await world.read(childTaskId(at.steps[0]?.id ?? "")));
      if (!below) break;
      depth += 1;
      expect(below.task.depth).toBe(depth);
      at = below;
    }
    expect(depth).toBe(16);
    expect(at?.task.parked_reason).toContain(
      "would be 17 levels deep; the limit here is 16 (TASKONAUT_MAX_CHILD_DEPTH)",
    );
    // a task of that depth can be cancelled, all of it
    expect((await world.engine().engine.cancelTask(id)).status).toBe("CANCELLED");
    await until(async () => (await world.read(at?.task.id ?? ""))?.task.status === "CANCELLED");
  });

  test("is cancelled with its parent, and cleans up, although it only waited", async () => {
    const { world, id } = await begin(() => runChild(held, null)[Symbol.iterator]());
    const { engine } = world.engine();
    const waiting = await engine.runTask(id);
    expect((await engine.cancelTask(id)).status).toBe("CANCELLED");
    const child = await engine.getTask(childTaskId(waiting.steps[0]?.id ?? ""));
    expect(child.status).toBe("CANCELLED");
    expect(child.steps.map((step) => [step.step_name, step.status])).toEqual([
      ["stop", "CANCELLED"],
      ["work", "COMPLETED"],
    ]);
  });

  test("is cancelled with the parent of its parent", async () => {
    const middle = defineFlow({
      name: "middle",
      input: v.unknown(),
      *run(): Body {
        try {
          return yield* runChild(held, null);
        } finally {
          yield* call(work, "middle");
        }
      },
    });
    const { world, id } = await begin(() => runChild(middle, null)[Symbol.iterator](), [middle, held]);
    const { engine } = world.engine();
    const top = await engine.runTask(id);
    await engine.cancelTask(id);
    const middleTask = await engine.getTask(childTaskId(top.steps[0]?.id ?? ""));
    const lowest = await engine.getTask(childTaskId(middleTask.steps[0]?.id ?? ""));
    expect([middleTask.status, lowest.status]).toEqual(["CANCELLED", "CANCELLED"]);
  });

  test("that lost a race is cancelled, and its parent does not wait for it", async () => {
    const { world, id } = await begin(() => race([runChild(held, null), call(work, "won")])[Symbol.iterator]());
    const { engine } = world.engine();
    const parent = await engine.runTask(id);
    expect(parent.output_payload).toBe("won");
    const child = await engine.runTask(childTaskId(parent.steps[0]?.id ?? ""));
    expect(child.status).toBe("CANCELLED");
  });

  test.each(["advanceTask", "runTask"] as const)(
    "that lost a race has ended when the process has left (%s)",
    async (drive) => {
      const { world, id } = await begin(() => race([runChild(held, null), call(work, 1)])[Symbol.iterator]());
      const { engine } = world.engine();
      while ((await engine[drive](id)).status !== "COMPLETED");
      await engine.close();
      const childId = childTaskId((await world.read(id))?.steps[0]?.id ?? "");
      expect((await world.read(childId))?.task.status).toBe("CANCELLED");
    },
  );

  test("is made once, whoever else runs the parent at the same time", async () => {
    const { world, id } = await begin(function* () {
      return [yield* runChild(leaf, 1), yield* runChild(leaf, 2), yield* call(note, 3)];
    });
    const ends = await Promise.all([1, 2, 3].map(() => world.engine().engine.runTask(id)));
    const done = await world.engine().engine.runTask(id);
    expect(done.output_payload).toEqual([{ leaf: 1 }, { leaf: 2 }, 3]);
    expect(ends.every((task) => ["COMPLETED", "WAITING_OBSERVATION"].includes(task.status))).toBe(true);
    const children = await Promise.all(done.steps.slice(0, 2).map((step) => world.read(childTaskId(step.id))));
    expect(children.map((child) => child?.calls.length)).toEqual([1, 1]);
  });

  test("of a parent that waits for more than it goes on by itself", async () => {
    const flow = defineFlow({
      name: "both",
      input: v.unknown(),
      signals: { go: v.unknown() },
      *run(): Body {
        const first = yield* race({ child: runChild(patient, null), signal: waitForSignal("go") });
        return first;
      },
    });
    const { world, id } = await begin(() => runChild(flow, null)[Symbol.iterator](), [flow, patient]);
    const { engine } = world.engine();
    const top = await engine.runTask(id);
    const both = childTaskId(top.steps[0]?.id ?? "");
    await engine.signalTask(both, { name: "go", payload: 5 });
    expect((await engine.runTask(id)).output_payload).toBe(5);
  });
});
