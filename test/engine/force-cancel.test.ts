// A cancel by force: every task that has not ended can be ended by command, whatever its flow would do, and its record says
// what was left undone.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { TaskonautError } from "../../src/core/errors.ts";
import type { Flow } from "../../src/core/flow/flow.ts";
import { all, call, defineFlow, runChild, sleep, waitForSignal, type Operation } from "../../src/sdk/taskonaut.ts";
import { forever, work } from "../support/construct-flows.ts";
import { DATABASES } from "../support/databases.ts";
import type { World } from "../support/mortal-store.ts";
import { rejection } from "../support/rejection.ts";
import { breaches } from "../support/scripts.ts";
import { until } from "../support/until.ts";
import { useWorlds } from "../support/worlds.ts";

type Body = () => Generator<Operation<unknown>, unknown, unknown>;

const flowOf = (name: string, body: Body): Flow =>
  defineFlow({
    name,
    input: v.unknown(),
    signals: { go: v.unknown() },
    *run() {
      return yield* body();
    },
  });

const waits: Body = () => waitForSignal("go")[Symbol.iterator]();

describe.each(DATABASES)("on %s", (_name, create) => {
  const worlds = useWorlds(create);

  async function begin(...flows: readonly [Flow, ...Flow[]]): Promise<{ world: World; id: string }> {
    const world = worlds.open(flows);
    const { engine } = world.engine();
    const { task } = await engine.createTask({ flow: flows[0].name, input: null });
    return { world, id: task.id };
  }

  async function expectSound(world: World, id: string): Promise<void> {
    const record = await world.read(id);
    expect(record && breaches(record)).toEqual([]);
  }

  test("a finally that waits for ever is ended, and what it had not done is told", async () => {
    const { world, id } = await begin(
      flowOf("sample", function* () {
        try {
          yield* call(work, "charge");
          yield* waitForSignal("go");
        } finally {
          yield* all({ pause: sleep("900d"), undo: waitForSignal("go") });
          yield* call(work, "refund");
        }
      }),
    );
    const { engine } = world.engine();
    await engine.runTask(id);
    expect((await engine.cancelTask(id)).status).toBe("WAITING_OBSERVATION");
    const ended = await world.engine().engine.cancelTask(id, { force: true });
    expect(ended).toMatchObject({ status: "CANCELLED", output_payload: null, waiting_for: [], due_at: null });
    expect(ended.left_undone).toEqual([
      { what: "ran", step_index: 1, step_name: "work", task_id: null },
      { what: "given_up", step_index: 3, step_name: "sleep", task_id: null },
      { what: "given_up", step_index: 4, step_name: "go", task_id: null },
    ]);
    // whoever had it in memory hears of it
    expect(await engine.runTask(id)).toEqual(ended);
    expect(await engine.cancelTask(id, { force: true })).toEqual(ended);
    await expectSound(world, id);
  });

  test("a parked task says why it cannot clean up, and that it can be ended by force", async () => {
    const { world, id } = await begin(
      flowOf("sample", function* () {
        yield* call(work, 1);
        yield* waitForSignal("go");
      }),
    );
    await world.engine().engine.runTask(id);
    const edited = world.engine([flowOf("sample", () => call(work, 2)[Symbol.iterator]())]).engine;
    for (const _ of [1, 2]) {
      const refused = await rejection(edited.cancelTask(id));
      expect(refused instanceof TaskonautError && refused.code).toBe("task_parked");
      expect(refused.message).toMatch(/with 1.*with 2.*A cancel by force ends it now/s);
    }
    expect((await edited.getTask(id)).parked_reason).toContain("with 1");
    expect(await edited.cancelTask(id, { force: true })).toMatchObject({ status: "CANCELLED", parked_reason: null });
    await expectSound(world, id);
  });

  test.each([false, true])("a task whose flow is gone is ended without it (begun: %p)", async (isBegun) => {
    const { world, id } = await begin(flowOf("sample", waits));
    if (isBegun) await world.engine().engine.runTask(id);
    const stranger = world.engine([]).engine;
    expect((await stranger.cancelTask(id)).status).not.toBe("CANCELLED");
    expect((await stranger.cancelTask(id, { force: true })).status).toBe("CANCELLED");
    await expectSound(world, id);
  });

  test("whoever drives the task elsewhere ends it, and its tools are aborted", async () => {
    const { world, id } = await begin(
      flowOf("sample", function* () {
        try {
          yield* waitForSignal("go", { timeout: "1h" });
        } finally {
          yield* call(forever, "undo");
        }
      }),
    );
    const { engine } = world.engine();
    await engine.runTask(id);
    world.skippedMs += 3_600_001;
    const running = engine.runTask(id);
    await until(async () => (await world.read(id))?.steps[1]?.status === "RUNNING");
    const ended = await world.engine().engine.cancelTask(id, { force: true });
    expect(ended).toMatchObject({
      status: "CANCELLED",
      left_undone: [{ what: "given_up", step_index: 2, step_name: "forever" }],
    });
    expect(await running).toEqual(ended);
    await expectSound(world, id);
  });

  test("a worker's task is ended by the worker", async () => {
    const flow = flowOf("sample", () => call(forever, 1)[Symbol.iterator]());
    const { world, id } = await begin(flow);
    const worker = world.engine();
    await worker.engine.startWorker({ concurrency: 2 });
    const { task } = await world.engine().engine.createTask({ flow: "sample", input: null, start: "now" });
    await until(async () => (await world.read(task.id))?.steps[0]?.status === "RUNNING");
    expect((await world.engine().engine.cancelTask(task.id, { force: true })).status).toBe("CANCELLED");
    expect((await worker.engine.cancelTask(id, { force: true })).status).toBe("CANCELLED"); // PLANNED, in no queue
    for (const each of [task.id, id]) await expectSound(world, each);
  });

  test("children are told to cancel, and a parent hears of its child's end", async () => {
    const child = flowOf("child", function* () {
      try {
        yield* waitForSignal("go");
      } finally {
        yield* call(work, "tidy up");
      }
    });
    const parent = flowOf("parent", function* () {
      try {
        return yield* runChild(child, null);
      } catch (error) {
        return String(error);
      }
    });
    const { world, id } = await begin(parent, child);
    const { engine } = world.engine();
    const [wait] = (await engine.runTask(id)).waiting_for;
    const childId = wait?.task_id ?? "";
    const ended = await engine.cancelTask(id, { force: true });
    expect(ended.left_undone).toEqual([{ what: "child", step_index: 1, step_name: "child", task_id: childId }]);
    await until(async () => (await world.read(childId))?.task.status === "CANCELLED");

    const other = await engine.createTask({ flow: "parent", input: null });
    const [second] = (await engine.runTask(other.task.id)).waiting_for;
    await engine.cancelTask(second?.task_id ?? "", { force: true });
    expect((await engine.runTask(other.task.id)).output_payload).toContain("The child task was cancelled");
  });

  test("a child that is parked under a cancelled parent is ended by force", async () => {
    const child = flowOf("child", waits);
    const parent = flowOf("parent", () => runChild(child, null)[Symbol.iterator]());
    const { world, id } = await begin(parent, child);
    const [wait] = (await world.engine().engine.runTask(id)).waiting_for;
    const childId = wait?.task_id ?? "";
    const edited = flowOf("child", () => call(work, 1)[Symbol.iterator]());
    const { engine } = world.engine([flowOf("parent", () => runChild(edited, null)[Symbol.iterator]()), edited]);
    expect((await engine.cancelTask(id)).status).toBe("CANCELLED");
    expect((await engine.getTask(childId)).parked_reason).not.toBeNull();
    expect((await engine.cancelTask(childId, { force: true })).status).toBe("CANCELLED");
  });
});
