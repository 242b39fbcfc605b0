// What becomes of running tools, and of who asks, when an engine is closed.

import { describe, expect, test } from "bun:test";
import type { Bench } from "../support/bench.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { rejection } from "../support/rejection.ts";
import { Gate, giveBack } from "../support/tools.ts";
import { created, planOf } from "./tool-flows.ts";

export function closingContract(bench: Bench): void {
  describe("an engine that is closed while a tool runs", () => {
    test("waits for it within the grace period, and its outcome is recorded", async () => {
      const gate = new Gate("effect");
      const flow = planOf(gate.tool, giveBack("next"));
      const engine = await bench.openEngine({ flows: [flow], limits: { graceMs: 3000 } });
      const id = await created(bench, flow);
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
      const id = await created(bench, flow);
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
      const [id, other] = [await created(bench, flow), await created(bench, flow)];
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
