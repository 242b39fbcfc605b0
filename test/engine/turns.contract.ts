// Several engines, or callers, and one task whose tool runs: who waits, who takes over.

import { describe, expect, test } from "bun:test";
import type { Bench } from "../support/bench.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { rejection } from "../support/rejection.ts";
import { until } from "../support/until.ts";
import { Gate, giveBack } from "../support/tools.ts";
import { created, planOf } from "./tool-flows.ts";

export function turnContract(bench: Bench): void {
  describe("a second engine", () => {
    test("waits while the first runs a tool, and then makes its own transition", async () => {
      const gate = new Gate("effect");
      const flow = planOf(gate.tool, giveBack("next"));
      const [one, two] = [await bench.openEngine({ flows: [flow] }), await bench.openEngine({ flows: [flow] })];
      const id = await created(bench, flow);
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
      const id = await created(bench, flow);
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
      const id = await created(bench, flow);
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
      const id = await created(bench, flow);
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
      const id = await created(bench, flow);
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
}
