// Tasks that workers drive, as a test follows them.

import { isTerminal } from "../../src/core/record/status.ts";
import type { CreateTask } from "../../src/core/api/create-task.ts";
import type { Taskonaut } from "../../src/core/api/taskonaut.ts";
import type { Task } from "../../src/core/api/task.ts";
import { until } from "./until.ts";

/** Puts a task in the queue. */
export async function enqueue(
  engine: Taskonaut,
  flow: string,
  options: Partial<CreateTask> & { readonly input?: unknown } = {},
): Promise<string> {
  const { task } = await engine.createTask({ flow, input: {}, start: "now", ...options });
  return task.id;
}

/** The task, once it is as described. */
export async function when(engine: Taskonaut, id: string, holds: (task: Task) => boolean): Promise<Task> {
  let task = await engine.getTask(id);
  await until(async () => {
    task = await engine.getTask(id);
    return holds(task);
  });
  return task;
}

export function ended(engine: Taskonaut, id: string): Promise<Task> {
  return when(engine, id, ({ status }) => isTerminal(status));
}

/** Nothing is left to do before something comes, and nobody holds it. */
export function waiting(engine: Taskonaut, id: string, kind?: Task["waiting_for"][number]["kind"]): Promise<Task> {
  return when(
    engine,
    id,
    ({ waiting_for: [first], lease_owner }) =>
      first !== undefined && lease_owner === null && (kind === undefined || first.kind === kind),
  );
}
