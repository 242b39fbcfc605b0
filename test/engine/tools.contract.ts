// What happens to a task while its tools run, fail, hang, or lose their process.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow, type Flow } from "../../src/core/flow.ts";
import { idempotencyKeyOf, toolCallId } from "../../src/core/ids.ts";
import { all, call } from "../../src/core/operation.ts";
import type { StepRow, TaskRecord, ToolCallRow } from "../../src/core/record.ts";
import type { Tool } from "../../src/core/tool.ts";
import { Draft } from "../../src/engine/draft.ts";
import type { Store } from "../../src/store/store.ts";
import type { Bench } from "../support/bench.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { rejection } from "../support/rejection.ts";
import { until } from "../support/until.ts";
import { flaky, Gate, giveBack } from "../support/tools.ts";

/** Each call of the tool in turn, each input its number. */
const planOf = (...tools: Tool[]): Flow =>
  defineFlow({
    name: "plan",
    input: v.object({}),
    plan: () => tools.map((tool, i) => call(tool, i + 1, { as: `step${i + 1}` })),
  });

const runOf = (...tools: Tool[]): Flow =>
  defineFlow({
    name: "run",
    input: v.object({}),
    *run() {
      const outputs: unknown[] = [];
      for (const [i, tool] of tools.entries()) outputs.push(yield* call(tool, i + 1, { as: `step${i + 1}` }));
      return outputs;
    },
  });

