// Reads whole tasks, each in one round trip and from one snapshot: steps and calls come as JSON in the task's row. A
// large task is read page by page (`../records.ts`).

import { PAGE_MAX } from "../../core/limits.ts";
import type { StepRow, TaskRecord, TaskRow, ToolCallRow } from "../../core/record/record.ts";
import type { RowFilter } from "../../core/record/row-filter.ts";
import {
  completeRecord,
  type PartOfSteps,
  type ReadPart,
  type ReadTask,
  type RecordReader,
  toListed,
} from "../records.ts";
import { LARGE_BYTES, PAGE_ROWS, TOGETHER_BYTES } from "../sizes.ts";
import type { ListPage, Reading, TaskList } from "../store.ts";
import { TASK_STEPS, TASKS, TOOL_CALLS } from "../tables.ts";
import { columnsOf, selectList } from "./columns.ts";
import type { PostgresClient } from "./connection.ts";
import { fillGaps } from "./payloads.ts";
import { writeArray } from "./row-encoding.ts";
import { filterParameters, matches } from "./row-filter.ts";
import { IN_LIST, type Schema, timestamp } from "./schema.ts";
import { searchTasks } from "./search.ts";
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
  if (page.filter) return listMatching(client, schema, page.filter, page);
  // The first page comes after a task that is later than any, so that one statement and one index serve all pages.
  const after = page.after ?? { createdAt: Number.POSITIVE_INFINITY, id: "ffffffff-ffff-ffff-ffff-ffffffffffff" };
  // The limit in the text is for the planner, which takes the other one for a tenth of all tasks.
  const rows = await client.read<PageRow>(
    selectPage(
      schema,
      `select * from (
        select * from ${schema}.tasks t where ${IN_LIST} and (created_at, id) < (${timestamp("$2::float8")}, $3::uuid)
        order by created_at desc, id desc limit ${PAGE_MAX + 1}
      ) t limit $1::integer + 1`,
    ),
    [page.limit, after.createdAt, after.id],
  );
  return toList(client, schema, rows, page);
}

/** Each found row is read separately, still under the filter (SF4). */
async function listMatching(
  client: PostgresClient,
  schema: Schema,
  filter: RowFilter,
  page: ListPage,
): Promise<TaskList> {
  const found = await searchTasks(client, schema, page);
  if (found.rows.length === 0) return { tasks: [], ...(found.next && { next: found.next }) };
  const rows = await client.read<PageRow>(
    selectPage(
      schema,
      `select t.* from (select * from unnest($2::uuid[]) as k (id) limit ${PAGE_MAX}) k
      cross join lateral (select * from ${schema}.tasks t where t.id = k.id offset 0) t
      where ${matches(schema, filter, 2)}`,
    ),
    [page.limit, writeArray(found.rows.map(({ id }) => id)), ...filterParameters(filter)],
  );
  const list = await toList(client, schema, rows, page);
  return { ...(found.next && { next: found.next }), ...list };
}

type PageRow = RecordRow & { readonly has_more: boolean };

/** The first $1 of these rows of `tasks`, in the order of lists, or fewer if they are large. */
function selectPage(schema: Schema, rows: string): string {
  return `select ${columns(schema)}, t.found > count(*) over () as has_more
    from (
      select t.*, count(*) over () as found, row_number() over (order by t.created_at desc, t.id desc) as place,
        sum(t.recorded_bytes) over (order by t.created_at desc, t.id desc) as bytes
      from (${rows}) t
    ) t where t.place <= $1::integer and (t.place = 1 or t.bytes <= ${TOGETHER_BYTES}) order by t.place`;
}

async function toList(
  client: PostgresClient,
  schema: Schema,
  rows: readonly PageRow[],
  reading: ListPage,
): Promise<TaskList> {
  const last = rows.at(-1);
  const next = last?.has_more ? { createdAt: last.created_at, id: last.id } : undefined;
  const read = rows.map(({ has_more: _hasMore, ...row }) => toRead(row));
  return { tasks: await toListed(read, recordReader(client, schema), reading), ...(next && { next }) };
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

/** How the rest is read. */
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
        where c.task_id = $1 and (c.task_step_id, c.tool_name) > ($2::uuid, $3)
        order by c.task_step_id, c.tool_name limit ${PAGE_ROWS}`,
        [id, after.task_step_id, after.tool_name],
      ),
    readPart: (id, part) => readPart(client, schema, id, part),
    fillGaps: (gaps) => fillGaps(client, schema, gaps),
  };
}

/** One statement, so one snapshot. */
async function readPart(
  client: PostgresClient,
  schema: Schema,
  id: string,
  { range, observed }: PartOfSteps,
): Promise<ReadPart> {
  const isLast = range === "last";
  const [row] = await client.read<{ count: number; steps: string; calls: string }>(
    `with counted as materialized (
      select count(*)::integer as count, max(step_index) as last from ${schema}.task_steps where task_id = $1::uuid
    ), step as materialized (
      select s.* from ${schema}.task_steps s, counted n where s.task_id = $1::uuid and (
        s.step_index between coalesce($2::integer, n.last) and coalesce($3::integer, n.last)
        or s.doubt is not null or s.status = 'RUNNING'
        or (s.status = 'PLANNED' and (s.kind <> 'tool' or s.due_at is not null)) or s.outcome_seq > $4::integer
      )
    ), call as materialized (
      select c.* from ${schema}.tool_calls c
      where c.task_id = $1::uuid and c.task_step_id in (select id from step)
    )
    select n.count,
      (select coalesce(json_agg(r), '[]')::text from (select ${selectList(columnsOf(TASK_STEPS, "s"))} from step s) r) as steps,
      (select coalesce(json_agg(r), '[]')::text from (select ${selectList(columnsOf(TOOL_CALLS, "c"))} from call c) r) as calls
    from counted n`,
    [id, isLast ? null : range.from, isLast ? null : range.to, observed],
  );
  if (!row) throw new Error("A count is one row.");
  return { count: row.count, steps: JSON.parse(row.steps) as StepRow[], calls: JSON.parse(row.calls) as ToolCallRow[] };
}
