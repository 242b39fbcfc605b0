import { expect, test } from "bun:test";
import type { DoneFor } from "../core/flow/activity.ts";
import { readActivity, SharedActivity } from "./shared-activity.ts";

const TASK = "01a223c3-0f66-77fe-bbe1-3b4794ec04fa";
const NOBODY = { taskId: "", stepId: "" };
const STEP = "3ec4f945-08c9-51c4-ae12-122635efed11";

test("what is done is read from the memory alone, and each piece has a count of its own", () => {
  const activity = new SharedActivity();
  const nothing = readActivity(activity.memory);
  expect(nothing).toEqual({ count: 0, doing: undefined, culprit: NOBODY, isLeaving: false, isListening: false });

  activity.begin("tool", { taskId: TASK, stepId: STEP });
  const tool = readActivity(activity.memory);
  const culprit = { taskId: TASK, stepId: STEP };
  expect(tool).toEqual({ count: 1, doing: "tool", culprit, isLeaving: false, isListening: false });
  expect(readActivity(activity.memory).count).toBe(tool.count);

  activity.end();
  expect(readActivity(activity.memory)).toMatchObject({ count: 2, doing: undefined });

  activity.begin("flow", { taskId: STEP });
  expect(readActivity(activity.memory)).toEqual({
    count: 3,
    doing: "flow",
    culprit: { taskId: STEP, stepId: "" },
    isLeaving: false,
    isListening: false,
  });

  activity.hearSignal();
  expect(readActivity(activity.memory)).toMatchObject({ count: 3, isLeaving: true });

  activity.listen(true);
  expect(readActivity(activity.memory)).toMatchObject({ count: 3, isListening: true });
  activity.listen(false);
  expect(readActivity(activity.memory).isListening).toBe(false);
});

test("a schedule and a flow are named with their place, in any script, and without a place that is too long", () => {
  const activity = new SharedActivity();
  const culpritOf = (doneFor: DoneFor): unknown => {
    activity.begin("flow", doneFor);
    return readActivity(activity.memory).culprit;
  };
  const at = "/home/größe/流れ/night.ts:12:8";
  const schedule = "n".repeat(100);
  expect(culpritOf({ schedule, at })).toEqual({ schedule, at });
  expect(culpritOf({ schedule: "a" })).toEqual({ schedule: "a", at: "" });
  expect(culpritOf({ flow: "b", at })).toEqual({ flow: "b", at });
  expect(culpritOf({ flow: "b", at: "/ä".repeat(350) })).toEqual({ flow: "b", at: "" });
  expect(culpritOf({ taskId: TASK })).toEqual({ taskId: TASK, stepId: "" });
});
