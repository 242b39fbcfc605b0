// Whole tasks, each read in one round trip and from one snapshot: steps and calls come as JSON in the task's row.

import { PAGE_MAX } from "../../core/limits.ts";
import type { StepRow, TaskRecord, TaskRow, ToolCallRow } from "../../core/record.ts";
import type { ListPage } from "../store.ts";
import type { PostgresClient } from "./connection.ts";
import { selectList } from "./columns.ts";
import { type Schema, timestamp } from "./schema.ts";
import { selectSteps } from "./steps.ts";
import { taskColumns } from "./tasks.ts";
import { selectCalls } from "./tool-calls.ts";

type RecordRow = TaskRow & {
  readonly steps: string | null;
  readonly calls: string | null;
};

export async function readTask(client: PostgresClient, schema: Schema, id: string): Promise<TaskRecord | undefined> {
  const [row] = await client.query<RecordRow>(`select ${columns(schema)} from ${schema}.tasks t where t.id = $1`, [id]);
  return row && toRecord(row);
}

/** Newest first: created_at falling, then id falling. */
export async function listTasks(client: PostgresClient, schema: Schema, page: ListPage): Promise<TaskRecord[]> {
  // The first page comes after a task that is later than any, so that one statement, and one index, serve all pages.
  const after = page.after ?? { createdAt: Number.POSITIVE_INFINITY, id: "ffffffff-ffff-ffff-ffff-ffffffffffff" };
  // The limit that stands in the text is for the planner, who takes the other one for a tenth of all tasks.
  const rows = await client.query<RecordRow>(
    `select ${columns(schema)} from (
      select * from (
        select * from ${schema}.tasks where (created_at, id) < (${timestamp("$1::float8")}, $2::uuid)
        order by created_at desc, id desc limit ${PAGE_MAX + 1}
      ) t limit $3
    ) t order by t.created_at desc, t.id desc`,
    [after.createdAt, after.id, page.limit],
  );
  return rows.map(toRecord);
}

function columns(schema: Schema): string {
  return `${selectList(taskColumns("t"))}, ${selectSteps(schema, "t.id")} as steps, ${selectCalls(schema, "t.id")} as calls`;
}

function toRecord({ steps, calls, ...task }: RecordRow): TaskRecord {
  return {
    task,
    steps: steps === null ? [] : (JSON.parse(steps) as StepRow[]),
    calls: calls === null ? [] : (JSON.parse(calls) as ToolCallRow[]),
  };
}
