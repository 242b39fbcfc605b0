// Whole tasks, each read in one round trip and from one snapshot: steps and calls come as JSON in the task's row. A large
// task is read page by page (`../records.ts`).

import { PAGE_MAX } from "../../core/limits.ts";
import type { StepRow, TaskRecord, TaskRow, ToolCallRow } from "../../core/record/record.ts";
import { completeRecord, type ReadTask, type RecordReader, toListed } from "../records.ts";
import { LARGE_BYTES, PAGE_ROWS, TOGETHER_BYTES } from "../sizes.ts";
import type { ListPage, Reading, TaskList } from "../store.ts";
import { TASK_STEPS, TASKS, TOOL_CALLS } from "../tables.ts";
import { columnsOf, selectList } from "./columns.ts";
import type { PostgresClient } from "./connection.ts";
import { fillGaps } from "./payloads.ts";
import { type Schema, timestamp } from "./schema.ts";
import { selectSteps } from "./steps.ts";
import { selectCalls } from "./tool-calls.ts";

type RecordRow = TaskRow & {
  readonly steps: string | null;
  readonly calls: string | null;
};

export async function readTask(
  client: PostgresClient,
  schema: Schema,
  id: string,
  reading?: Reading,
): Promise<TaskRecord | undefined> {
  const [row] = await client.read<RecordRow>(`select ${columns(schema)} from ${schema}.tasks t where t.id = $1`, [id]);
  return row && completeRecord(toRead(row), recordReader(client, schema), reading);
}

export async function readTaskRow(client: PostgresClient, schema: Schema, id: string): Promise<TaskRow | undefined> {
  const [row] = await client.read<TaskRow>(
    `select ${selectList(columnsOf(TASKS, "t"))} from ${schema}.tasks t where t.id = $1`,
    [id],
  );
  return row;
}

/** See `Store.listTasks`. */
export async function listTasks(client: PostgresClient, schema: Schema, page: ListPage): Promise<TaskList> {
  // The first page comes after a task that is later than any, so that one statement, and one index, serve all pages.
  const after = page.after ?? { createdAt: Number.POSITIVE_INFINITY, id: "ffffffff-ffff-ffff-ffff-ffffffffffff" };
  // The limit that stands in the text is for the planner, who takes the other one for a tenth of all tasks.
  const rows = await client.read<RecordRow & { readonly has_more: boolean }>(
    `select ${columns(schema)}, t.found > count(*) over () as has_more
    from (
      select t.*, count(*) over () as found, row_number() over (order by t.created_at desc, t.id desc) as place,
        sum(t.recorded_bytes) over (order by t.created_at desc, t.id desc) as bytes
      from (
        select * from (
          select * from ${schema}.tasks where (created_at, id) < (${timestamp("$1::float8")}, $2::uuid)
          order by created_at desc, id desc limit ${PAGE_MAX + 1}
        ) t limit $3::integer + 1
      ) t
    ) t where t.place <= $3::integer and (t.place = 1 or t.bytes <= ${TOGETHER_BYTES}) order by t.place`,
    [after.createdAt, after.id, page.limit],
  );
  const last = rows.at(-1);
  const next = last?.has_more ? { createdAt: last.created_at, id: last.id } : undefined;
  const read = rows.map(({ has_more: _hasMore, ...row }) => toRead(row));
  return { tasks: await toListed(read, recordReader(client, schema), page), ...(next && { next }) };
}

function columns(schema: Schema): string {
  const isSmall = `t.recorded_bytes <= ${LARGE_BYTES}`;
  return `${selectList(columnsOf(TASKS, "t"))},
    case when ${isSmall} then ${selectSteps(schema, "t.id")} end as steps,
    case when ${isSmall} then ${selectCalls(schema, "t.id")} end as calls`;
}

function toRead({ steps, calls, ...task }: RecordRow): ReadTask {
  const record = {
    task,
    steps: steps === null ? [] : (JSON.parse(steps) as StepRow[]),
    calls: calls === null ? [] : (JSON.parse(calls) as ToolCallRow[]),
  };
  return { record, isBare: task.recorded_bytes > LARGE_BYTES };
}

/** How what is left is read. */
export function recordReader(client: PostgresClient, schema: Schema): RecordReader {
  return {
    location: client.location,
    readRow: (id) => readTaskRow(client, schema, id),
    readSteps: (id, after) =>
      client.read<StepRow>(
        `select ${selectList(columnsOf(TASK_STEPS, "s"))} from ${schema}.task_steps s
        where s.task_id = $1 and s.id > $2::uuid order by s.id limit ${PAGE_ROWS}`,
        [id, after],
      ),
    readCalls: (id, after) =>
      client.read<ToolCallRow>(
        `select ${selectList(columnsOf(TOOL_CALLS, "c"))} from ${schema}.tool_calls c
        where c.task_id = $1 and c.idempotency_key > $2 order by c.idempotency_key limit ${PAGE_ROWS}`,
        [id, after],
      ),
    fillGaps: (gaps) => fillGaps(client, schema, gaps),
  };
}
