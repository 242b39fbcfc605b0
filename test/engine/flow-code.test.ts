// The code that drives a task is recorded with it, so that an edit and a flow that is not deterministic are told apart.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import type { Flow } from "../../src/core/flow/flow.ts";
import { all, call, defineFlow, type Operation, race, waitForSignal } from "../../src/sdk/taskonaut.ts";
import { note, work } from "../support/construct-flows.ts";
import { DATABASES } from "../support/databases.ts";
import { rejection } from "../support/rejection.ts";
import { until } from "../support/until.ts";
import { useWorlds } from "../support/worlds.ts";

/** As the loader gives it: a flow with the hash of its file. */
function flowOf(code: string | undefined, input: unknown): Flow {
  const flow = defineFlow({
    name: "sample",
    input: v.unknown(),
    signals: { go: v.unknown() },
    *run() {
      yield* call(work, input);
      yield* waitForSignal("go");
      return yield* call(note, code ?? "none");
    },
  });
  return code === undefined ? flow : { ...flow, code };
}

const CHANGED = "flow sample has changed: step 1 was recorded";
const SAME = "flow sample is not deterministic: step 1 was recorded";
const EITHER = "flow sample has changed, or is not deterministic: step 1 was recorded";

describe.each(DATABASES)("on %s", (_name, create) => {
  const worlds = useWorlds(create);

  test.each<[string, string | undefined, string | undefined, string]>([
    ["other code", "old", "new", CHANGED],
    ["the same code", "old", "old", SAME],
    ["code that nobody knows", undefined, "new", EITHER],
    ["a flow that comes with the program", "old", undefined, EITHER],
  ])("that %s decides otherwise is told as what it is", async (_what, before, after, told) => {
    const world = worlds.open([flowOf(before, 1)]);
    const { engine } = world.engine();
    const { id } = (await engine.createTask({ flow: "sample", input: null })).task;
    await engine.runTask(id);
    expect((await world.read(id))?.task.flow_code).toBe(before ?? null);
    expect((await rejection(world.engine([flowOf(after, 2)]).engine.runTask(id))).message).toContain(told);
    // what parks a task does not drive it
    expect((await world.read(id))?.task.flow_code).toBe(before ?? null);
  });

  test("code that comes to all that is recorded, and drives the task on, is what is compared with from then on", async () => {
    const world = worlds.open([flowOf("old", 1)]);
    const { engine } = world.engine();
    const { id } = (await engine.createTask({ flow: "sample", input: null })).task;
    expect((await world.read(id))?.task.flow_code).toBe("old");
    // nothing of it was decided yet, so whatever the newer code decides is its own
    expect((await world.engine([flowOf("new", 2)]).engine.runTask(id)).status).toBe("WAITING_OBSERVATION");
    expect((await world.read(id))?.task.flow_code).toBe("new");
    expect((await rejection(world.engine([flowOf("new", 3)]).engine.runTask(id))).message).toContain(SAME);
    expect((await rejection(world.engine([flowOf("old", 1)]).engine.runTask(id))).message).toContain(CHANGED);
    const newest = world.engine([flowOf("newest", 2)]).engine;
    await newest.signalTask(id, { name: "go", payload: null });
    expect((await newest.runTask(id)).output_payload).toBe("newest");
    expect((await world.read(id))?.task.flow_code).toBe("newest");
  });

  test("an `all` that is a race by now, when one of its outcomes was heard and another one waits, is told as an edit", async () => {
    const members = { one: call(work, 1), two: call(note, 2) };
    const grouping = (code: string, group: () => Operation<unknown>): Flow => ({
      ...defineFlow({ name: "sample", input: v.unknown(), run: function* () { return yield* group(); } }), // prettier-ignore
      code,
    });
    const world = worlds.open([grouping("old", () => all(members))]);
    const { engine } = world.engine();
    const { id } = (await engine.createTask({ flow: "sample", input: null })).task;
    for (let made = 0; made < 3; made++) await engine.advanceTask(id);
    const before = await world.read(id);
    expect(before?.task).toMatchObject({ status: "RUNNING", observed_count: 1 });
    expect(before?.steps.map(({ status }) => status)).toEqual(["COMPLETED", "COMPLETED"]);
    const error = await rejection(world.engine([grouping("new", () => race(members))]).engine.runTask(id));
    expect(error.message).toMatch(/flow sample has changed: it returns .* before the outcome of step 2, tool note/);
    const { engine: back } = world.engine([grouping("old", () => all(members))]);
    await back.resumeTask(id);
    expect((await back.runTask(id)).status).toBe("COMPLETED");
  });

  test("a task that is created by a worker's flow and driven by a worker keeps the code of its end", async () => {
    const world = worlds.open([flowOf("old", 1)]);
    const { id } = (await world.engine().engine.createTask({ flow: "sample", input: null, start: "now" })).task;
    const { engine } = world.engine([flowOf("new", 1)]);
    await engine.signalTask(id, { name: "go", payload: null });
    const worker = await engine.startWorker({ concurrency: 1 });
    await until(async () => (await engine.getTask(id)).status === "COMPLETED");
    await worker.stop();
    expect((await world.read(id))?.task).toMatchObject({ flow_code: "new", output_payload: '"new"' });
  });

  test("a task says which file its flow came from, also to a process that has no such flow", async () => {
    const file = "/flows/größe's.ts";
    const world = worlds.open([{ ...flowOf("old", 1), file }]);
    const { engine } = world.engine();
    const { task } = await engine.createTask({ flow: "sample", input: null });
    expect([task.flow_file, (await engine.getTask(task.id)).flow_file]).toEqual([file, file]);
    const error = await rejection(world.engine([]).engine.runTask(task.id));
    expect(error).toMatchObject({ code: "flow_not_loaded", details: { id: task.id, flow: "sample", file } });
    const { task: builtIn } = await world
      .engine([flowOf(undefined, 1)])
      .engine.createTask({ flow: "sample", input: null });
    expect(builtIn.flow_file).toBeNull();
  });
});