export function toolContract(bench: Bench): void {
  const created = async (flow: Flow): Promise<string> => {
    const engine = await bench.openEngine({ flows: [flow] });
    return (await engine.createTask({ flow: flow.name, input: {} })).task.id;
  };

  describe("a tool", () => {
    for (const execution of ["pure", "at-least-once"] as const) {
      test(`that is ${execution}, fails twice and then works, leaves a task that is COMPLETED, its retries and last error told`, async () => {
        const flow = planOf(flaky("flaky", 2, { execution }));
        const engine = await bench.openEngine({ flows: [flow] });
        const task = await engine.runTask(await created(flow));
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

      test(`that is ${execution} and always fails leaves a plan flow's task FAILED at once, and later steps PLANNED`, async () => {
        const flow = planOf(giveBack("works"), flaky("broken", Infinity, { execution }), giveBack("never"));
        const engine = await bench.openEngine({ flows: [flow] });
        const id = await created(flow);
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
          ["PLANNED", null],
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
      const id = await created(flow);
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
        const running = engine.runTask(await created(flow));
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
      const id = await created(flow);
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

  describe("a second engine", () => {
    test("waits while the first runs a tool, and then makes its own transition", async () => {
      const gate = new Gate("effect");
      const flow = planOf(gate.tool, giveBack("next"));
      const [one, two] = [await bench.openEngine({ flows: [flow] }), await bench.openEngine({ flows: [flow] })];
      const id = await created(flow);
      await one.advanceTask(id);
      const first = one.advanceTask(id);
      await gate.called();
      const second = two.advanceTask(id);
      const store = await bench.openStore();
      expect((await store.readTask(id))?.task.status).toBe("RUNNING");
      gate.end(0, "done");
      expect(await first).toMatchObject({ status: "WAITING_OBSERVATION", current_step: 1 });
      expect(await second).toMatchObject({ status: "RUNNING", current_step: 1 });
      expect(gate.calls).toHaveLength(1);
    });

    test("is told that the task is busy when its patience ends, and nothing has changed", async () => {
      const gate = new Gate("effect");
      const flow = planOf(gate.tool);
      const one = await bench.openEngine({ flows: [flow] });
      const clock = new FakeClock(Date.now());
      const two = await bench.openEngine({ flows: [flow], clock, limits: { busyMs: 1000 } });
      const id = await created(flow);
      const running = one.runTask(id);
      await gate.called();
      for (const ask of [() => two.advanceTask(id), () => two.runTask(id)]) {
        let error: Error | undefined;
        rejection(ask()).then(
          (thrown) => (error = thrown),
          () => {},
        );
        await until(async () => {
          await clock.advance(100);
          return error !== undefined;
        });
        expect(error).toMatchObject({ code: "task_busy", status: 409, message: expect.stringContaining("within 1 s") });
      }
      gate.end(0, "done");
      expect(await running).toMatchObject({ status: "COMPLETED" });
      expect(gate.calls).toHaveLength(1);
    });

    test("or caller gets its turn in the middle of a run, and the run goes on after it", async () => {
      const gate = new Gate("effect");
      const flow = planOf(gate.tool, giveBack("next", { execution: "pure" }));
      const engine = await bench.openEngine({ flows: [flow] });
      const id = await created(flow);
      const running = engine.runTask(id);
      await gate.called();
      const advancing = [engine.advanceTask(id), engine.advanceTask(id)];
      gate.end(0, "done");
      expect((await Promise.all(advancing)).map((task) => [task.status, task.current_step])).toEqual([
        ["RUNNING", 1],
        ["WAITING_OBSERVATION", 2],
      ]);
      expect(await running).toMatchObject({ status: "COMPLETED" });
    });

    test("in the same engine waits its turn no longer than that either", async () => {
      const gate = new Gate("effect");
      const flow = planOf(gate.tool);
      const clock = new FakeClock(Date.now());
      const engine = await bench.openEngine({ flows: [flow], clock, limits: { busyMs: 1000 } });
      const id = await created(flow);
      const running = engine.runTask(id);
      await gate.called();
      const refused = rejection(engine.advanceTask(id));
      await clock.advance(1000);
      expect(await refused).toMatchObject({ code: "task_busy" });
      gate.end(0, "done");
      expect(await running).toMatchObject({ status: "COMPLETED" });
    });

    test("takes over from a dead one at once, and the tool is called again under the same key", async () => {
      const gate = new Gate("effect");
      const flow = planOf(giveBack("before"), gate.tool);
      const { engine: one, die } = await bench.openDoomed({ flows: [flow], limits: { leaseMs: 300 } });
      const two = await bench.openEngine({ flows: [flow] });
      const id = await created(flow);
      one.runTask(id).catch(() => {});
      await gate.called();
      await die();
      const running = two.runTask(id);
      await gate.called(2);
      gate.end(1, "second");
      const task = await running;
      expect(task).toMatchObject({
        status: "COMPLETED",
        output_payload: { step1: 1, step2: "second" },
        lease_owner: null,
      });
      expect(gate.calls[0]?.idempotencyKey).toBe(gate.calls[1]?.idempotencyKey as string);
      expect(task.tool_calls.map((each) => each.status)).toEqual(["COMPLETED", "COMPLETED"]);
      expect(task.tool_calls[1]?.retry_count).toBe(0); // a lost worker is no failed attempt
      // the dead one comes back to life: it lost the task, and what it did is not recorded
      gate.end(0, "first");
      expect(await two.getTask(id)).toEqual(task);
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
      const id = await created(flow);
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
      const id = await created(flow);
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
      const id = await created(flow);
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
      const id = await created(flow);
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
      expect(await (await bench.openEngine({ flows: [works] })).runTask(await created(works))).toMatchObject({
        status: "COMPLETED",
      });
      const fails = planOf(flaky("charge", 1, { execution: "at-most-once" }));
      const task = await (await bench.openEngine({ flows: [fails] })).runTask(await created(fails));
      expect(task).toMatchObject({
        status: "FAILED",
        tool_calls: [{ status: "FAILED", retry_count: 0, last_error: "charge failed at attempt 1" }],
      });
    });
  });

  describe("a step that was left half-way", () => {
    for (const [status, execution] of [
      ["PLANNED", "pure"],
      ["RUNNING", "pure"],
      ["RUNNING", "at-least-once"],
      ["RUNNING", "at-most-once"],
    ] as const) {
      test(`${status}, with a call of a tool that is ${execution} recorded as ended, reuses that row`, async () => {
        const gate = new Gate("effect", { execution });
        const flow = planOf(gate.tool, giveBack("next"));
        const engine = await bench.openEngine({ flows: [flow] });
        const store = await bench.openStore();
        const completed = await halfway(store, await created(flow), status, {
          status: "COMPLETED",
          response_payload: '"recorded"',
          finished_at: 2,
          retry_count: 1,
        });
        const done = await engine.runTask(completed);
        expect(done).toMatchObject({ status: "COMPLETED", output_payload: { step1: "recorded", step2: 2 } });
        expect(done.tool_calls).toMatchObject([{ retry_count: 1, response_payload: "recorded" }, {}]);

        const error = JSON.stringify({ name: "Error", message: "recorded failure" });
        const failed = await halfway(store, await created(flow), status, {
          status: "FAILED",
          error,
          last_error: error,
          finished_at: 2,
        });
        expect(await engine.runTask(failed)).toMatchObject({
          status: "FAILED",
          error_message: "recorded failure",
          steps: [{ status: "FAILED" }, { status: "PLANNED" }],
        });
        expect(gate.calls).toHaveLength(0);
      });
    }

    for (const execution of ["pure", "at-least-once"] as const) {
      for (const recorded of ["without a call", "with a call that is RUNNING"]) {
        test(`RUNNING ${recorded}, its tool ${execution}, is run again, never skipped`, async () => {
          const gate = new Gate("effect", { execution });
          const flow = planOf(gate.tool, giveBack("next"));
          const engine = await bench.openEngine({ flows: [flow] });
          const store = await bench.openStore();
          const id = await halfway(
            store,
            await created(flow),
            "RUNNING",
            recorded === "without a call" ? undefined : {},
          );
          const running = engine.runTask(id);
          await gate.called();
          gate.end(0, "again");
          const task = await running;
          expect(task).toMatchObject({ status: "COMPLETED", output_payload: { step1: "again", step2: 2 } });
          expect(task.tool_calls).toHaveLength(2);
          expect(gate.calls).toHaveLength(1);
        });
      }
    }
  });

  describe("an engine that is closed while a tool runs", () => {
    test("waits for it within the grace period, and its outcome is recorded", async () => {
      const gate = new Gate("effect");
      const flow = planOf(gate.tool, giveBack("next"));
      const engine = await bench.openEngine({ flows: [flow], limits: { graceMs: 3000 } });
      const id = await created(flow);
      const running = rejection(engine.runTask(id));
      await gate.called();
      const closed = engine.close();
      gate.end(0, "in time");
      expect(await running).toMatchObject({ code: "shutting_down", retryable: true });
      await closed;
      const other = await bench.openEngine({ flows: [flow] });
      expect(await other.getTask(id)).toMatchObject({ current_step: 1, lease_owner: null });
      expect(await other.runTask(id)).toMatchObject({
        status: "COMPLETED",
        output_payload: { step1: "in time", step2: 2 },
      });
      expect(gate.calls).toHaveLength(1);
    });

    test("aborts it when the grace period is over, and the next engine calls it again under the same key", async () => {
      const gate = new Gate("effect");
      const flow = planOf(gate.tool, giveBack("next"));
      const clock = new FakeClock(Date.now());
      const engine = await bench.openEngine({ flows: [flow], clock, limits: { graceMs: 1000 } });
      const id = await created(flow);
      const running = rejection(engine.runTask(id));
      await gate.called();
      const closed = engine.close();
      await clock.advance(999);
      expect(gate.calls[0]?.signal.aborted).toBe(false);
      await clock.advance(1);
      expect(gate.calls[0]?.signal.aborted).toBe(true);
      expect(await running).toMatchObject({ code: "shutting_down" });
      await closed;
      const other = await bench.openEngine({ flows: [flow] });
      const taken = other.runTask(id);
      await gate.called(2);
      gate.end(0, "too late");
      gate.end(1, "again");
      expect(await taken).toMatchObject({ status: "COMPLETED", output_payload: { step1: "again", step2: 2 } });
      expect(gate.calls[1]?.idempotencyKey).toBe(gate.calls[0]?.idempotencyKey as string);
    });

    test("starts nothing new, and tells whoever asks that it is leaving", async () => {
      const gate = new Gate("effect");
      const flow = planOf(gate.tool, gate.tool);
      const engine = await bench.openEngine({ flows: [flow], limits: { graceMs: 3000 } });
      const [id, other] = [await created(flow), await created(flow)];
      const advancing = engine.advanceTask(id).then(() => engine.advanceTask(id));
      await gate.called();
      const waiting = engine.advanceTask(id);
      const closed = engine.close();
      const refused = [waiting, engine.advanceTask(other), engine.runTask(other)].map(rejection);
      gate.end(0, "done");
      for (const error of await Promise.all(refused)) expect(error).toMatchObject({ code: "shutting_down" });
      expect(await advancing).toMatchObject({ status: "WAITING_OBSERVATION" });
      await closed;
      expect(await rejection(engine.createTask({ flow: "plan", input: {} }))).toMatchObject({ code: "shutting_down" });
      expect(await rejection(engine.advanceTask(id))).toMatchObject({ code: "shutting_down" });
      expect(gate.calls).toHaveLength(1);
    });
  });
}

/** Writes the task as a process may have left it: RUNNING, its first step in this state, with this call. Gives its id. */
async function halfway(
  store: Store,
  id: string,
  status: StepRow["status"],
  recorded?: Partial<ToolCallRow>,
): Promise<string> {
  const draft = new Draft((await store.readTask(id)) as TaskRecord);
  const step = draft.record.steps[0] as StepRow;
  const idempotency_key = idempotencyKeyOf({ taskId: id, stepId: step.id, tool: step.target ?? "" });
  draft.putStep({ ...step, status });
  if (recorded) {
    draft.putCall({
      id: toolCallId(step.id),
      task_id: id,
      task_step_id: step.id,
      idempotency_key,
      tool_name: step.target ?? "",
      status: "RUNNING",
      retry_count: 0,
      attempt_epoch: 0,
      last_error: null,
      request_payload: step.input_payload,
      response_payload: null,
      error: null,
      started_at: 1,
      finished_at: null,
      created_at: 1,
      ...recorded,
    });
  }
  draft.moveTask(1, "RUNNING");
  const change = draft.takeChange();
  if (!change || !(await store.commitChanges([change]))[0]) throw new Error("The task is not as it was created.");
  return id;
}
