// Tasks and errors as the program gives them.

import { expect } from "bun:test";
import type { Json } from "../../src/core/record/json-value.ts";
import type { Task } from "../../src/core/api/task.ts";
import type { Ended } from "./served.ts";

/** The task that a command printed. Throws with what it said instead. */
export function taskOf({ exit, stdout, stderr }: Ended): Task {
  if (exit !== 0) throw new Error(`Exit code ${exit}:\n${stderr}`);
  return JSON.parse(stdout) as Task;
}

/** A task of echo_add that ran to its end: every step once, and the tool of each called once. */
export function expectCompleted(task: Task, output: Json = { echo: { text: "hello" }, add: { sum: 3 } }): void {
  expect({
    status: task.status,
    output: task.output_payload,
    steps: task.steps.map(({ step_name, status }) => [step_name, status]),
    calls: task.tool_calls.map(({ tool_name, status }) => [tool_name, status]),
  }).toEqual({
    status: "COMPLETED",
    output,
    steps: [
      ["echo", "COMPLETED"],
      ["add", "COMPLETED"],
    ],
    calls: [
      ["echo", "COMPLETED"],
      ["add", "COMPLETED"],
    ],
  });
}

/** What a program is told of an error, with `--json`. */
export function errorOf({ exit, stdout, stderr }: Ended): { exit: number; code: unknown } {
  expect(stdout).toBe("");
  const { code } = JSON.parse(stderr) as { code: unknown };
  return { exit, code };
}
