// The two writes of a driver, each one transaction over all tables: one table after the other, because a table is then
// in the processor's caches.

import { assertChanges, assertRecords } from "../assert-changes.ts";
import { KeptApart } from "../payloads.ts";
import type { Change, NewRecord } from "../store.ts";
import { TASK_STEPS, TASKS, TOOL_CALLS } from "../tables.ts";
import { appendEntry } from "./audit.ts";
import type { SqliteConnection } from "./connection.ts";
import { CountChanges } from "./counts.ts";
import { noteEvents } from "./events.ts";
import { consumeInbox, insertPost } from "./inbox.ts";
import { insertPayloads } from "./payloads.ts";
import { insertStep, updateStep } from "./steps.ts";
import { insertTags, setTags } from "./tags.ts";
import { insertTask, updateTask } from "./tasks.ts";
import { insertCall, updateCall } from "./tool-calls.ts";

export function insertTasks(
  connection: SqliteConnection,
  records: readonly NewRecord[],
  now: () => number,
): Promise<boolean[]> {
  return connection.write(() => {
    const at = now();
    const won = insertRecords(connection, records, at);
    records.forEach(({ audit }, place) => {
      if (audit && won[place] === true) appendEntry(connection, audit, at);
    });
    return won;
  });
}

/** Within a transaction. Each place of the result says whether that task is new. */
export function insertRecords(connection: SqliteConnection, records: readonly NewRecord[], now: number): boolean[] {
  assertRecords(records);
  const apart = new KeptApart();
  const counts = new CountChanges();
  const won = records.map(({ task }) => {
    const isNew = insertTask(connection, apart.row(task, task.id, TASKS.payloads));
    if (isNew) {
      insertPayloads(connection, apart);
      insertTags(connection, task);
      counts.add(task.flow_name, task.status, 1);
    } else apart.take(); // they do not belong to the existing task
    return isNew;
  });
  const made = records.filter((_record, place) => won[place]);
  for (const { steps } of made) {
    for (const step of steps) insertStep(connection, apart.row(step, step.task_id, TASK_STEPS.payloads));
  }
  for (const { calls } of made) {
    for (const call of calls) insertCall(connection, apart.row(call, call.task_id, TOOL_CALLS.payloads));
  }
  insertPayloads(connection, apart);
  counts.write(connection);
  noteEvents(
    connection,
    "created",
    made.map(({ task }) => task),
    now,
  );
  return won;
}

export async function commitChanges(
  connection: SqliteConnection,
  changes: readonly Change[],
  now: () => number,
): Promise<boolean[]> {
  assertChanges(changes);
  return connection.write(() => {
    const at = now();
    const apart = new KeptApart();
    const counts = new CountChanges();
    const won = changes.map((change) => {
      const task = apart.row(change.task, change.taskId, TASKS.changedPayloads);
      const isWon = updateTask(connection, task === change.task ? change : { ...change, task }, at);
      if (isWon) {
        insertPayloads(connection, apart);
        counts.move(task.flow_name, change.fromStatus, task.status);
        if (change.retags) setTags(connection, change.task);
      } else apart.take();
      return isWon;
    });
    const made = changes.filter((_change, place) => won[place]);
    for (const { newSteps, changedSteps } of made) {
      for (const step of newSteps) insertStep(connection, apart.row(step, step.task_id, TASK_STEPS.payloads));
      for (const step of changedSteps)
        updateStep(connection, apart.row(step, step.task_id, TASK_STEPS.changedPayloads));
    }
    for (const { newCalls, changedCalls } of made) {
      for (const call of newCalls) insertCall(connection, apart.row(call, call.task_id, TOOL_CALLS.payloads));
      for (const call of changedCalls)
        updateCall(connection, apart.row(call, call.task_id, TOOL_CALLS.changedPayloads));
    }
    insertPayloads(connection, apart);
    counts.write(connection);
    noteEvents(
      connection,
      "changed",
      made.map(({ task }) => task),
      at,
    );
    for (const change of made) {
      consumeInbox(connection, change, at);
      for (const post of change.posts) insertPost(connection, post, at);
      appendEntry(connection, change.audit, at);
    }
    return won;
  });
}
