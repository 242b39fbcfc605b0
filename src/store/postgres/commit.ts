// The two writes of a driver, each one statement over all three tables. Rows go in as one JSON text per table:
// measured beside arrays of columns (`unnest`), it is as fast for 200 changes and faster for one. A table without rows
// has no part in the statement, so there are a few texts (32 at most), each prepared once for each connection.

import type { TaskRecord } from "../../core/record.ts";
import { assertChanges } from "../assert-changes.ts";
import type { Change } from "../store.ts";
import type { PostgresClient } from "./connection.ts";
import { consumedRows, consumeInbox, insertPosts, postRows } from "./inbox.ts";
import type { Schema } from "./schema.ts";
import { insertSteps, stepUpdate, updateSteps } from "./steps.ts";
import { insertTasks as insertTaskRows, lockTasks, taskInsert, taskUpdate, updateTasks } from "./tasks.ts";
import { callUpdate, insertCalls, updateCalls } from "./tool-calls.ts";

export async function insertTasks(
  client: PostgresClient,
  schema: Schema,
  records: readonly TaskRecord[],
): Promise<boolean[]> {
  // Of a task that comes twice, the first is the one.
  const first = new Map<string, number>();
  for (const [index, { task }] of records.entries()) if (!first.has(task.id)) first.set(task.id, index);
  const chosen = records.filter(({ task }, index) => first.get(task.id) === index);
  const rows = chosen.map(({ task }) => taskInsert(task));
  const steps = chosen.flatMap((record) => record.steps);
  const calls = chosen.flatMap((record) => record.calls);

  const statement = new Statement();
  statement.add(rows, (source) => insertTaskRows(schema, source));
  statement.add(steps, (source) => insertSteps(schema, source));
  statement.add(calls, (source) => insertCalls(schema, source));
  const won = await statement.run(client, "select id from won");
  return records.map(({ task }, index) => won.has(task.id) && first.get(task.id) === index);
}

export async function commitChanges(
  client: PostgresClient,
  schema: Schema,
  changes: readonly Change[],
): Promise<boolean[]> {
  assertChanges(changes);
  const lone = changes.length === 1;
  const newSteps = changes.flatMap((change) => change.newSteps);
  const changedSteps = changes.flatMap((change) => change.changedSteps.map(stepUpdate));
  const newCalls = changes.flatMap((change) => change.newCalls);
  const changedCalls = changes.flatMap((change) => change.changedCalls.map(callUpdate));

  const consumed = changes.flatMap(consumedRows);
  const posts = postRows(changes);
  const afterLocks = posts.length > 0;
  const toLock = afterLocks ? [...changes.map((change) => change.taskId), ...posts.map((post) => post.task_id)] : [];

  const statement = new Statement();
  statement.add(
    toLock.map((id) => ({ id })),
    (source) => lockTasks(schema, source),
  );
  statement.add(changes.map(taskUpdate), (source) => updateTasks(schema, source, { lone, afterLocks }));
  statement.add(newSteps, (source) => insertSteps(schema, source));
  statement.add(changedSteps, (source) => updateSteps(schema, source));
  statement.add(newCalls, (source) => insertCalls(schema, source));
  statement.add(changedCalls, (source) => updateCalls(schema, source));
  statement.add(consumed, (source) => consumeInbox(schema, source));
  statement.add(posts, (source) => insertPosts(schema, source));
  const checks = [
    ...(changedSteps.length > 0 ? ["(select count(*) from updated_steps) = (select sum(changed_steps) from won)"] : []),
    ...(changedCalls.length > 0 ? ["(select count(*) from updated_calls) = (select sum(changed_calls) from won)"] : []),
  ];
  const won = await statement.run(client, selectWon(checks));
  return changes.map((change) => won.has(change.taskId));
}

/** A row that a change names exists: where one does not, the engine has a bug, and the whole statement fails. */
function selectWon(checks: readonly string[]): string {
  if (checks.length === 0) return "select id from won";
  const complaint = "'A change names a step or a tool call that the database does not have, maybe of task '";
  return `select id from won where case when ${checks.join(" and ")} then true else (${complaint} || id)::boolean end`;
}

/** A statement in the making: its parts, and the rows that they read. */
class Statement {
  readonly #parts: string[] = [];
  readonly #parameters: string[] = [];

  /** `write` gives the part of the statement that reads `rows`, as JSON text, from the parameter that it is told. */
  add(rows: readonly object[], write: (source: string) => string): void {
    if (rows.length === 0) return;
    const number = this.#parameters.push(JSON.stringify(rows));
    this.#parts.push(write(`$${number}`));
  }

  /** Gives the ids of the tasks that were written. */
  async run(client: PostgresClient, select: string): Promise<ReadonlySet<string>> {
    if (this.#parts.length === 0) return new Set();
    const rows = await client.query<{ id: string }>(`with ${this.#parts.join(", ")} ${select}`, this.#parameters);
    return new Set(rows.map((row) => row.id));
  }
}
