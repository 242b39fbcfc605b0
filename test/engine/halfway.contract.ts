// A step as a process may have left it: what is recorded is used, the rest is done.

import { describe, expect, test } from "bun:test";
import { idempotencyKeyOf, toolCallId } from "../../src/core/record/ids.ts";
import type { StepRow, TaskRecord, ToolCallRow } from "../../src/core/record/record.ts";
import { Draft } from "../../src/engine/task/draft.ts";
import type { Store } from "../../src/store/store.ts";
import { callRow } from "../contract/rows.ts";
import type { Bench } from "../support/bench.ts";
import { Gate, giveBack } from "../support/tools.ts";
import { created, planOf } from "./tool-flows.ts";

export function halfwayContract(bench: Bench): void {
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
        const completed = await halfway(store, await created(bench, flow), status, {
          status: "COMPLETED",
          response_payload: '"recorded"',
          finished_at: 2,
          retry_count: 1,
        });
        const done = await engine.runTask(completed);
        expect(done).toMatchObject({ status: "COMPLETED", output_payload: { step1: "recorded", step2: 2 } });
        expect(done.tool_calls).toMatchObject([{ retry_count: 1, response_payload: "recorded" }, {}]);

        const error = JSON.stringify({ name: "Error", message: "recorded failure" });
        const failed = await halfway(store, await created(bench, flow), status, {
          status: "FAILED",
          error,
          last_error: error,
          finished_at: 2,
        });
        expect(await engine.runTask(failed)).toMatchObject({
          status: "FAILED",
          error_message: "recorded failure",
          steps: [{ status: "FAILED" }, { status: "CANCELLED" }],
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
            await created(bench, flow),
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
  const tool = step.target ?? "";
  draft.putStep({ ...step, status });
  if (recorded) {
    const idempotency_key = idempotencyKeyOf({ taskId: id, stepId: step.id, tool });
    const ids = { id: toolCallId(step.id), idempotency_key, tool_name: tool };
    draft.putCall(callRow(step, { ...ids, started_at: 1, created_at: 1, ...recorded }));
  }
  draft.moveTask(1, "RUNNING");
  const change = draft.takeChange();
  if (!change || !(await store.commitChanges([change]))[0]) throw new Error("The task is not as it was created.");
  return id;
}
