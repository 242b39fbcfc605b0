// What `retry-task` opens again, without a database (`test/engine/retry.test.ts` has the rest).

import { expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow } from "../../core/flow/flow.ts";
import { stepId } from "../../core/record/ids.ts";
import { all, call, sleep } from "../../core/flow/operation.ts";
import type { StepRow, TaskRecord } from "../../core/record/record.ts";
import { defineTool } from "../../core/flow/tool.ts";
import { recordOf } from "../../../test/support/engine.ts";
import type { Draft } from "../task/draft.ts";
import { planReopening, reopen } from "./reopen.ts";

const pay = defineTool({ name: "pay", input: v.unknown(), output: v.unknown(), run: () => null });
const flow = defineFlow({
  name: "sample",
  input: v.unknown(),
  *run() {
    yield* all({ pay: call(pay, 1), pause: sleep("1h") });
  },
});

const MOMENT = { now: 3000, storeNow: 3500, stepsMax: 1000 };

const reopened = (record: TaskRecord): Draft =>
  reopen(flow, record, planReopening(flow, record, MOMENT.stepsMax), MOMENT);

const ERROR = JSON.stringify({ name: "Error", message: "no" });

function failedRecord(): TaskRecord {
  const { task } = recordOf(flow);
  const step = (index: number, path: string, over: Partial<StepRow>): StepRow => ({
    id: stepId(task.id, path),
    task_id: task.id,
    step_index: index,
    path,
    kind: "tool",
    step_name: "pay",
    target: "pay",
    execution: "at-least-once",
    limited_by: null,
    status: "FAILED",
    input_payload: "1",
    output_payload: null,
    error: ERROR,
    outcome_seq: 1,
    observed_at: 2000,
    due_at: null,
    attempt_epoch: 0,
    starts: 0,
    doubt: null,
    created_at: 1000,
    updated_at: 2000,
    ...over,
  });
  return {
    task: {
      ...task,
      status: "FAILED",
      error: ERROR,
      observed_count: 1,
      current_step: 1,
      version: 7,
      finished_at: 2000,
    },
    steps: [
      step(1, "/0.pay", {}),
      step(2, "/0.pause", {
        kind: "sleep",
        step_name: "sleep",
        target: null,
        status: "CANCELLED",
        input_payload: '{"ms":3600000}',
        error: null,
        outcome_seq: null,
        observed_at: null,
        due_at: 9000,
      }),
    ],
    calls: [],
  };
}

test("the failed step and what was given up for it are open again, as one change under the fence", () => {
  const change = reopened(failedRecord()).takeChange();
  expect(change).toMatchObject({ reopens: true, expectedVersion: 7, expectedOwner: null, newSteps: [], posts: [] });
  expect(change?.task).toMatchObject({
    status: "RUNNING",
    error: null,
    finished_at: null,
    observed_count: 0,
    current_step: 0,
    // a worker may take it from now on
    due_at: 3500,
  });
  expect(
    change?.changedSteps.map(({ path, status, attempt_epoch, due_at, error }) => [
      path,
      status,
      attempt_epoch,
      due_at,
      error,
    ]),
  ).toEqual([
    ["/0.pay", "PLANNED", 1, null, null],
    ["/0.pause", "PLANNED", 1, 9000, null],
  ]);
});

test("an outcome that was recorded after the failure is told again", () => {
  const record = failedRecord();
  const [first, second] = record.steps as [StepRow, StepRow];
  const late: StepRow = { ...second, status: "COMPLETED", output_payload: "null", outcome_seq: 2, observed_at: 2500 };
  for (const observed_count of [1, 2]) {
    const task = { ...record.task, observed_count };
    const draft = reopened({
      ...record,
      task,
      steps: [first, { ...late, observed_at: observed_count > 1 ? 2500 : null }],
    });
    expect(draft.task).toMatchObject({ status: "RUNNING", observed_count: observed_count - 1 });
    const [paid, pause] = draft.record.steps;
    expect([paid?.status, paid?.outcome_seq, pause?.status, pause?.outcome_seq]).toEqual([
      "PLANNED",
      null,
      "COMPLETED",
      1,
    ]);
  }
});

test.each(["PLANNED", "RUNNING", "WAITING_OBSERVATION", "COMPLETED", "CANCELLED"] as const)(
  "a task that is %s is refused",
  (status) => {
    const record = failedRecord();
    expect(() => reopened({ ...record, task: { ...record.task, status } })).toThrow(`it is ${status}`);
  },
);
