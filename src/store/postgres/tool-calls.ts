// The table `tool_calls`: parts of the statements in `commit.ts` and `read.ts`.

import type { ToolCallRow } from "../../core/record/record.ts";
import { type Columns, selectList } from "./columns.ts";
import { assignments, columnList, type Fields, type FieldType, type Part, isWon } from "./fields.ts";
import { milliseconds, type Schema } from "./schema.ts";

const INSERTED = {
  task_id: "uuid",
  id: "uuid",
  task_step_id: "uuid",
  idempotency_key: "text",
  tool_name: "text",
  status: "text",
  retry_count: "integer",
  attempt_epoch: "integer",
  last_error: "json",
  request_payload: "json",
  response_payload: "json",
  error: "json",
  started_at: "time",
  finished_at: "time",
  created_at: "time",
} as const satisfies Record<keyof ToolCallRow, FieldType>;

const UPDATED: Fields<ToolCallRow> = {
  task_id: "uuid",
  idempotency_key: "text",
  status: "text",
  retry_count: "integer",
  attempt_epoch: "integer",
  last_error: "json",
  response_payload: "json",
  error: "json",
  started_at: "time",
  finished_at: "time",
};

/** Calls of the tasks in `won`. */
export const callInserts: Part<ToolCallRow> = {
  fields: INSERTED,
  read: (schema, rows) => `inserted_calls as (
    insert into ${schema}.tool_calls (${columnList(INSERTED)})
    select ${columnList(INSERTED, "c")} from ${rows("c")}
    where ${isWon("c.task_id")}
  )`,
};

/** Changes of calls of the tasks in `won`. */
export const callUpdates: Part<ToolCallRow> = {
  fields: UPDATED,
  read: (schema, rows) => `updated_calls as (
    update ${schema}.tool_calls t set ${assignments(UPDATED, "c", ["task_id", "idempotency_key"])}
    from ${rows("c")}
    where ${isWon("c.task_id")} and t.task_id = c.task_id and t.idempotency_key = c.idempotency_key
    returning 1
  )`,
};

/**
 * The calls of task `taskId` as the text of a JSON array of ToolCallRows, by created_at and then by the step_index of
 * their step; null where there are none.
 */
export function selectCalls(schema: Schema, taskId: string): string {
  return `(
    select json_agg(c)::text from (
      select ${selectList(callColumns("c"))}
      from ${schema}.tool_calls c join ${schema}.task_steps s on s.task_id = c.task_id and s.id = c.task_step_id
      where c.task_id = ${taskId} order by c.created_at, s.step_index, c.id
    ) c
  )`;
}

/** Of a row `c` of the table. */
export function callColumns(c: string): Columns<ToolCallRow> {
  return {
    id: `${c}.id`,
    task_id: `${c}.task_id`,
    task_step_id: `${c}.task_step_id`,
    idempotency_key: `${c}.idempotency_key`,
    tool_name: `${c}.tool_name`,
    status: `${c}.status`,
    retry_count: `${c}.retry_count`,
    attempt_epoch: `${c}.attempt_epoch`,
    last_error: `${c}.last_error::text`,
    request_payload: `${c}.request_payload::text`,
    response_payload: `${c}.response_payload::text`,
    error: `${c}.error::text`,
    started_at: milliseconds(`${c}.started_at`),
    finished_at: milliseconds(`${c}.finished_at`),
    created_at: milliseconds(`${c}.created_at`),
  };
}
