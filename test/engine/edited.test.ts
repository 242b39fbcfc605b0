// A flow or a tool that is edited while its tasks are under way: what was recorded stands, and a difference is told.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow, type Flow } from "../../src/core/flow/flow.ts";
import { call } from "../../src/core/flow/operation.ts";
import type { Execution } from "../../src/core/record/record.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { rejection } from "../support/rejection.ts";
import { Gate, giveBack } from "../support/tools.ts";
import { planOf, runOf } from "./tool-flows.ts";

const SHORT_LEASE = { leaseMs: 300 };

describe.each(DATABASES)("on %s", (_name, create) => {
  const bench = benchOn(create);

  /** The process dies while the tool of a `plan` runs, and the tool is edited then. */
  async function cutOffThenEdited(
    before: Execution,
    after: Execution,
  ): Promise<{ id: string; former: Gate; edited: Gate; flow: Flow }> {
    const [former, edited] = [new Gate("charge", { execution: before }), new Gate("charge", { execution: after })];
    const dead = await bench.openDoomed({ flows: [planOf(former.tool)], limits: SHORT_LEASE });
    const { task } = await dead.engine.createTask({ flow: "plan", input: {}, start: "now" });
    await dead.engine.startWorker({ concurrency: 1 });
    await former.called();
    await dead.die();
    return { id: task.id, former, edited, flow: planOf(edited.tool) };
  }

  test("a call that was cut off is in doubt as it was recorded, though its tool is at-least-once by now", async () => {
    const { id, edited, flow } = await cutOffThenEdited("at-most-once", "at-least-once");
    const engine = await bench.openEngine({ flows: [flow], limits: SHORT_LEASE });
    expect(await engine.runTask(id)).toMatchObject({ waiting_for: [{ kind: "doubt", name: "step1" }] });
    expect(edited.calls).toEqual([]);
    await engine.resolveTask(id, { resolution: { kind: "retry" } });
    const running = engine.runTask(id);
    await edited.called();
    edited.fail(0, "declined");
    expect(await running).toMatchObject({ status: "FAILED", tool_calls: [{ retry_count: 0 }] });
  });

  test("a call that was cut off runs again as it was recorded, though its tool is at-most-once by now", async () => {
    const { id, former, edited, flow } = await cutOffThenEdited("at-least-once", "at-most-once");
    const engine = await bench.openEngine({ flows: [flow], limits: SHORT_LEASE });
    const running = engine.runTask(id);
    await edited.called();
    edited.end(0, "done");
    expect(await running).toMatchObject({ status: "COMPLETED", output_payload: { step1: "done" } });
    expect(edited.calls[0]?.idempotencyKey).toBe(former.calls[0]?.idempotencyKey ?? "");
  });

  test("an at-most-once tool that was pure when its step was recorded is called as a pure one, and no doubt comes of it", async () => {
    const { id, edited, flow } = await cutOffThenEdited("pure", "at-most-once");
    const engine = await bench.openEngine({ flows: [flow], limits: SHORT_LEASE });
    const running = engine.runTask(id);
    await edited.called();
    edited.end(0, "done");
    expect(await running).toMatchObject({ status: "COMPLETED", steps: [{ doubt: null }] });
  });

  const tools = [giveBack("first"), giveBack("second")];
  const plan: Flow = { ...planOf(...tools), name: "sample" };
  const run: Flow = { ...runOf(...tools), name: "sample" };

  test.each<[string, Flow, Flow, number]>([
    ["a plan to a run, before it began", plan, run, 0],
    ["a plan to a run, under way", plan, run, 1],
    ["a run to a plan, before it began", run, plan, 0],
    ["a run to a plan, under way", run, plan, 3],
  ])("an edit of %s, parks the task, and the former code takes it up again", async (_what, before, after, moves) => {
    const former = await bench.openEngine({ flows: [before] });
    const { task } = await former.createTask({ flow: "sample", input: {} });
    for (let move = 0; move < moves; move++) await former.advanceTask(task.id);
    const { steps } = await former.getTask(task.id);
    await former.close();
    const edited = await bench.openEngine({ flows: [after] });
    const calls = [edited.runTask(task.id), edited.cancelTask(task.id)];
    for (const error of await Promise.all(calls.map((each) => rejection(each)))) {
      expect(error).toMatchObject({
        code: "task_parked",
        message: expect.stringContaining("Replay does not match"),
      });
    }
    expect((await edited.getTask(task.id)).steps).toEqual(steps);
    await edited.close();
    const again = await bench.openEngine({ flows: [before] });
    expect((await again.runTask(task.id)).status).toBe("CANCELLED");
  });

  test("a queued task of a run flow begins under edited code", async () => {
    const former = await bench.openEngine({ flows: [run] });
    const { task } = await former.createTask({ flow: "sample", input: {}, start: "now" });
    const edited: Flow = defineFlow({
      name: "sample",
      input: v.unknown(),
      *run() {
        return yield* call(giveBack("third"), "new");
      },
    });
    const engine = await bench.openEngine({ flows: [edited] });
    expect(await engine.runTask(task.id)).toMatchObject({ status: "COMPLETED", output_payload: "new" });
  });
});
