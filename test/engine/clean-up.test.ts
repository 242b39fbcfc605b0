// What a flow undoes never runs beside what it undoes, though a tool may listen to no abort.

import { describe, expect, test } from "bun:test";
import type { Engine } from "../../src/engine/engine-options.ts";
import { call, race, sleep } from "../../src/sdk/taskonaut.ts";
import { DATABASES } from "../support/databases.ts";
import { ended, enqueue } from "../support/queue.ts";
import { Gate, giveBack } from "../support/tools.ts";
import { until } from "../support/until.ts";
import { flowOf, workerBench } from "./worker-bench.ts";

/** Whatever is about to be done has its time. */
async function letPass(engine: Engine, id: string): Promise<void> {
  for (let look = 0; look < 10; look++) await engine.getTask(id);
}

describe.each(DATABASES)("on %s", (_name, create) => {
  const { bench, working } = workerBench(create);

  const paying = (charge: Gate, refund: Gate): ReturnType<typeof flowOf> =>
    flowOf(function* () {
      let receipt: unknown = "none";
      try {
        receipt = yield* call(charge.tool, 1);
        yield* sleep("1h");
      } finally {
        yield* call(refund.tool, receipt);
      }
    });

  test("a cancelled flow hears of it when its tool has ended, and knows what that gave", async () => {
    const [charge, refund] = [new Gate("charge"), new Gate("refund")];
    const flow = paying(charge, refund);
    const { engine } = await working({ flows: [flow] });
    const id = await enqueue(engine, flow.name);
    await charge.called();
    const cancelling = engine.cancelTask(id);
    await until(() => charge.calls[0]?.signal.aborted === true);
    await letPass(engine, id);
    expect(refund.calls).toEqual([]);
    charge.end(0, "receipt");
    await refund.called();
    refund.end(0, null);
    expect(await cancelling).toMatchObject({
      status: "CANCELLED",
      steps: [
        { status: "COMPLETED", output_payload: "receipt" },
        { status: "CANCELLED" },
        { input_payload: "receipt" },
      ],
    });
  });

  test("a cancelled flow hears of it when the time of its tool is up", async () => {
    const [charge, refund] = [new Gate("charge", { timeout: 100 }), new Gate("refund")];
    const flow = paying(charge, refund);
    const { engine } = await working({ flows: [flow] });
    const id = await enqueue(engine, flow.name);
    await charge.called();
    const cancelling = engine.cancelTask(id);
    await refund.called();
    refund.end(0, null);
    expect(await cancelling).toMatchObject({
      status: "CANCELLED",
      steps: [{ status: "CANCELLED" }, { status: "COMPLETED", input_payload: "none" }],
    });
    expect(charge.calls).toHaveLength(1);
  });

  test("a cancel does not wait for its caller longer than others do: it is recorded, and takes effect then", async () => {
    const [charge, refund] = [new Gate("charge"), new Gate("refund")];
    const flow = paying(charge, refund);
    const { engine } = await working({ flows: [flow], limits: { busyMs: 20 } });
    const id = await enqueue(engine, flow.name);
    await charge.called();
    expect(await engine.cancelTask(id)).toMatchObject({ status: "RUNNING" });
    charge.end(0, "receipt");
    await refund.called();
    refund.end(0, null);
    expect((await ended(engine, id)).status).toBe("CANCELLED");
  });

  test("a branch that lost a race cleans up when its tool has ended", async () => {
    const [slow, quick, undo] = [new Gate("slow"), new Gate("quick"), new Gate("undo")];
    const flow = flowOf(function* () {
      return yield* race({
        slow: (function* () {
          try {
            return yield* call(slow.tool, 1);
          } finally {
            yield* call(undo.tool, 1);
          }
        })(),
        quick: call(quick.tool, 1),
      });
    });
    const engine = await bench.openEngine({ flows: [flow] });
    const { task } = await engine.createTask({ flow: flow.name, input: {} });
    const running = engine.runTask(task.id);
    await Promise.all([slow.called(), quick.called()]);
    quick.end(0, "first");
    await until(() => slow.calls[0]?.signal.aborted === true);
    await letPass(engine, task.id);
    expect(undo.calls).toEqual([]);
    slow.end(0, "late");
    await undo.called();
    undo.end(0, null);
    expect(await running).toMatchObject({ status: "COMPLETED", output_payload: "first" });
  });

  test("what comes after a lost race does not wait for the losers", async () => {
    const [slow, next] = [new Gate("slow"), new Gate("next")];
    const flow = flowOf(function* () {
      yield* race([call(slow.tool, 1), call(giveBack("quick"), 1)]);
      return yield* call(next.tool, 1);
    });
    const { engine } = await working({ flows: [flow] });
    const id = await enqueue(engine, flow.name);
    await next.called();
    next.end(0, "next");
    expect(await ended(engine, id)).toMatchObject({ status: "COMPLETED", lease_owner: null, output_payload: "next" });
    slow.end(0, null);
  });
});
