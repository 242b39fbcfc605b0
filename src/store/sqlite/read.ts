// Whole tasks, each page of them read from one snapshot.

import type { TaskRecord, TaskRow, ToolCallRow } from "../../core/record.ts";
import type { ListPage } from "../store.ts";
import type { SqliteConnection } from "./connection.ts";
import { selectSteps } from "./steps.ts";
import { selectTask, selectTasks } from "./tasks.ts";
import { selectCalls } from "./tool-calls.ts";

export function readTask(connection: SqliteConnection, id: string): Promise<TaskRecord | undefined> {
  return connection.read(() => {
    const task = selectTask(connection, id);
    return task && completeTasks(connection, [task])[0];
  });
}

/** Newest first: created_at falling, then id falling. */
export function listTasks(connection: SqliteConnection, page: ListPage): Promise<TaskRecord[]> {
  return connection.read(() => completeTasks(connection, selectTasks(connection, page)));
}

/** The tasks with their steps and calls, in the same order; within a transaction. */
export function completeTasks(connection: SqliteConnection, tasks: readonly TaskRow[]): TaskRecord[] {
  const steps = selectSteps(connection, idsOf(tasks));
  // A planned task that nobody has changed yet has called nothing.
  const driven = tasks.filter(({ status, version }) => status !== "PLANNED" || version > 1);
  const calls = driven.length === 0 ? NONE : selectCalls(connection, idsOf(driven));
  return tasks.map((task, place) => ({ task, steps: steps[place] ?? [], calls: calls.get(task.id) ?? [] }));
}

const NONE: ReadonlyMap<string, ToolCallRow[]> = new Map();

function idsOf(tasks: readonly TaskRow[]): string[] {
  return tasks.map((task) => task.id);
}
