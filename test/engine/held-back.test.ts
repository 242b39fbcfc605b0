// A failure in one member of a group is not held back by members that only wait for a limit or a pause (branch.ts: G5).

import { describe, expect, test } from "bun:test";
import { all, call, map, race, waitForSignal, type Operation } from "../../src/core/flow/operation.ts";
import type { Tool } from "../../src/core/flow/tool.ts";
import type { Task } from "../../src/core/api/task.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import { DATABASES } from "../support/databases.ts";
import { ended, enqueue, waiting } from "../support/queue.ts";
import { Gate, giveBack } from "../support/tools.ts";
import { until } from "../support/until.ts";
import { flowOf, workerBench } from "./worker-bench.ts";

type Body = Generator<Operation<unknown>, unknown, unknown>;

/** A tool of which one call runs at once, held by another task. */
async function crowded(
  working: ReturnType<typeof workerBench>["working"],
  run: (tools: { readonly busy: Tool; readonly weak: Tool }) => Body,
): Promise<{ engine: Engine; flow: string; busy: Gate; weak: Gate; name: string }> {
  const name = `api_${crypto.randomUUID()}`.replaceAll("-", "_");
  const busy = new Gate("busy");
  const weak = new Gate("weak");
  const tool = { ...busy.tool, limits: { name, running: 1, runningPerKey: null, rate: null, key: undefined } };
  const holder = flowOf((input) => call(tool, input)[Symbol.iterator]());
  const flow = flowOf(() => run({ busy: tool, weak: weak.tool }));
  const { engine } = await working({ flows: [holder, flow], concurrency: 5 });
  await enqueue(engine, holder.name);
  await busy.called(1);
  return { engine, flow: flow.name, busy, weak, name };
}

const statusOf = ({ steps }: Task): Record<string, string> =>
  Object.fromEntries(steps.map(({ step_name, status }) => [step_name, status]));

describe.each(DATABASES)("a group that has failed on %s", (_name, create) => {
  const { bench, working } = workerBench(create);

  const inLine = async (limit: string, times = 1): Promise<void> => {
    const store = await bench.openStore();
    await until(async () => (await store.limits.list()).some((row) => row.name === limit && row.waiting === times));
  };

  test("does not wait for a step that waits for a limit, and takes it up again when the failure is retried", async () => {
    const { engine, flow, busy, weak, name } = await crowded(working, ({ busy: limited, weak: fails }) =>
      all({ fails: call(fails, 1), waits: call(limited, 2) })[Symbol.iterator](),
    );
    const id = await enqueue(engine, flow);
    await weak.called(1);
    weak.fail(0, "no money");
    const failed = await ended(engine, id);
    expect(failed).toMatchObject({ status: "FAILED", error: { message: "weak: no money" } });
    expect(statusOf(failed)).toEqual({ weak: "FAILED", busy: "CANCELLED" });
    expect(busy.calls).toHaveLength(1);
    await engine.retryTask(id);
    await weak.called(2);
    weak.end(1, "paid");
    await inLine(name);
    busy.end(0, null);
    await busy.called(2);
    busy.end(1, "done");
    expect(await ended(engine, id)).toMatchObject({
      status: "COMPLETED",
      output_payload: { fails: "paid", waits: "done" },
    });
  });

  test("gives a fork its step that was held back, which begins there if another output is given for the failure", async () => {
    const { engine, flow, busy, weak } = await crowded(working, ({ busy: limited, weak: fails }) =>
      all({ fails: call(fails, 1), waits: call(limited, 2) })[Symbol.iterator](),
    );
    const id = await enqueue(engine, flow);
    await weak.called(1);
    weak.fail(0, "no money");
    expect((await ended(engine, id)).status).toBe("FAILED");
    const { task: same } = await engine.forks.create(id, { from: 3 });
    expect(statusOf(same)).toEqual({ weak: "FAILED", busy: "CANCELLED" });
    expect(await engine.runTask(same.id)).toMatchObject({ status: "FAILED", error: { message: "weak: no money" } });
    const { task: given } = await engine.forks.create(id, { from: 3, set: { 1: "paid" }, start: "now" });
    expect(statusOf(given)).toEqual({ weak: "COMPLETED", busy: "PLANNED" });
    busy.end(0, null);
    await busy.called(2);
    busy.end(1, "done");
    expect(await ended(engine, given.id)).toMatchObject({ output_payload: { fails: "paid", waits: "done" } });
  });

  test("does not wait for it where the failure came first, either", async () => {
    const { engine, flow, busy, weak, name } = await crowded(working, function* ({ busy: limited, weak: fails }) {
      yield* all([
        call(fails, 1),
        (function* () {
          yield* call(giveBack("first"), 1);
          yield* call(limited, 2);
        })(),
      ]);
    });
    const id = await enqueue(engine, flow);
    await weak.called(1);
    await inLine(name);
    weak.fail(0, "no money");
    expect(await ended(engine, id)).toMatchObject({ status: "FAILED" });
    expect(busy.calls).toHaveLength(1);
  });

  test("lets members clean up, goes on after it is caught, and is replayed as it was", async () => {
    const undo = giveBack("undo");
    const { engine, flow, busy, weak, name } = await crowded(working, function* ({ busy: limited, weak: fails }) {
      try {
        yield* all({
          fails: call(fails, 1),
          nested: (function* () {
            try {
              yield* map([1, 2], (n) => call(limited, n), { concurrency: 2 });
            } finally {
              yield* call(undo, "undone");
            }
          })(),
          beside: race([call(limited, 3), waitForSignal("go")]),
        });
      } catch (error) {
        yield* waitForSignal("go");
        return (error as Error).message;
      }
      return undefined;
    });
    const id = await enqueue(engine, flow);
    await weak.called(1);
    await inLine(name, 3);
    weak.fail(0, "no money");
    await waiting(engine, id, "signal");
    await engine.signalTask(id, { name: "go", payload: null });
    const task = await ended(engine, id);
    expect(task).toMatchObject({ status: "COMPLETED", output_payload: "weak: no money" });
    const given = task.steps.filter(({ status }) => status === "CANCELLED");
    expect(given).toHaveLength(4);
    expect(busy.calls).toHaveLength(1);
  });

  test("does not wait for a step whose tool is paused", async () => {
    const paused = new Gate("stands_still");
    const weak = new Gate("weak");
    const flow = flowOf(() => all([call(weak.tool, 1), call(paused.tool, 2)])[Symbol.iterator]());
    const { engine } = await working({ flows: [flow] });
    await engine.pauses.pause({ scope: "tool", name: "stands_still" }, {});
    const id = await enqueue(engine, flow.name);
    await weak.called(1);
    weak.fail(0, "no money");
    expect(await ended(engine, id)).toMatchObject({ status: "FAILED" });
    await engine.pauses.unpause({ scope: "tool", name: "stands_still" });
    expect(paused.calls).toHaveLength(0);
  });

  test("waits for a member that works, and for what has begun", async () => {
    const { engine, flow, busy, weak, name } = await crowded(working, ({ busy: limited, weak: fails }) =>
      all([call(fails, 1), call(fails, 2), call(limited, 3)])[Symbol.iterator](),
    );
    const id = await enqueue(engine, flow);
    await weak.called(2);
    await inLine(name);
    weak.fail(0, "no money");
    await until(async () => (await engine.getTask(id)).steps[2]?.status === "CANCELLED");
    expect((await engine.getTask(id)).steps[1]?.status).toBe("RUNNING");
    weak.end(1, null);
    expect(await ended(engine, id)).toMatchObject({ status: "FAILED" });
    expect(busy.calls).toHaveLength(1);
  });
});
