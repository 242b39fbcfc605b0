// Waits between the attempts of a tool: short ones stay in the process, long ones are the store's.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow, type Flow } from "../../src/core/flow/flow.ts";
import { all, call } from "../../src/core/flow/operation.ts";
import { defineTool, type RetryOptions, type ToolContext } from "../../src/core/flow/tool.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { ended, enqueue, waiting } from "../support/queue.ts";
import { Gate } from "../support/tools.ts";
import { until } from "../support/until.ts";

/** Each flow has a name of its own: what one test leaves in the queue is nothing to the next. */
let flows = 0;

/** Fails until attempt `worksAt`. */
function flakyFlow(worksAt: number, retry: RetryOptions): { readonly flow: Flow; readonly calls: ToolContext[] } {
  const calls: ToolContext[] = [];
  const tool = defineTool({
    name: "flaky",
    input: v.unknown(),
    output: v.number(),
    retry: { jitter: 0, factor: 1, ...retry },
    run(_, context) {
      calls.push(context);
      if (context.attempt < worksAt) throw new Error(`attempt ${context.attempt}`);
      return context.attempt;
    },
  });
  const flow = defineFlow({ name: `flaky_${++flows}`, input: v.unknown(), plan: () => [call(tool, 1)] });
  return { flow, calls };
}

const attempts = (calls: readonly ToolContext[]): readonly number[] => calls.map(({ attempt }) => attempt);

