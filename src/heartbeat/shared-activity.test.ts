import { expect, test } from "bun:test";
import { readActivity, SharedActivity } from "./shared-activity.ts";

const TASK = "01a223c3-0f66-77fe-bbe1-3b4794ec04fa";
const STEP = "3ec4f945-08c9-51c4-ae12-122635efed11";

test("what is done is read from the memory alone, and each piece has a count of its own", () => {
  const activity = new SharedActivity();
  const nothing = readActivity(activity.memory);
  expect(nothing).toEqual({ count: 0, doing: undefined, taskId: "", stepId: "", isLeaving: false, isListening: false });

  activity.begin("tool", TASK, STEP);
  const tool = readActivity(activity.memory);
  expect(tool).toEqual({ count: 1, doing: "tool", taskId: TASK, stepId: STEP, isLeaving: false, isListening: false });
  expect(readActivity(activity.memory).count).toBe(tool.count);

  activity.end();
  expect(readActivity(activity.memory)).toMatchObject({ count: 2, doing: undefined });

  activity.begin("flow", STEP);
  expect(readActivity(activity.memory)).toEqual({
    count: 3,
    doing: "flow",
    taskId: STEP,
    stepId: "",
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
