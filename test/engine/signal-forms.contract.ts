// Signals in both forms: made by `defineSignal` and listed, or declared and awaited by name. What is recorded is the same.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow, type Flow } from "../../src/core/flow/flow.ts";
import { all, waitForSignal } from "../../src/core/flow/operation.ts";
import { defineSignal } from "../../src/core/flow/signal.ts";
import type { Bench } from "../support/bench.ts";
import { rejection } from "../support/rejection.ts";

const Approval = v.object({ by: v.string() });
const approved = defineSignal("approved", Approval);
const go = defineSignal("go");

const byHandle = defineFlow({
  name: "signed",
  input: v.object({}),
  signals: [approved, go],
  *run() {
    const { by } = yield* waitForSignal(approved, { timeout: "1d" });
    const { gone } = yield* all({ gone: waitForSignal(go) });
    return { by, gone };
  },
});

const byName = defineFlow({
  name: "signed",
  input: v.object({}),
  signals: { approved: Approval, go: v.null() },
  *run() {
    const { by } = yield* waitForSignal<{ by: string }>("approved", { timeout: "1d" });
    const { gone } = yield* all({ gone: waitForSignal<null>("go") });
    return { by, gone };
  },
});

/** Signals that are listed may be awaited by their names. */
const half = defineFlow({
  name: "signed",
  input: v.object({}),
  signals: [approved, go],
  *run() {
    const { by } = yield* waitForSignal<{ by: string }>("approved", { timeout: "1d" });
    const { gone } = yield* all({ gone: waitForSignal(go) });
    return { by, gone };
  },
});

export function signalFormContract(bench: Bench): void {
  const openWith = (flow: Flow): ReturnType<Bench["openEngine"]> => bench.openEngine({ flows: [flow] });

  describe("signals, listed or by name", () => {
    test.each<[string, Flow, Flow]>([
      ["by name to listed", byName, byHandle],
      ["listed to by name", byHandle, byName],
      ["listed to awaited by name", byHandle, half],
    ])("are recorded alike: a flow that is edited from %s goes on where it stood", async (_what, before, after) => {
      const engine = await openWith(before);
      const { id } = (await engine.createTask({ flow: "signed", input: {} })).task;
      const waiting = await engine.runTask(id);
      expect(waiting.waiting_for).toMatchObject([{ kind: "signal", name: "approved" }]);

      const edited = await openWith(after);
      await edited.signalTask(id, { name: "approved", payload: { by: "Ada" } });
      expect(await edited.runTask(id)).toMatchObject({ waiting_for: [{ name: "go" }], parked_reason: null });

      const back = await openWith(before);
      await back.signalTask(id, { name: "go", payload: null });
      const output = { by: "Ada", gone: null };
      expect(await back.runTask(id)).toMatchObject({
        status: "COMPLETED",
        output_payload: output,
        parked_reason: null,
      });
    });

    test("without a payload take none, and those with one hold it to its contract", async () => {
      const engine = await openWith(byHandle);
      const { id } = (await engine.createTask({ flow: "signed", input: {} })).task;
      expect(await rejection(engine.signalTask(id, { name: "go", payload: { by: "Ada" } }))).toMatchObject({
        code: "input_invalid",
        errors: [{ path: "", message: "carries no payload" }],
      });
      expect(await rejection(engine.signalTask(id, { name: "approved", payload: {} }))).toMatchObject({
        code: "input_invalid",
        errors: [{ path: "by", message: "required" }],
      });
    });
  });
}
