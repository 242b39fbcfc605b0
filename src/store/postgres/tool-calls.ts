// The table `tool_calls`: parts of the statements in `commit.ts` and `read.ts`.

import type { ToolCallRow } from "../../core/record/record.ts";
import { TOOL_CALLS } from "../tables.ts";
import { columnsOf, selectList } from "./columns.ts";
import { assignments, changeFieldsOf, columnList, fieldsOf, isWon, type Part } from "./fields.ts";
import type { Schema } from "./schema.ts";

/** Calls of the tasks in `won`. */
export const callInserts: Part<ToolCallRow> = {
  fields: fieldsOf(TOOL_CALLS),
  read: (schema, rows) => `inserted_calls as (
    insert into ${schema}.tool_calls (${columnList(TOOL_CALLS)})
    select ${columnList(TOOL_CALLS, "c")} from ${rows("c")}
    where ${isWon("c.task_id")}
  )`,
};

/** Changes of calls of the tasks in `won`. */
export const callUpdates: Part<ToolCallRow> = {
  fields: changeFieldsOf(TOOL_CALLS),
  read: (schema, rows) => `updated_calls as (
    update ${schema}.tool_calls t set ${assignments(TOOL_CALLS, "c")}
    from ${rows("c")}
    where ${isWon("c.task_id")}
      and t.task_id = c.task_id and t.task_step_id = c.task_step_id and t.tool_name = c.tool_name
    returning 1
  )`,
};

/**
 * The calls of task `taskId` as the text of a JSON array of ToolCallRows, by created_at and then by the step_index of
 * their step; null if there are none.
 */
export function selectCalls(schema: Schema, taskId: string): string {
  return `(
    select json_agg(c)::text from (
      select ${selectList(columnsOf(TOOL_CALLS, "c"))}
      from ${schema}.tool_calls c join ${schema}.task_steps s on s.task_id = c.task_id and s.id = c.task_step_id
      where c.task_id = ${taskId} order by c.created_at, s.step_index, c.id
    ) c
  )`;
}
