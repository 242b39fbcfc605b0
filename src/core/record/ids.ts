// Ids that are derived, so that every execution of a flow comes to the same ones without asking a database:
// name-based UUIDs (version 5, RFC 9562 section 5.5).

import { TaskonautError } from "../errors.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The namespace of tasks that were created under an idempotency key. */
const KEYED_TASKS = "6f4d9d0e-54a1-5f0c-9a53-0b7a3f6f2d11";

/** Takes a UUID in any letter case, gives it in lower case. Throws task_id_invalid. */
export function parseTaskId(text: string): string {
  const id = text.toLowerCase();
  if (!isId(id)) {
    throw new TaskonautError(
      "task_id_invalid",
      `${JSON.stringify(text)} is not a task id: a UUID such as 0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a11.`,
    );
  }
  return id;
}

/** As all ids that are made here: in lower case. */
export function isId(text: string): boolean {
  return UUID.test(text);
}

/** The task of an idempotency key: the key lives exactly as long as its task, and needs no table of its own. */
export function keyedTaskId(idempotencyKey: string): string {
  return Bun.randomUUIDv5(idempotencyKey, KEYED_TASKS);
}

export function stepId(taskId: string, path: string): string {
  return Bun.randomUUIDv5(path, taskId);
}

/** The task of a `runChild` step: the same one, however often the step is started. */
export function childTaskId(parentStepId: string): string {
  return Bun.randomUUIDv5("child", parentStepId);
}

/** The n-th value that a branch of a flow draws. */
export function drawUuid(taskId: string, path: string, number: number): string {
  return Bun.randomUUIDv5(`draw:${path}#${number}`, taskId);
}

/** A step has one tool call: the id is the step's, as a UUID of version 8 (RFC 9562 section 5.8). */
export function toolCallId(taskStepId: string): string {
  return `${taskStepId.slice(0, 14)}8${taskStepId.slice(15)}`;
}

export function idempotencyKeyOf(call: { taskId: string; stepId: string; tool: string }): string {
  return `${call.taskId}:${call.stepId}:${call.tool}`;
}
