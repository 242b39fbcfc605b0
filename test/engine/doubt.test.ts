// Steps in doubt: an at-most-once tool was called, and nobody knows what came of it. Somebody settles it, or the tool
// itself, late.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow, type Flow } from "../../src/core/flow/flow.ts";
import { all, call } from "../../src/core/flow/operation.ts";
import type { Resolution } from "../../src/core/api/taskonaut.ts";
import type { Tool } from "../../src/core/flow/tool.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { ended, enqueue, waiting } from "../support/queue.ts";
import { rejection } from "../support/rejection.ts";
import { Gate, giveBack } from "../support/tools.ts";
import { until } from "../support/until.ts";

const OUTPUT: Resolution = { kind: "output", output: "by hand" };

/** A tool that is in doubt after 1 ms, unless it is ended by then. */
const chargeOf = (timeout = 1): Gate => new Gate("charge", { execution: "at-most-once", timeout });

describe.each(DATABASES)("a step in doubt on %s", (_name, create) => {
  const bench = benchOn(create);

  const caught = (tool: Tool): Flow =>
    defineFlow({
      name: "caught",
      input: v.unknown(),
      *run() {
        try {
          return { output: yield* call(tool, 1) };
        } catch (error) {
          return { caught: error instanceof Error ? error.message : String(error) };
        }
      },
    });

  /** A task that waits for its step 1 to be settled. */
  async function doubtful(flow: Flow): Promise<{ engine: Engine; id: string }> {
    const engine = await bench.openEngine({ flows: [flow] });
    const { task } = await engine.createTask({ flow: flow.name, input: {} });
    expect(await engine.runTask(task.id)).toMatchObject({
      status: "WAITING_OBSERVATION",
      waiting_for: [{ kind: "doubt", name: "charge" }],
      due_at: null,
      lease_owner: null,
    });
    return { engine, id: task.id };
  }

  test.each<[string, Resolution, object, object]>([
    [
      "an output is completed with it",
      OUTPUT,
      { status: "COMPLETED", output_payload: "by hand", doubt: null },
      { output: "by hand" },
    ],
    [
      "a failure fails with its message",
      { kind: "fail", message: "it was never charged" },
      { status: "FAILED", error_message: "it was never charged", doubt: null },
      { caught: "charge: it was never charged" },
    ],
  ])("that is settled with %s", async (_what, resolution, step, output) => {
    const charge = chargeOf();
    const { engine, id } = await doubtful(caught(charge.tool));
    const settled = await engine.resolveTask(id, { resolution });
    // recorded, but the flow has not heard of it: that is for whoever drives the task, a worker for instance
    expect(settled).toMatchObject({
      status: "WAITING_OBSERVATION",
      waiting_for: [],
      due_at: expect.any(String),
      lease_owner: null,
      steps: [step],
    });
    expect(settled.tool_calls).toMatchObject([{ status: settled.steps[0]?.status ?? "", retry_count: 0 }]);
    expect(await engine.runTask(id)).toMatchObject({ status: "COMPLETED", output_payload: output });
    expect(charge.calls).toHaveLength(1);
  });

  test("that is to be tried again is called again, under the same key and for a first time", async () => {
    const charge = chargeOf(1000);
    const flow = caught(charge.tool);
    const { engine: lost, die } = await bench.openDoomed({ flows: [flow], limits: { leaseMs: 300 } });
    const { task } = await lost.createTask({ flow: flow.name, input: {} });
    lost.runTask(task.id).catch(() => {});
    await charge.called();
    await die();
    const engine = await bench.openEngine({ flows: [flow], limits: { leaseMs: 300 } });
    await engine.runTask(task.id);
    expect(await engine.resolveTask(task.id, { resolution: { kind: "retry" } })).toMatchObject({
      status: "WAITING_OBSERVATION",
      waiting_for: [],
      due_at: expect.any(String),
      steps: [{ status: "RUNNING", doubt: null }],
    });
    const running = engine.runTask(task.id);
    await charge.called(2);
    charge.end(1, "second");
    const done = await running;
    expect(done).toMatchObject({ status: "COMPLETED", output_payload: { output: "second" } });
    expect(done.tool_calls).toMatchObject([{ status: "COMPLETED", response_payload: "second" }]);
    expect(charge.calls.map(({ idempotencyKey, attempt }) => [idempotencyKey, attempt])).toEqual([
      [charge.calls[0]?.idempotencyKey ?? "", 1],
      [charge.calls[0]?.idempotencyKey ?? "", 1],
    ]);
  });

  test("that is settled by one process goes on with the worker of another, without anything else", async () => {
    for (const resolution of [OUTPUT, { kind: "retry" } as const]) {
      const charge = chargeOf(50);
      const flow = caught(charge.tool);
      const engine = await bench.openEngine({ flows: [flow] });
      const other = await bench.openEngine({ flows: [flow] });
      await engine.startWorker({ concurrency: 1 });
      const id = await enqueue(other, flow.name);
      await waiting(other, id, "doubt");
      await other.resolveTask(id, { resolution });
      if (resolution.kind === "retry") {
        await charge.called(2);
        charge.end(1, "by hand");
      }
      expect(await ended(other, id)).toMatchObject({ status: "COMPLETED", output_payload: { output: "by hand" } });
      await engine.close();
    }
  });

  test("takes no output that breaks the contract of its tool, and nothing changes", async () => {
    const strict: Tool = { ...chargeOf().tool, output: v.strictObject({ receipt: v.number() }) };
    const { engine, id } = await doubtful(caught(strict));
    const before = await engine.getTask(id);
    const error = await rejection(
      engine.resolveTask(id, { resolution: { kind: "output", output: { receipt: "seven" } } }),
    );
    expect(error).toMatchObject({ code: "input_invalid", errors: [{ path: "output.receipt" }] });
    expect(await engine.getTask(id)).toEqual(before);
    await engine.resolveTask(id, { resolution: { kind: "output", output: { receipt: 7 } } });
    expect(await engine.runTask(id)).toMatchObject({ status: "COMPLETED", output_payload: { output: { receipt: 7 } } });
  });

  test("is the only one that can be settled: others are named, or there is none", async () => {
    const flow = defineFlow({
      name: "two",
      input: v.unknown(),
      *run() {
        return yield* all([
          call(chargeOf().tool, 1),
          call(chargeOf().tool, 2, { as: "refund" }),
          call(giveBack("works"), 3),
        ]);
      },
    });
    const engine = await bench.openEngine({ flows: [flow] });
    const { task } = await engine.createTask({ flow: flow.name, input: {} });
    const settle = async (step?: number): Promise<unknown> => {
      try {
        return await engine.resolveTask(task.id, { resolution: OUTPUT, ...(step !== undefined && { step }) });
      } catch (error) {
        return error;
      }
    };
    expect(await settle()).toMatchObject({ code: "task_not_in_doubt", status: 409 });
    expect(await engine.runTask(task.id)).toMatchObject({
      waiting_for: [
        { kind: "doubt", name: "charge" },
        { kind: "doubt", name: "refund" },
      ],
    });
    expect(await settle()).toMatchObject({ code: "input_invalid", message: expect.stringContaining("1, 2") });
    expect(await settle(4)).toMatchObject({ code: "input_invalid", errors: [{ path: "step" }] });
    expect(await settle(3)).toMatchObject({ code: "task_not_in_doubt", message: expect.stringContaining("COMPLETED") });
    expect(await settle(2)).toMatchObject({
      waiting_for: [],
      steps: [{ doubt: expect.any(String) }, { doubt: null }, {}],
    });
    expect(await settle(2)).toMatchObject({ code: "task_not_in_doubt" });
    // the only one that is left needs no number
    expect(await engine.runTask(task.id)).toMatchObject({ waiting_for: [{ kind: "doubt", name: "charge" }] });
    expect(await settle()).toMatchObject({ waiting_for: [], steps: [{ doubt: null }, { doubt: null }, {}] });
    expect(await engine.runTask(task.id)).toMatchObject({
      status: "COMPLETED",
      output_payload: ["by hand", "by hand", 3],
    });
    expect(await settle(1)).toMatchObject({ code: "task_not_in_doubt" });
  });

  test("of a plan keeps the steps after it from starting, until it is settled", async () => {
    const [charge, next] = [chargeOf(), new Gate("next")];
    const flow = defineFlow({
      name: "planned",
      input: v.unknown(),
      plan: () => [call(charge.tool, 1), call(next.tool, 2)],
    });
    const { engine, id } = await doubtful(flow);
    expect(await engine.advanceTask(id)).toMatchObject({ steps: [{ status: "RUNNING" }, { status: "PLANNED" }] });
    expect(next.calls).toHaveLength(0);
    await engine.resolveTask(id, { resolution: OUTPUT });
    const running = engine.runTask(id);
    await next.called();
    next.end(0, "shipped");
    expect(await running).toMatchObject({
      status: "COMPLETED",
      output_payload: { charge: "by hand", next: "shipped" },
    });
  });

  test("of a plan that is settled as failed fails the task, and retry-task calls its tool again", async () => {
    const charge = chargeOf(1000);
    const flow = defineFlow({ name: "planned", input: v.unknown(), plan: () => [call(charge.tool, 1)] });
    const dead = await bench.openDoomed({ flows: [flow], limits: { leaseMs: 300 } });
    const { task } = await dead.engine.createTask({ flow: flow.name, input: {} });
    dead.engine.runTask(task.id).catch(() => {});
    await charge.called();
    await dead.die();
    const engine = await bench.openEngine({ flows: [flow], limits: { leaseMs: 300 } });
    await engine.runTask(task.id);
    await engine.resolveTask(task.id, { resolution: { kind: "fail", message: "declined" } });
    expect(await engine.runTask(task.id)).toMatchObject({ status: "FAILED", error_message: "declined" });
    expect(await engine.retryTask(task.id)).toMatchObject({ status: "RUNNING", due_at: expect.any(String) });
    const running = engine.runTask(task.id);
    await charge.called(2);
    charge.end(1, "paid");
    expect(await running).toMatchObject({ status: "COMPLETED", output_payload: { charge: "paid" } });
  });

  describe("whose tool ends late", () => {
    test("is settled by what it gives", async () => {
      const charge = chargeOf();
      const { engine, id } = await doubtful(caught(charge.tool));
      charge.end(0, "late");
      await until(async () => (await engine.getTask(id)).due_at !== null);
      expect(await engine.runTask(id)).toMatchObject({ status: "COMPLETED", output_payload: { output: "late" } });
    });

    test("and fails stays in doubt: that does not tell either", async () => {
      const charge = chargeOf();
      const { engine, id } = await doubtful(caught(charge.tool));
      const before = await engine.getTask(id);
      charge.fail(0, "late");
      expect(await engine.runTask(id)).toEqual(before);
    });

    test("is settled by a tool whose process had lost the task meanwhile", async () => {
      const charge = chargeOf(60_000);
      const flow = caught(charge.tool);
      // its lease is so short that it passes before it is renewed
      const paused = await bench.openEngine({ flows: [flow], limits: { leaseMs: 1 } });
      const { task } = await paused.createTask({ flow: flow.name, input: {} });
      const lost = paused.runTask(task.id).catch((error: unknown) => error);
      await charge.called();
      const other = await bench.openEngine({ flows: [flow] });
      expect(await other.runTask(task.id)).toMatchObject({ waiting_for: [{ kind: "doubt" }] });
      charge.end(0, "late");
      await until(async () => (await other.runTask(task.id)).status === "COMPLETED");
      expect((await other.getTask(task.id)).output_payload).toEqual({ output: "late" });
      await lost;
    });

    test("but was settled before, keeps to that", async () => {
      const charge = chargeOf();
      const { engine, id } = await doubtful(caught(charge.tool));
      await engine.resolveTask(id, { resolution: OUTPUT });
      charge.end(0, "late");
      expect(await engine.runTask(id)).toMatchObject({ status: "COMPLETED", output_payload: { output: "by hand" } });
    });

    test("but is tried again meanwhile, waits for the new call", async () => {
      const charge = chargeOf(200);
      const flow = caught(charge.tool);
      const { engine, id } = await doubtful(flow);
      await engine.resolveTask(id, { resolution: { kind: "retry" } });
      const running = engine.runTask(id);
      await charge.called(2);
      charge.end(0, "first");
      const store = await bench.openStore();
      await until(async () => ((await store.readTask(id))?.task.wake_seq ?? 0) > 1);
      // and another of the first, in doubt again
      expect(await running).toMatchObject({ waiting_for: [{ kind: "doubt" }] });
      charge.end(1, "second");
      await until(async () => (await engine.runTask(id)).status === "COMPLETED");
      expect((await engine.getTask(id)).output_payload).toEqual({ output: "second" });
    });
  });

  test("is given up where the task is cancelled", async () => {
    const { engine, id } = await doubtful(caught(chargeOf().tool));
    expect(await engine.cancelTask(id)).toMatchObject({
      status: "CANCELLED",
      steps: [{ status: "CANCELLED", doubt: null }],
      tool_calls: [{ status: "FAILED" }],
    });
  });
});
