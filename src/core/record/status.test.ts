import { describe, expect, test } from "bun:test";
import { assertNext, isStepOpen, isTerminal, NEXT, NEXT_STEP, type StepStatus, type TaskStatus } from "./status.ts";

const TASK = Object.keys(NEXT) as TaskStatus[];
const STEP = Object.keys(NEXT_STEP) as StepStatus[];

// ARCHITECTURE.md: the state machine. Written out a second time on purpose: a change of the table is a change of the contract.
const ARROWS = new Set([
  "PLANNED RUNNING",
  "PLANNED CANCELLED",
  "RUNNING WAITING_OBSERVATION",
  "RUNNING FAILED",
  "RUNNING CANCELLED",
  "WAITING_OBSERVATION RUNNING",
  "WAITING_OBSERVATION COMPLETED",
  "WAITING_OBSERVATION FAILED",
  "WAITING_OBSERVATION CANCELLED",
]);

describe("a task", () => {
  for (const from of TASK) {
    for (const to of TASK) {
      const isAllowed = ARROWS.has(`${from} ${to}`);
      test(`${isAllowed ? "may" : "may not"} go from ${from} to ${to}`, () => {
        if (isAllowed) assertNext(from, to);
        else expect(() => assertNext(from, to)).toThrow(`A task cannot go from ${from} to ${to}.`);
      });
    }
  }

  test("has ended exactly where nothing follows", () => {
    expect(TASK.filter(isTerminal)).toEqual(["COMPLETED", "FAILED", "CANCELLED"]);
  });
});

test("a step is open until it has an end, and its end is final", () => {
  expect(STEP.filter(isStepOpen)).toEqual(["PLANNED", "RUNNING"]);
  for (const status of STEP) expect((NEXT_STEP[status] as readonly StepStatus[]).includes("PLANNED")).toBe(false);
});
