// Whole tasks, each page of them read from one snapshot.

import type { TaskRecord } from "../../core/record.ts";
import type { ListPage } from "../store.ts";
import type { SqliteConnection } from "./connection.ts";
import { selectSteps } from "./steps.ts";
import { selectTask, selectTasks } from "./tasks.ts";
import { selectCalls } from "./tool-calls.ts";

export function readTask(connection: SqliteConnection, id: string): Promise<TaskRecord | undefined> {
  return connection.read(() => {
    const task = selectTask(connection, id);
    return task && { task, steps: selectSteps(connection, [id]), calls: selectCalls(connection, [id]) };
  });
}

/** Newest first: created_at falling, then id falling. */
export function listTasks(connection: SqliteConnection, page: ListPage): Promise<TaskRecord[]> {
  return connection.read(() => {
    const tasks = selectTasks(connection, page);
    const ids = tasks.map((task) => task.id);
    const steps = Map.groupBy(selectSteps(connection, ids), (step) => step.task_id);
    const calls = Map.groupBy(selectCalls(connection, ids), (call) => call.task_id);
    return tasks.map((task) => ({ task, steps: steps.get(task.id) ?? [], calls: calls.get(task.id) ?? [] }));
  });
}
