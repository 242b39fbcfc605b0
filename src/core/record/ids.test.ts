import { expect, test } from "bun:test";
import { TaskonautError } from "../errors.ts";
import { idempotencyKeyOf, keyedTaskId, parseTaskId, stepId, toolCallId } from "./ids.ts";

const TASK = "0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a11";
const UUID_V5 = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test("a task id is taken in any letter case and given in lower case", () => {
  expect(parseTaskId(TASK.toUpperCase())).toBe(TASK);
});

test("what is no UUID is refused, with what was given", () => {
  const wrong = [
    "",
    "1",
    TASK.slice(1),
    `${TASK}0`,
    ` ${TASK}`,
    `${TASK}\n`,
    `{${TASK}}`,
    TASK.replaceAll("-", ""),
    TASK.replace("0", "g"),
  ];
  for (const text of wrong) {
    let thrown: unknown;
    try {
      parseTaskId(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(TaskonautError);
    expect(thrown).toMatchObject({ code: "task_id_invalid", message: expect.stringContaining(JSON.stringify(text)) });
  }
});

// Derived ids are stored words: these values are recorded in users' databases, so they are forever.
test("derived ids are the same in every version of the program", () => {
  const step = stepId(TASK, "/0");
  const key = idempotencyKeyOf({ taskId: TASK, stepId: step, tool: "echo" });
  expect(step).toBe("485786be-4abc-5a72-a6f3-fa4e91b93b53");
  expect(key).toBe(`${TASK}:${step}:echo`);
  expect(toolCallId(step)).toBe("485786be-4abc-8a72-a6f3-fa4e91b93b53");
  expect(keyedTaskId("order-1")).toBe("c12faf0a-a86a-57f2-bccf-ec9aac67cd24");
  for (const id of [step, keyedTaskId("order-1")]) expect(id).toMatch(UUID_V5);
});

test("different tasks, paths and keys lead to different ids", () => {
  const other = TASK.replace("0193", "0194");
  const ids = [
    stepId(TASK, "/0"),
    stepId(TASK, "/1"),
    stepId(other, "/0"),
    keyedTaskId("a"),
    keyedTaskId("A"),
    keyedTaskId("a "),
  ];
  expect(new Set(ids).size).toBe(ids.length);
});
