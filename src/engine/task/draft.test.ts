import { describe, expect, test } from "bun:test";
import { callRow } from "../../../test/contract/rows.ts";
import { recordOf } from "../../../test/support/engine.ts";
import type { StepRow, TaskRecord, ToolCallRow } from "../../core/record/record.ts";
import { echoAdd } from "../../flows/echo-add.ts";
import { Draft } from "./draft.ts";

const RECORD = recordOf(echoAdd);
const [ECHO, ADD] = RECORD.steps as [StepRow, StepRow];

function callOf(step: StepRow, created_at = 1000): ToolCallRow {
  return callRow(step, { id: `call of ${step.id}`, tool_name: step.step_name, started_at: created_at, created_at });
}

describe("a draft", () => {
  test("has nothing to write before something changed", () => {
    const draft = new Draft(RECORD);
    expect(draft.isDirty).toBe(false);
    expect(draft.takeChange()).toBeUndefined();
    expect(draft.record).toEqual(RECORD);
  });

  test("raises the version with each change, and expects the one that is stored", () => {
    const draft = new Draft(RECORD);
    draft.moveTask(2000, "RUNNING");
    draft.setTask(3000, { current_step: 1 });
    const change = draft.takeChange();
    expect(change).toMatchObject({ taskId: RECORD.task.id, expectedVersion: 1, expectedOwner: null });
    expect(change?.task).toMatchObject({ status: "RUNNING", version: 3, current_step: 1, updated_at: 3000 });
    draft.setTask(4000, { lease_owner: "me" });
    expect(draft.takeChange()).toMatchObject({
      expectedVersion: 3,
      expectedOwner: null,
      task: { version: 4, lease_owner: "me" },
    });
    draft.setTask(5000, { lease_owner: null });
    expect(draft.takeChange()).toMatchObject({
      expectedVersion: 4,
      expectedOwner: "me",
      task: { version: 5, lease_owner: null },
    });
  });

  test("changes rows of its own where they are, and rows that others see in a copy", () => {
    const [task, step] = [{ ...RECORD.task }, { ...ECHO }];
    const draft = new Draft({ task, steps: [step], calls: [] }, { isOwn: true });
    draft.setTask(2000, { current_step: 1 });
    draft.patchStep(step.id, { starts: 1 });
    expect([draft.task, draft.step(step.id)]).toEqual([task, step]);
    expect([task.current_step, step.starts]).toEqual([1, 1]);
    // taken for a write, then shown: after each, the rows belong to somebody else
    const change = draft.takeChange();
    expect(change).toMatchObject({ expectedVersion: 1, task: { version: 2 }, changedSteps: [{ starts: 1 }] });
    for (const starts of [2, 3]) {
      const seen = draft.record;
      draft.setTask(3000, { current_step: starts });
      draft.patchStep(step.id, { starts });
      expect(seen).toMatchObject({ task: { current_step: starts - 1 }, steps: [{ starts: starts - 1 }] });
    }
    expect(change).toMatchObject({ task: { version: 2, current_step: 1 }, changedSteps: [{ starts: 1 }] });
    const shared = new Draft(RECORD);
    shared.setTask(2000, { current_step: 1 });
    expect(RECORD.task.current_step).toBe(0);
  });

  test("keeps the fence of a dead owner until that is overwritten", () => {
    const draft = new Draft({ ...RECORD, task: { ...RECORD.task, lease_owner: "dead" } });
    draft.setTask(2000, { lease_owner: null });
    expect(draft.takeChange()).toMatchObject({ expectedOwner: "dead" });
  });

  test("writes each row once, as it is then: as new the first time, as changed later", () => {
    const draft = new Draft(RECORD);
    const third = { ...ADD, id: "third", step_index: 3 };
    draft.putStep({ ...ECHO, status: "RUNNING" });
    draft.putStep({ ...ECHO, status: "COMPLETED", output_payload: "{}" });
    draft.putStep(third);
    draft.putStep({ ...third, status: "RUNNING" });
    draft.putCall(callOf(ECHO));
    draft.setTask(2000, {});
    const first = draft.takeChange();
    expect(first?.changedSteps).toEqual([{ ...ECHO, status: "COMPLETED", output_payload: "{}" }]);
    expect(first?.newSteps).toEqual([{ ...third, status: "RUNNING" }]);
    expect(first?.newCalls).toEqual([callOf(ECHO)]);
    expect(first?.changedCalls).toEqual([]);

    draft.putStep({ ...third, status: "CANCELLED" });
    draft.putCall({ ...callOf(ECHO), retry_count: 2 });
    draft.setTask(3000, {});
    const second = draft.takeChange();
    expect(second?.changedSteps).toEqual([{ ...third, status: "CANCELLED" }]);
    expect(second?.newSteps).toEqual([]);
    expect(second?.newCalls).toEqual([]);
    expect(second?.changedCalls).toEqual([{ ...callOf(ECHO), retry_count: 2 }]);
    expect(draft.takeChange()).toBeUndefined();
  });

  test("moves the task only where the table of states allows it", () => {
    expect(() => new Draft(RECORD).moveTask(2000, "COMPLETED")).toThrow("from PLANNED to COMPLETED");
  });

  test("lets updated_at never go back, whatever the clock does", () => {
    const draft = new Draft(RECORD);
    draft.setTask(5000, {});
    draft.setTask(10, {});
    expect(draft.task.updated_at).toBe(5000);
  });

  test("shows the calls in the order in which the store gives them: as created, then as their steps", () => {
    const draft = new Draft(RECORD);
    draft.putCall(callOf(ADD, 2000));
    draft.putCall(callOf(ECHO, 2000));
    expect(draft.record.calls.map((call) => call.tool_name)).toEqual(["echo", "add"]);
    const later = new Draft(RECORD);
    later.putCall(callOf(ECHO, 3000));
    later.putCall(callOf(ADD, 2000));
    expect(later.record.calls.map((call) => call.tool_name)).toEqual(["add", "echo"]);
  });

  test("gives a record that later changes leave alone", () => {
    const draft = new Draft(RECORD);
    const before: TaskRecord = draft.record;
    draft.putStep({ ...ECHO, status: "RUNNING" });
    draft.putCall(callOf(ECHO));
    draft.setTask(2000, { current_step: 1 });
    expect(before).toEqual(RECORD);
  });

  test("knows no step that nobody gave it", () => {
    expect(() => new Draft(RECORD).step("other")).toThrow("has no step other");
  });
});
