// The two writes of a driver, each one statement over all three tables. How rows go in: `row-encoding.ts`. A table
// without rows is left out of the statement, so there are only a few texts, each prepared once for each connection.

import type { StepRow, ToolCallRow } from "../../core/record/record.ts";
import { assertChanges, assertRecords } from "../assert-changes.ts";
import { KeptApart } from "../payloads.ts";
import { storableTask } from "../storable-text.ts";
import type { Change, NewRecord } from "../store.ts";
import { TASK_INBOX, TASK_STEPS, TASKS, TOOL_CALLS } from "../tables.ts";
import { auditInserts, entriesOf } from "./audit.ts";
import { asJson, byColumns } from "./row-encoding.ts";
import type { PostgresClient } from "./connection.ts";
import { countChanged, countInserted } from "./counts.ts";
import { noteEvents } from "./events.ts";
import { consumedRows, consumeInbox, insertPosts, postRows } from "./inbox.ts";
import { payloadInserts, toPayloadInserts } from "./payloads.ts";
import type { Schema } from "./schema.ts";
import { Statement } from "./statement.ts";
import { stepInserts, stepUpdates } from "./steps.ts";
import { tagRowsOf } from "../tag-rows.ts";
import { tagRemovals, tagUpserts, toRetagged } from "./tags.ts";
import { CHANGED, lockRows, lockUnleased, taskInserts, toTaskChange, updateTasks } from "./tasks.ts";
import { callInserts, callUpdates } from "./tool-calls.ts";

export async function insertTasks(
  client: PostgresClient,
  schema: Schema,
  records: readonly NewRecord[],
): Promise<boolean[]> {
  // If a task comes twice, the first one counts.
  const first = new Map<string, number>();
  for (const [index, { task }] of records.entries()) if (!first.has(task.id)) first.set(task.id, index);
  const chosen = records.filter(({ task }, index) => first.get(task.id) === index);
  const statement = new Statement(schema, records.length === 1 ? asJson : byColumns);
  addRecords(statement, chosen);
  const won = await run(statement, client);
  return records.map(({ task }, index) => won.has(task.id) && first.get(task.id) === index);
}

/** New tasks with all their rows; no two have the same id. `condition`: about the row `t` of a task. */
export function addRecords(statement: Statement, records: readonly NewRecord[], condition?: string): void {
  assertRecords(records);
  const apart = new KeptApart();
  const tasks = records.map(({ task }) => apart.row(task, task.id, TASKS.payloads));
  const steps = records
    .flatMap((record) => record.steps)
    .map((step) => apart.row(step, step.task_id, TASK_STEPS.payloads));
  const calls = records
    .flatMap((record) => record.calls)
    .map((call) => apart.row(call, call.task_id, TOOL_CALLS.payloads));
  statement.add(tasks.map(storableTask), taskInserts(condition));
  if (tasks.length > 0) {
    statement.addFixed(countInserted(statement.schema));
    statement.addFixed(noteEvents(statement.schema, "created", "won"));
  }
  statement.add(steps, stepInserts);
  statement.add(calls, callInserts);
  statement.add(
    records.flatMap(({ task }) => tagRowsOf(task)),
    tagUpserts,
  );
  statement.add(toPayloadInserts(apart.take()), payloadInserts);
  statement.add(
    entriesOf(records, ({ task }) => task.id),
    auditInserts,
  );
}

