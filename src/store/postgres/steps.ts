// The table `task_steps`: parts of the statements in `commit.ts` and `read.ts`.

import type { StepRow } from "../../core/record/record.ts";
import { type Columns, selectList } from "./columns.ts";
import { assignments, columnList, type Fields, type FieldType, type Part, isWon } from "./fields.ts";
import { milliseconds, type Schema } from "./schema.ts";

const INSERTED = {
  task_id: "uuid",
  id: "uuid",
  step_index: "integer",
  path: "text",
  kind: "text",
  step_name: "text",
  target: "text",
  execution: "text",
  status: "text",
  input_payload: "json",
  output_payload: "json",
  error: "json",
  outcome_seq: "integer",
  observed_at: "time",
  due_at: "time",
  attempt_epoch: "integer",
  starts: "integer",
  doubt: "json",
  created_at: "time",
  updated_at: "time",
} as const satisfies Record<keyof StepRow, FieldType>;

const UPDATED: Fields<StepRow> = {
  task_id: "uuid",
  id: "uuid",
  status: "text",
  output_payload: "json",
  error: "json",
  outcome_seq: "integer",
  observed_at: "time",
  due_at: "time",
  attempt_epoch: "integer",
  starts: "integer",
  doubt: "json",
  updated_at: "time",
};

/** Steps of the tasks in `won`. */
export const stepInserts: Part<StepRow> = {
  fields: INSERTED,
  read: (schema, rows) => `inserted_steps as (
    insert into ${schema}.task_steps (${columnList(INSERTED)})
    select ${columnList(INSERTED, "s")} from ${rows("s")}
    where ${isWon("s.task_id")}
  )`,
};

/** Changes of steps of the tasks in `won`. */
export const stepUpdates: Part<StepRow> = {
  fields: UPDATED,
  read: (schema, rows) => `updated_steps as (
    update ${schema}.task_steps t set ${assignments(UPDATED, "s", ["task_id", "id"])}
    from ${rows("s")}
    where ${isWon("s.task_id")} and t.task_id = s.task_id and t.id = s.id
    returning 1
  )`,
};

/** The steps of task `taskId` as the text of a JSON array of StepRows, by step_index; null where there are none. */
export function selectSteps(schema: Schema, taskId: string): string {
  return `(
    select json_agg(s)::text from (
      select ${selectList(stepColumns("s"))} from ${schema}.task_steps s where s.task_id = ${taskId} order by s.step_index
    ) s
  )`;
}

/** Of a row `s` of the table. */
export function stepColumns(s: string): Columns<StepRow> {
  return {
    id: `${s}.id`,
    task_id: `${s}.task_id`,
    step_index: `${s}.step_index`,
    path: `${s}.path`,
    kind: `${s}.kind`,
    step_name: `${s}.step_name`,
    target: `${s}.target`,
    execution: `${s}.execution`,
    status: `${s}.status`,
    input_payload: `${s}.input_payload::text`,
    output_payload: `${s}.output_payload::text`,
    error: `${s}.error::text`,
    outcome_seq: `${s}.outcome_seq`,
    observed_at: milliseconds(`${s}.observed_at`),
    due_at: milliseconds(`${s}.due_at`),
    attempt_epoch: `${s}.attempt_epoch`,
    starts: `${s}.starts`,
    doubt: `${s}.doubt::text`,
    created_at: milliseconds(`${s}.created_at`),
    updated_at: milliseconds(`${s}.updated_at`),
  };
}
