// The table `task_steps`: parts of the statements in `commit.ts` and `read.ts`.

import type { StepRow } from "../../core/record/record.ts";
import { TASK_STEPS } from "../tables.ts";
import { columnsOf, selectList } from "./columns.ts";
import { assignments, changeFieldsOf, columnList, fieldsOf, isWon, type Part } from "./fields.ts";
import type { Schema } from "./schema.ts";

/** Steps of the tasks in `won`. */
export const stepInserts: Part<StepRow> = {
  fields: fieldsOf(TASK_STEPS),
  read: (schema, rows) => `inserted_steps as (
    insert into ${schema}.task_steps (${columnList(TASK_STEPS)})
    select ${columnList(TASK_STEPS, "s")} from ${rows("s")}
    where ${isWon("s.task_id")}
  )`,
};

/** Changes of steps of the tasks in `won`. */
export const stepUpdates: Part<StepRow> = {
  fields: changeFieldsOf(TASK_STEPS),
  read: (schema, rows) => `updated_steps as (
    update ${schema}.task_steps t set ${assignments(TASK_STEPS, "s")}
    from ${rows("s")}
    where ${isWon("s.task_id")} and t.task_id = s.task_id and t.id = s.id
    returning 1
  )`,
};

/** The steps of task `taskId` as the text of a JSON array of StepRows, by step_index; null if there are none. */
export function selectSteps(schema: Schema, taskId: string): string {
  return `(
    select json_agg(s)::text from (
      select ${selectList(columnsOf(TASK_STEPS, "s"))} from ${schema}.task_steps s where s.task_id = ${taskId} order by s.step_index
    ) s
  )`;
}
