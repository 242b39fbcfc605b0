// Tasks are due by the store's clock. A process whose own clock is wrong, or is set, neither puts a task where nobody
// looks for it nor stops to look for tasks itself.

import { describe, expect, test } from "bun:test";
import type { Clock } from "../../src/core/clock.ts";
import { call, waitForSignal } from "../../src/core/flow/operation.ts";
import type { Task } from "../../src/core/api/task.ts";
import { systemClock } from "../../src/engine/process/system-clock.ts";
import { DATABASES } from "../support/databases.ts";
import { ended, enqueue } from "../support/queue.ts";
import { rejection } from "../support/rejection.ts";
import { Gate, giveBack } from "../support/tools.ts";
import { Claims } from "../support/watched-store.ts";
import { flowOf, inTurn, workerBench } from "./worker-bench.ts";

const HOUR_MS = 3_600_000;

/** Of those that die: a free lock tells that they are dead once PostgreSQL has been up for longer. */
const LEASE_MS = 500;

const hourAhead: Clock = { ...systemClock, now: () => systemClock.now() + HOUR_MS };

describe.each(DATABASES)("with a clock an hour ahead, a process on %s", (_name, create) => {
  const { bench, working } = workerBench(create);

  async function expectDue({ due_at }: Task): Promise<void> {
    const store = await bench.openStore();
    expect(Date.parse(due_at ?? "")).toBeLessThanOrEqual(await store.now());
  }

  test("that dies within a tool leaves its task to others at once", async () => {
    const gate = new Gate("busy");
    const flow = inTurn(gate.tool);
    const { engine: ahead, die } = await bench.openDoomed({
      flows: [flow],
      clock: hourAhead,
      limits: { leaseMs: LEASE_MS },
    });
    const { task } = await ahead.createTask({ flow: flow.name, input: {} });
    ahead.runTask(task.id).catch(() => {});
    await gate.called();
    await expectDue(await ahead.getTask(task.id));
    await die();
    const { engine } = await working({ flows: [flow] });
    await gate.called(2);
    gate.end(1, "again");
    expect(await ended(engine, task.id)).toMatchObject({ status: "COMPLETED", output_payload: ["again"] });
  });

  test("that hears a signal puts its task where workers take it now, whenever its clock was set", async () => {
    const flow = flowOf(function* () {
      const heard = yield* waitForSignal("go");
      return [heard, yield* call(giveBack("then"), 1)];
    });
    let aheadMs = 0;
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
    const ahead = await bench.openEngine({ flows: [flow], clock });
    const { task } = await ahead.createTask({ flow: flow.name, input: {} });
    await ahead.runTask(task.id);
    aheadMs = HOUR_MS;
    await ahead.signalTask(task.id, { name: "go", payload: "went" });
    await expectDue(await ahead.advanceTask(task.id));
    const { engine } = await working({ flows: [flow] });
    expect(await ended(engine, task.id)).toMatchObject({ status: "COMPLETED", output_payload: ["went", 1] });
  });

  test("that takes up a parked task puts it where workers take it now", async () => {
    const flow = inTurn(giveBack("first", { execution: "pure" }), giveBack("second", { execution: "pure" }));
    const edited = { ...inTurn(giveBack("other")), name: flow.name };
    const creator = await bench.openEngine({ flows: [flow] });
    const { task } = await creator.createTask({ flow: flow.name, input: {} });
    for (let transitions = 0; transitions < 3; transitions++) await creator.advanceTask(task.id);
    const editor = await bench.openEngine({ flows: [edited] });
    expect(await rejection(editor.runTask(task.id))).toMatchObject({ code: "task_parked" });
    const ahead = await bench.openEngine({ flows: [flow], clock: hourAhead });
    await expectDue(await ahead.resumeTask(task.id));
    const { engine } = await working({ flows: [flow] });
    expect((await ended(engine, task.id)).status).toBe("COMPLETED");
  });
});

describe.each(DATABASES)(
  "whose clock is set back an hour while most of its places are taken, a worker on %s",
  (_name, create) => {
    const { bench } = workerBench(create);

    test("takes what comes all the same", async () => {
      const gate = new Gate("busy");
      const busy = inTurn(gate.tool);
      const claims = new Claims();
      let backMs = 0;
      const clock: Clock = { ...systemClock, now: () => systemClock.now() - backMs };
      const engine = await bench.openEngine({ flows: [busy], clock, around: claims.watch });
      await engine.startWorker({ concurrency: 4 });
      const other = await bench.openEngine({ flows: [busy] });
      for (let i = 0; i < 3; i++) await enqueue(other, busy.name);
      await gate.called(3);
      await claims.foundNothing();
      backMs = HOUR_MS;
      expect((await ended(other, await enqueue(other, "echo_add"))).status).toBe("COMPLETED");
    });
  },
);
