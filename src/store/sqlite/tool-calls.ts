// The table `tool_calls`. These functions run within a transaction of the connection.

import type { ToolCallRow } from "../../core/record/record.ts";
import { PAGE_ROWS } from "../sizes.ts";
import { parametersOf, type SqliteConnection } from "./connection.ts";
import { rowIsThere } from "./row-is-there.ts";

const INSERT = `
  insert into tool_calls (
    task_id, id, task_step_id, idempotency_key, tool_name, status, retry_count, attempt_epoch, last_error,
    request_payload, response_payload, error, started_at, finished_at, created_at
  ) values (
    $task_id, $id, $task_step_id, $idempotency_key, $tool_name, $status, $retry_count, $attempt_epoch, $last_error,
    $request_payload, $response_payload, $error, $started_at, $finished_at, $created_at
  )`;

/** Of a call whose first attempt succeeded; nearly all are. What is left out has its default: each column has its price. */
const INSERT_PLAIN = `
  insert into tool_calls (
    task_id, id, task_step_id, idempotency_key, tool_name, status, request_payload, response_payload,
    started_at, finished_at, created_at
  ) values (
    $task_id, $id, $task_step_id, $idempotency_key, $tool_name, $status, $request_payload, $response_payload,
    $started_at, $finished_at, $created_at
  )`;

const UPDATE = `
  update tool_calls set
    status = $status, retry_count = $retry_count, attempt_epoch = $attempt_epoch, last_error = $last_error, response_payload = $response_payload,
    error = $error, started_at = $started_at, finished_at = $finished_at
  where task_id = $task_id and idempotency_key = $idempotency_key`;

/** Of a whole row, in every statement that gives one. */
const COLUMNS = `
  c.id, c.task_id, c.task_step_id, c.idempotency_key, c.tool_name, c.status, c.retry_count, c.attempt_epoch, c.last_error,
  c.request_payload, c.response_payload, c.error, c.started_at, c.finished_at, c.created_at`;

const SELECT = `
  select ${COLUMNS}
  from tool_calls c join task_steps s on s.task_id = c.task_id and s.id = c.task_step_id
  where c.task_id in (select value from json_each($taskIds))
  order by c.task_id, c.created_at, s.step_index, c.id`;

const SELECT_PAGE = `
  select ${COLUMNS}
  from tool_calls c where c.task_id = $taskId and c.idempotency_key > $after
  order by c.idempotency_key limit ${PAGE_ROWS}`;

export function insertCall(connection: SqliteConnection, call: ToolCallRow): void {
  connection.prepare(isPlain(call) ? INSERT_PLAIN : INSERT).run(parametersOf(call));
}

function isPlain({ retry_count, attempt_epoch, last_error, error }: ToolCallRow): boolean {
  return retry_count === 0 && attempt_epoch === 0 && last_error === null && error === null;
}

export function updateCall(connection: SqliteConnection, call: ToolCallRow): void {
  rowIsThere("tool call", call.id, connection.prepare(UPDATE).run(parametersOf(call)));
}

/** A page of the calls of one task, by idempotency_key. */
export function selectCallPage(connection: SqliteConnection, taskId: string, after: string): ToolCallRow[] {
  return connection.prepare<ToolCallRow>(SELECT_PAGE).all({ taskId, after });
}

/** The calls of each task by created_at, then by the step_index of their step. */
export function selectCalls(connection: SqliteConnection, taskIds: readonly string[]): Map<string, ToolCallRow[]> {
  const rows = connection.prepare<ToolCallRow>(SELECT).all({ taskIds: JSON.stringify(taskIds) });
  return Map.groupBy(rows, (call) => call.task_id);
}