describe.each(DATABASES)("a wait between two attempts on %s", (_name, create) => {
  const bench = benchOn(create);

  test("of more than two seconds lets go of the task, and tells when it goes on", async () => {
    const { flow, calls } = flakyFlow(2, { base: "3s", max: "1h" });
    const engine = await bench.openEngine({ flows: [flow] });
    const { task } = await engine.createTask({ flow: flow.name, input: {} });
    const start = await (await bench.openStore()).now();
    const waits = await engine.runTask(task.id);
    const [wait] = waits.waiting_for;
    expect(waits).toMatchObject({
      status: "WAITING_OBSERVATION",
      lease_owner: null,
      due_at: wait?.until ?? "",
      waiting_for: [{ kind: "retry", name: "flaky", task_id: null }],
      steps: [{ status: "RUNNING", doubt: null }],
      tool_calls: [{ status: "RUNNING", retry_count: 1, last_error: "attempt 1", error_message: null }],
    });
    expect(Date.parse(wait?.until ?? "") - start).toBeWithin(3000, 4000);
    // asked again too early, nothing happens
    expect(await engine.runTask(task.id)).toEqual(waits);
    expect(await (await bench.openEngine({ flows: [flow] })).advanceTask(task.id)).toEqual(waits);
    expect(attempts(calls)).toEqual([1]);
  });

  test("of two seconds stays in the process", async () => {
    const { flow, calls } = flakyFlow(2, { base: 2000, max: "1h" });
    const engine = await bench.openEngine({ flows: [flow], limits: { retryWaitMs: 2000 } });
    const { task } = await engine.createTask({ flow: flow.name, input: {} });
    expect(await engine.runTask(task.id)).toMatchObject({ status: "COMPLETED", tool_calls: [{ retry_count: 1 }] });
    expect(attempts(calls)).toEqual([1, 2]);
  });

  test("ends with the worker that has room then, and the attempts go on counting", async () => {
    const { flow, calls } = flakyFlow(4, { base: 150, attempts: 4 });
    const limits = { retryWaitMs: 100 };
    const engines = await Promise.all([1, 2].map(() => bench.openEngine({ flows: [flow], limits })));
    for (const engine of engines) await engine.startWorker({ concurrency: 1 });
    const [engine] = engines as [(typeof engines)[number]];
    const task = await ended(engine, await enqueue(engine, flow.name));
    expect(task).toMatchObject({
      status: "COMPLETED",
      output_payload: { flaky: 4 },
      tool_calls: [{ status: "COMPLETED", retry_count: 3, last_error: "attempt 3" }],
    });
    expect(attempts(calls)).toEqual([1, 2, 3, 4]);
    expect(new Set(calls.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  });

  test("is the last where the attempts are used up, however many processes made them", async () => {
    const { flow, calls } = flakyFlow(Infinity, { base: 20, attempts: 3 });
    const limits = { retryWaitMs: 10 };
    const { task } = await (await bench.openEngine({ flows: [flow] })).createTask({ flow: flow.name, input: {} });
    let status = "";
    while (status !== "FAILED" && calls.length <= 3) {
      const engine = await bench.openEngine({ flows: [flow], limits });
      ({ status } = await engine.runTask(task.id));
      await engine.close();
    }
    expect(await (await bench.openEngine()).getTask(task.id)).toMatchObject({
      status: "FAILED",
      error_message: "attempt 3",
      tool_calls: [{ retry_count: 2, last_error: "attempt 3" }],
    });
    expect(attempts(calls)).toEqual([1, 2, 3]);
  });

  test("is lengthened by no death: a worker that is lost is no failed attempt", async () => {
    const gate = new Gate("gate");
    const tool = { ...gate.tool, retry: { ...gate.tool.retry, baseMs: 20, jitter: 0, attempts: 3 } };
    const flow = defineFlow({ name: `gated_${++flows}`, input: v.unknown(), plan: () => [call(tool, 1)] });
    const waits = { retryWaitMs: 10 };
    const limits = { ...waits, leaseMs: 300 };
    const first = await bench.openEngine({ flows: [flow], limits });
    const { task } = await first.createTask({ flow: flow.name, input: {} });
    const running = first.runTask(task.id);
    await gate.called();
    gate.end(0, Promise.reject(new Error("first")));
    await running;
    await waiting(first, task.id, "retry");
    const { engine: dead, die } = await bench.openDoomed({ flows: [flow], limits });
    await dead.startWorker({ concurrency: 1 });
    await gate.called(2);
    await die();
    // a busy machine must not take the task from this one as well
    const last = await bench.openEngine({ flows: [flow], limits: waits });
    await last.startWorker({ concurrency: 1 });
    await gate.called(3);
    gate.end(2, "done");
    expect(await ended(last, task.id)).toMatchObject({
      status: "COMPLETED",
      tool_calls: [{ status: "COMPLETED", retry_count: 1, last_error: "first" }],
    });
    expect(attempts(gate.calls)).toEqual([1, 2, 2]);
  });

  test("lets what runs beside it go on, and is over beside it", async () => {
    const gate = new Gate("beside");
    const { calls } = flakyFlow(0, {});
    const flaky = defineTool({
      name: "flaky",
      input: v.unknown(),
      output: v.number(),
      retry: { base: 100, jitter: 0 },
      run(_, context) {
        calls.push(context);
        if (context.attempt < 2) throw new Error("once");
        return context.attempt;
      },
    });
    const flow = defineFlow({
      name: `both_${++flows}`,
      input: v.unknown(),
      *run() {
        return yield* all([call(flaky, 1), call(gate.tool, 2)]);
      },
    });
    const engine = await bench.openEngine({ flows: [flow], limits: { retryWaitMs: 50 } });
    await engine.startWorker({ concurrency: 1 });
    const id = await enqueue(engine, flow.name);
    await gate.called();
    // its second attempt comes while the other still runs
    await until(() => calls.length === 2);
    gate.end(0, "done");
    expect(await ended(engine, id)).toMatchObject({ status: "COMPLETED", output_payload: [2, "done"] });
    expect(gate.calls).toHaveLength(1);
  });

  test("is over at once where the task is cancelled", async () => {
    const { flow, calls } = flakyFlow(2, { base: "1h", max: "1h" });
    const engine = await bench.openEngine({ flows: [flow] });
    await engine.startWorker({ concurrency: 1 });
    const id = await enqueue(engine, flow.name);
    await waiting(engine, id, "retry");
    expect(await engine.cancelTask(id)).toMatchObject({ status: "CANCELLED", tool_calls: [{ status: "FAILED" }] });
    expect(attempts(calls)).toEqual([1]);
  });
});
