// The two writes of a driver, each one transaction over all tables: one table after the other, for what a table is in
// the processor's caches then.

import type { TaskRecord } from "../../core/record.ts";
import { assertChanges } from "../assert-changes.ts";
import type { Change } from "../store.ts";
import type { SqliteConnection } from "./connection.ts";
import { consumeInbox, insertPost } from "./inbox.ts";
import { insertStep, updateStep } from "./steps.ts";
import { insertTask, updateTask } from "./tasks.ts";
import { insertCall, updateCall } from "./tool-calls.ts";

export function insertTasks(connection: SqliteConnection, records: readonly TaskRecord[]): Promise<boolean[]> {
  return connection.write(() => {
    const won = records.map(({ task }) => insertTask(connection, task));
    const made = records.filter((_record, place) => won[place]);
    for (const { steps } of made) for (const step of steps) insertStep(connection, step);
    for (const { calls } of made) for (const call of calls) insertCall(connection, call);
    return won;
  });
}

export async function commitChanges(
  connection: SqliteConnection,
  changes: readonly Change[],
  now: () => number,
): Promise<boolean[]> {
  assertChanges(changes);
  return connection.write(() => {
    const at = now();
    const won = changes.map((change) => updateTask(connection, change, at));
    const made = changes.filter((_change, place) => won[place]);
    for (const { newSteps, changedSteps } of made) {
      for (const step of newSteps) insertStep(connection, step);
      for (const step of changedSteps) updateStep(connection, step);
    }
    for (const { newCalls, changedCalls } of made) {
      for (const call of newCalls) insertCall(connection, call);
      for (const call of changedCalls) updateCall(connection, call);
    }
    for (const change of made) {
      consumeInbox(connection, change, at);
      for (const post of change.posts) insertPost(connection, post, at);
    }
    return won;
  });
}
