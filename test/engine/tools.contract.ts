// What happens to a task while its tools run, fail, or hang.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow } from "../../src/core/flow/flow.ts";
import { all, call } from "../../src/core/flow/operation.ts";
import type { TaskRecord } from "../../src/core/record/record.ts";
import type { Bench } from "../support/bench.ts";
import { until } from "../support/until.ts";
import { flaky, Gate, giveBack } from "../support/tools.ts";
import { created, planOf, runOf } from "./tool-flows.ts";

export function toolContract(bench: Bench): void {
  describe("a tool", () => {
    for (const execution of ["pure", "at-least-once"] as const) {
      test(`that is ${execution}, fails twice and then works, leaves a task that is COMPLETED, its retries and last error told`, async () => {
        const flow = planOf(flaky("flaky", 2, { execution }));
        const engine = await bench.openEngine({ flows: [flow] });
        const task = await engine.runTask(await created(bench, flow));
        expect(task).toMatchObject({ status: "COMPLETED", output_payload: { step1: 1 } });
        expect(task.tool_calls).toMatchObject([
          {
            status: "COMPLETED",
            retry_count: 2,
            last_error: "flaky failed at attempt 2",
            error_message: null,
            response_payload: 1,
          },
        ]);
        expect(await (await bench.openEngine()).getTask(task.id)).toEqual(task);
      });

      test(`that is ${execution} and always fails leaves a plan flow's task FAILED at once, and later steps CANCELLED`, async () => {
        const flow = planOf(giveBack("works"), flaky("broken", Infinity, { execution }), giveBack("never"));
        const engine = await bench.openEngine({ flows: [flow] });
        const id = await created(bench, flow);
        await engine.runTask(id, { maxSteps: 3 }).catch(() => {});
        expect((await engine.getTask(id)).status).toBe("RUNNING");
        const task = await engine.advanceTask(id);
        const message = "broken failed at attempt 3";
        expect(task).toMatchObject({
          status: "FAILED",
          current_step: 2,
          error_message: message,
          output_payload: null,
          lease_owner: null,
        });
        expect(task.steps.map((step) => [step.status, step.error_message])).toEqual([
          ["COMPLETED", null],
          ["FAILED", message],
          ["CANCELLED", null],
        ]);
        expect(task.tool_calls).toHaveLength(2);
        expect(task.tool_calls[1]).toMatchObject({
          status: "FAILED",
          retry_count: 2,
          last_error: message,
          error_message: message,
          response_payload: null,
        });
        const other = await bench.openEngine({ flows: [flow] });
        expect(await other.runTask(id)).toEqual(task);
        expect(await other.advanceTask(id)).toEqual(task);
      });
    }

    test("that always fails is thrown into a run flow, one transition later", async () => {
      const flow = runOf(flaky("broken", Infinity), giveBack("never"));
      const engine = await bench.openEngine({ flows: [flow] });
      const id = await created(bench, flow);
      const seen = [];
      for (let i = 0; i < 3; i++) seen.push((await engine.advanceTask(id)).status);
      expect(seen).toEqual(["RUNNING", "WAITING_OBSERVATION", "FAILED"]);
      const task = await engine.getTask(id);
      expect(task).toMatchObject({ error_message: "step1: broken failed at attempt 3", steps: [{ status: "FAILED" }] });
    });

    test("is leased while it runs, unless it is pure", async () => {
      const gates = [new Gate("effect"), new Gate("thought", { execution: "pure" })];
      for (const [i, gate] of gates.entries()) {
        const flow = planOf(gate.tool);
        const engine = await bench.openEngine({ flows: [flow] });
        const running = engine.runTask(await created(bench, flow));
        await gate.called();
        const store = await bench.openStore();
        const id = gate.calls[0]?.taskId ?? "";
        const { task, steps, calls } = (await store.readTask(id)) as TaskRecord;
        if (i === 0) {
          expect(await store.readWorkerState(task.lease_owner ?? "")).toBe("alive");
          expect([steps[0]?.status, calls[0]?.status]).toEqual(["RUNNING", "RUNNING"]); // durable before the effect
        } else expect(task.lease_owner).toBeNull();
        gate.end(0, "done");
        expect(await running).toMatchObject({
          status: "COMPLETED",
          lease_owner: null,
          output_payload: { step1: "done" },
        });
      }
    });

    test("that ends while nobody asks is recorded all the same", async () => {
      const [fast, slow] = [new Gate("fast"), new Gate("slow")];
      const flow = defineFlow({
        name: "both",
        input: v.object({}),
        *run() {
          return yield* all({ fast: call(fast.tool, 1), slow: call(slow.tool, 2) });
        },
      });
      const engine = await bench.openEngine({ flows: [flow] });
      const id = await created(bench, flow);
      await engine.advanceTask(id);
      const advancing = engine.advanceTask(id);
      await slow.called();
      fast.end(0, "f");
      expect(await advancing).toMatchObject({ status: "WAITING_OBSERVATION", current_step: 1 });
      const store = await bench.openStore();
      expect((await store.readTask(id))?.task.lease_owner).not.toBeNull(); // one of its tools still runs
      slow.end(0, "s");
      await until(async () => (await store.readTask(id))?.steps[1]?.status === "COMPLETED");
      expect((await store.readTask(id))?.task).toMatchObject({
        status: "WAITING_OBSERVATION",
        lease_owner: null,
        current_step: 2,
      });
      const other = await bench.openEngine({ flows: [flow] });
      expect(await other.runTask(id)).toMatchObject({ status: "COMPLETED", output_payload: { fast: "f", slow: "s" } });
      expect([fast.calls.length, slow.calls.length]).toEqual([1, 1]);
    });
  });

  describe("an at-most-once tool", () => {
    /** A task that waits for somebody to settle its step in doubt, and is in nobody's hands and in no queue. */
    const doubtful = (why: string, before = {}): object => ({
      status: "WAITING_OBSERVATION",
      lease_owner: null,
      due_at: null,
      parked_reason: null,
      waiting_for: [{ kind: "doubt", name: "step1", until: null, task_id: null }],
      steps: [{ ...before, status: "RUNNING", doubt: expect.stringContaining(why) }],
    });
    const DIED = "did not record what came of it";

    test("whose process died in its middle is not called again: the task waits for somebody to settle it", async () => {
      const gate = new Gate("charge", { execution: "at-most-once" });
      const flow = planOf(gate.tool);
      const { engine, die } = await bench.openDoomed({ flows: [flow], limits: { leaseMs: 300 } });
      const id = await created(bench, flow);
      engine.runTask(id).catch(() => {});
      await gate.called();
      await die();
      for (let i = 0; i < 2; i++) {
        const other = await bench.openEngine({ flows: [flow] });
        const task = await other.runTask(id);
        expect(task).toMatchObject(doubtful(DIED));
        expect(task.tool_calls).toMatchObject([{ status: "RUNNING" }]);
        // nothing more is done, or written
        expect(await other.advanceTask(id)).toEqual(task);
        expect(await other.getTask(id)).toEqual(task);
      }
      expect(gate.calls).toHaveLength(1);
    });

    test("in doubt is told so to everybody who asks at once", async () => {
      const gate = new Gate("charge", { execution: "at-most-once" });
      const flow = planOf(gate.tool);
      const { engine, die } = await bench.openDoomed({ flows: [flow], limits: { leaseMs: 300 } });
      const id = await created(bench, flow);
      engine.runTask(id).catch(() => {});
      await gate.called();
      await die();
      const engines = await Promise.all([1, 2, 3, 4].map(() => bench.openEngine({ flows: [flow] })));
      const told = await Promise.all(engines.flatMap((each) => [each.advanceTask(id), each.runTask(id)]));
      for (const task of told) expect(task).toMatchObject(doubtful(DIED));
      expect(gate.calls).toHaveLength(1);
    });

    test("that takes too long is in doubt, too", async () => {
      const gate = new Gate("charge", { execution: "at-most-once", timeout: 1 });
      const flow = planOf(gate.tool);
      const engine = await bench.openEngine({ flows: [flow] });
      const id = await created(bench, flow);
      const task = await engine.runTask(id);
      expect(task).toMatchObject(doubtful("longer than its 1 ms"));
      expect(await engine.getTask(id)).toEqual(task);
      expect(await engine.runTask(id)).toEqual(task);
      expect(gate.calls).toHaveLength(1);
    });

    test("in doubt leaves the tools beside it to their end, and what comes of them is recorded", async () => {
      const [charge, beside] = [new Gate("charge", { execution: "at-most-once", timeout: 1 }), new Gate("beside")];
      const flow = defineFlow({
        name: "beside",
        input: v.object({}),
        *run() {
          yield* all([call(charge.tool, 1, { as: "step1" }), call(beside.tool, 2)]);
        },
      });
      const engine = await bench.openEngine({ flows: [flow] });
      const id = await created(bench, flow);
      const running = engine.runTask(id);
      await until(async () => typeof (await engine.getTask(id)).steps[0]?.doubt === "string");
      beside.end(0, "done");
      expect(await running).toMatchObject({
        status: "WAITING_OBSERVATION",
        lease_owner: null,
        due_at: null,
        waiting_for: [{ kind: "doubt", name: "step1" }],
        steps: [{ status: "RUNNING" }, { status: "COMPLETED", output_payload: "done" }],
      });
      expect([charge.calls.length, beside.calls.length]).toEqual([1, 1]);
    });

    test("that works is called once, and one that fails is not tried again", async () => {
      const works = planOf(giveBack("charge", { execution: "at-most-once" }));
      expect(await (await bench.openEngine({ flows: [works] })).runTask(await created(bench, works))).toMatchObject({
        status: "COMPLETED",
      });
      const fails = planOf(flaky("charge", 1, { execution: "at-most-once" }));
      const task = await (await bench.openEngine({ flows: [fails] })).runTask(await created(bench, fails));
      expect(task).toMatchObject({
        status: "FAILED",
        tool_calls: [{ status: "FAILED", retry_count: 0, last_error: "charge failed at attempt 1" }],
      });
    });
  });
}