export async function commitChanges(
  client: PostgresClient,
  schema: Schema,
  changes: readonly Change[],
): Promise<boolean[]> {
  assertChanges(changes);
  const lone = changes.length === 1;
  const apart = new KeptApart();
  const tasks = changes.map((change) =>
    toTaskChange(change, apart.row(change.task, change.taskId, TASKS.changedPayloads)),
  );
  const without =
    (columns: readonly string[]) =>
    <Row extends StepRow | ToolCallRow>(row: Row): Row =>
      apart.row(row, row.task_id, columns);
  const newSteps = changes.flatMap((change) => change.newSteps).map(without(TASK_STEPS.payloads));
  const changedSteps = changes.flatMap((change) => change.changedSteps).map(without(TASK_STEPS.changedPayloads));
  const newCalls = changes.flatMap((change) => change.newCalls).map(without(TOOL_CALLS.payloads));
  const changedCalls = changes.flatMap((change) => change.changedCalls).map(without(TOOL_CALLS.changedPayloads));
  const payloads = toPayloadInserts(apart.take());

  const consumed = changes.flatMap(consumedRows);
  const posts = postRows(changes).map((post) => {
    const row = apart.row(post, post.task_id, TASK_INBOX.payloads);
    payloads.push(...toPayloadInserts(apart.take(), post.from_id));
    return row;
  });
  const unleased = changes.filter(({ expectedOwner }) => expectedOwner === null);
  const written = [...changes.map(({ taskId }) => taskId), ...posts.map(({ task_id }) => task_id)];
  const locks = { unleased: unleased.length > 0, rows: posts.length > 0 };

  const statement = new Statement(schema, lone ? asJson : byColumns);
  statement.add(
    unleased.map(({ taskId }) => ({ id: taskId })),
    { fields: ID, read: lockUnleased },
  );
  statement.add(locks.rows ? written.map((id) => ({ id })) : [], {
    fields: ID,
    read: (_, rows) => lockRows(schema, rows, locks),
  });
  statement.add(tasks, {
    fields: CHANGED,
    read: (_, rows) => updateTasks(schema, rows, { lone, after: locks }),
  });
  if (changes.some(({ task, fromStatus }) => task.status !== fromStatus)) statement.addFixed(countChanged(schema));
  if (changes.length > 0) statement.addFixed(noteEvents(schema, "changed", "won"));
  statement.add(newSteps, stepInserts);
  statement.add(changedSteps, stepUpdates);
  statement.add(newCalls, callInserts);
  statement.add(changedCalls, callUpdates);
  statement.add(
    changes.flatMap(({ retags, task }) => (retags ? tagRowsOf(task) : [])),
    tagUpserts,
  );
  statement.add(
    changes.flatMap(({ retags, task }) => (retags ? toRetagged(task) : [])),
    tagRemovals,
  );
  statement.add(consumed, consumeInbox);
  statement.add(posts, insertPosts);
  statement.add(payloads, payloadInserts);
  statement.add(
    entriesOf(changes, ({ taskId }) => taskId),
    auditInserts,
  );
  const checks = [
    ...(changedSteps.length > 0 ? ["(select count(*) from updated_steps) = sum(changed_steps)"] : []),
    ...(changedCalls.length > 0 ? ["(select count(*) from updated_calls) = sum(changed_calls)"] : []),
  ];
  const won = await run(statement, client, checks);
  return changes.map((change) => won.has(change.taskId));
}

const ID = { id: "uuid" } as const;

/** Returns the ids of the tasks that were written. */
async function run(
  statement: Statement,
  client: PostgresClient,
  checks: readonly string[] = [],
): Promise<ReadonlySet<string>> {
  const [row] = await statement.run<{ ids: string | null }>(client, selectWon(checks));
  return new Set(row?.ids?.split(","));
}

/**
 * A row that a change names exists: if one does not, the engine has a bug, and the whole statement fails. One text with
 * all ids takes a fraction of the client's time of as many rows.
 */
function selectWon(checks: readonly string[]): string {
  const ids = "string_agg(id::text, ',')";
  const select = `select ${ids} as ids from won`;
  if (checks.length === 0) return select;
  const complaint = "'A change names a step or a tool call that the database does not have, maybe of task '";
  return `${select} having case when count(*) = 0 or (${checks.join(" and ")}) then true else (${complaint} || min(id::text))::boolean end`;
}
