// The table `tool_calls`: parts of the statements in `commit.ts` and `read.ts`.

import type { ToolCallRow } from "../../core/record.ts";
import { milliseconds, type Schema, timestamp } from "./schema.ts";

/** The calls in the JSON text of parameter `source`, of the tasks in `won`. */
export function insertCalls(schema: Schema, source: string): string {
  return `inserted_calls as (
    insert into ${schema}.tool_calls (
      task_id, id, task_step_id, idempotency_key, tool_name, status, retry_count, attempt_epoch, last_error,
      request_payload, response_payload, error, started_at, finished_at, created_at
    )
    select
      c.task_id, c.id, c.task_step_id, c.idempotency_key, c.tool_name, c.status, c.retry_count, c.attempt_epoch, c.last_error::json,
      c.request_payload::json, c.response_payload::json, c.error::json,
      ${timestamp("c.started_at")}, ${timestamp("c.finished_at")}, ${timestamp("c.created_at")}
    from json_to_recordset(${source}::text::json) as c (
      task_id uuid, id uuid, task_step_id uuid, idempotency_key text, tool_name text, status text,
      retry_count integer, attempt_epoch integer, last_error text, request_payload text, response_payload text, error text,
      started_at float8, finished_at float8, created_at float8
    )
    join won on won.id = c.task_id
  )`;
}

/** The changes of calls in the JSON text of parameter `source`, of the tasks in `won`. */
export function updateCalls(schema: Schema, source: string): string {
  return `updated_calls as (
    update ${schema}.tool_calls t set
      status = c.status, retry_count = c.retry_count, attempt_epoch = c.attempt_epoch, last_error = c.last_error::json,
      response_payload = c.response_payload::json, error = c.error::json,
      started_at = ${timestamp("c.started_at")}, finished_at = ${timestamp("c.finished_at")}
    from json_to_recordset(${source}::text::json) as c (
      task_id uuid, idempotency_key text, status text, retry_count integer, attempt_epoch integer, last_error text,
      response_payload text, error text, started_at float8, finished_at float8
    )
    join won on won.id = c.task_id
    where t.task_id = c.task_id and t.idempotency_key = c.idempotency_key
    returning 1
  )`;
}

/** A row of `source` in `updateCalls`. */
export function callUpdate(call: ToolCallRow): object {
  const { task_id, idempotency_key, status, retry_count, attempt_epoch, last_error, response_payload, error } = call;
  const { started_at, finished_at } = call;
  return {
    task_id,
    idempotency_key,
    status,
    retry_count,
    attempt_epoch,
    last_error,
    response_payload,
    error,
    started_at,
    finished_at,
  };
}

/**
 * The calls of task `taskId` as the text of a JSON array of ToolCallRows, by created_at and then by the step_index of
 * their step; null where there are none.
 */
export function selectCalls(schema: Schema, taskId: string): string {
  return `(
    select json_agg(c)::text from (
      select
        c.id, c.task_id, c.task_step_id, c.idempotency_key, c.tool_name, c.status, c.retry_count, c.attempt_epoch,
        c.last_error::text, c.request_payload::text, c.response_payload::text, c.error::text,
        ${milliseconds("c.started_at")} as started_at, ${milliseconds("c.finished_at")} as finished_at,
        ${milliseconds("c.created_at")} as created_at
      from ${schema}.tool_calls c join ${schema}.task_steps s on s.task_id = c.task_id and s.id = c.task_step_id
      where c.task_id = ${taskId} order by c.created_at, s.step_index, c.id
    ) c
  )`;
}
