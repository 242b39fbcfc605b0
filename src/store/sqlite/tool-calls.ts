// The table `tool_calls`. These functions run within a transaction of the connection.

import type { ToolCallRow } from "../../core/record/record.ts";
import type { CallPlace } from "../records.ts";
import { PAGE_ROWS } from "../sizes.ts";
import { TOOL_CALLS } from "../tables.ts";
import { parametersOf, type SqliteConnection } from "./connection.ts";
import { rowIsThere } from "./row-is-there.ts";
import { assignments, columnList, insertRow, insertsInto, isRow } from "./statements.ts";

const INSERTS = insertsInto(TOOL_CALLS);

const UPDATE = `update tool_calls set ${assignments(TOOL_CALLS)} where ${isRow(TOOL_CALLS)}`;

const SELECT = `
  select ${columnList(TOOL_CALLS, "c")}
  from tool_calls c join task_steps s on s.task_id = c.task_id and s.id = c.task_step_id
  where c.task_id in (select value from json_each($taskIds))
  order by c.task_id, c.created_at, s.step_index, c.id`;

const SELECT_PAGE = `
  select ${columnList(TOOL_CALLS, "c")}
  from tool_calls c where c.task_id = $taskId and (c.task_step_id, c.tool_name) > ($step, $tool)
  order by c.task_step_id, c.tool_name limit ${PAGE_ROWS}`;

const SELECT_OF_STEPS = `
  select ${columnList(TOOL_CALLS, "c")}
  from tool_calls c where c.task_id = $taskId and c.task_step_id in (select value from json_each($stepIds))`;

export function insertCall(connection: SqliteConnection, call: ToolCallRow): void {
  insertRow(connection, INSERTS, call);
}

export function updateCall(connection: SqliteConnection, call: ToolCallRow): void {
  rowIsThere("tool call", call.id, connection.prepare(UPDATE).run(parametersOf(call)));
}

/** A page of the calls of one task, by step and tool. */
export function selectCallPage(
  connection: SqliteConnection,
  taskId: string,
  { task_step_id: step, tool_name: tool }: CallPlace,
): ToolCallRow[] {
  return connection.prepare<ToolCallRow>(SELECT_PAGE).all({ taskId, step, tool });
}

/** In no order. */
export function selectCallsOf(connection: SqliteConnection, taskId: string, stepIds: readonly string[]): ToolCallRow[] {
  return connection.prepare<ToolCallRow>(SELECT_OF_STEPS).all({ taskId, stepIds: JSON.stringify(stepIds) });
}

/** The calls of each task by created_at, then by the step_index of their step. */
export function selectCalls(connection: SqliteConnection, taskIds: readonly string[]): Map<string, ToolCallRow[]> {
  const rows = connection.prepare<ToolCallRow>(SELECT).all({ taskIds: JSON.stringify(taskIds) });
  return Map.groupBy(rows, (call) => call.task_id);
}
