// The two writes of a driver, each one transaction over all three tables.

import type { TaskRecord } from "../../core/record.ts";
import { assertChanges } from "../assert-changes.ts";
import type { Change } from "../store.ts";
import type { SqliteConnection } from "./connection.ts";
import { consumeInbox, insertPost } from "./inbox.ts";
import { insertStep, updateStep } from "./steps.ts";
import { insertTask, updateTask } from "./tasks.ts";
import { insertCall, updateCall } from "./tool-calls.ts";

export function insertTasks(connection: SqliteConnection, records: readonly TaskRecord[]): Promise<boolean[]> {
  return connection.write(() => records.map((record) => insertRecord(connection, record)));
}

export async function commitChanges(
  connection: SqliteConnection,
  changes: readonly Change[],
  now: () => number,
): Promise<boolean[]> {
  assertChanges(changes);
  return connection.write(() => {
    const at = now();
    return changes.map((change) => applyChange(connection, change, at));
  });
}

function insertRecord(connection: SqliteConnection, { task, steps, calls }: TaskRecord): boolean {
  if (!insertTask(connection, task)) return false;
  for (const step of steps) insertStep(connection, step);
  for (const call of calls) insertCall(connection, call);
  return true;
}

function applyChange(connection: SqliteConnection, change: Change, now: number): boolean {
  if (!updateTask(connection, change, now)) return false;
  for (const step of change.newSteps) insertStep(connection, step);
  for (const step of change.changedSteps) updateStep(connection, step);
  for (const call of change.newCalls) insertCall(connection, call);
  for (const call of change.changedCalls) updateCall(connection, call);
  consumeInbox(connection, change, now);
  for (const post of change.posts) insertPost(connection, post, now);
  return true;
}
