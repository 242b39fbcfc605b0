// The table `task_steps`: parts of the statements in `commit.ts` and `read.ts`.

import type { StepRow } from "../../core/record.ts";
import { milliseconds, type Schema, timestamp } from "./schema.ts";

/** The steps in the JSON text of parameter `source`, of the tasks in `won`. */
export function insertSteps(schema: Schema, source: string): string {
  return `inserted_steps as (
    insert into ${schema}.task_steps (
      task_id, id, step_index, path, kind, step_name, target, status,
      input_payload, output_payload, error, outcome_seq, observed_at, due_at, attempt_epoch,
      created_at, updated_at
    )
    select
      s.task_id, s.id, s.step_index, s.path, s.kind, s.step_name, s.target, s.status,
      s.input_payload::json, s.output_payload::json, s.error::json, s.outcome_seq,
      ${timestamp("s.observed_at")}, ${timestamp("s.due_at")}, s.attempt_epoch, ${timestamp("s.created_at")}, ${timestamp("s.updated_at")}
    from json_to_recordset(${source}::text::json) as s (
      task_id uuid, id uuid, step_index integer, path text, kind text, step_name text, target text, status text,
      input_payload text, output_payload text, error text, outcome_seq integer,
      observed_at float8, due_at float8, attempt_epoch integer, created_at float8, updated_at float8
    )
    join won on won.id = s.task_id
  )`;
}

/** The changes of steps in the JSON text of parameter `source`, of the tasks in `won`. */
export function updateSteps(schema: Schema, source: string): string {
  return `updated_steps as (
    update ${schema}.task_steps t set
      status = s.status, output_payload = s.output_payload::json, error = s.error::json, outcome_seq = s.outcome_seq,
      observed_at = ${timestamp("s.observed_at")}, due_at = ${timestamp("s.due_at")},
      attempt_epoch = s.attempt_epoch, updated_at = ${timestamp("s.updated_at")}
    from json_to_recordset(${source}::text::json) as s (
      task_id uuid, id uuid, status text, output_payload text, error text, outcome_seq integer,
      observed_at float8, due_at float8, attempt_epoch integer, updated_at float8
    )
    join won on won.id = s.task_id
    where t.task_id = s.task_id and t.id = s.id
    returning 1
  )`;
}

/** A row of `source` in `updateSteps`. */
export function stepUpdate(step: StepRow): object {
  const { task_id, id, status, output_payload, error, outcome_seq, observed_at, due_at, attempt_epoch, updated_at } =
    step;
  return { task_id, id, status, output_payload, error, outcome_seq, observed_at, due_at, attempt_epoch, updated_at };
}

/** The steps of task `taskId` as the text of a JSON array of StepRows, by step_index; null where there are none. */
export function selectSteps(schema: Schema, taskId: string): string {
  return `(
    select json_agg(s)::text from (
      select
        id, task_id, step_index, path, kind, step_name, target, status,
        input_payload::text, output_payload::text, error::text, outcome_seq,
        ${milliseconds("observed_at")} as observed_at, ${milliseconds("due_at")} as due_at, attempt_epoch, ${milliseconds("created_at")} as created_at,
        ${milliseconds("updated_at")} as updated_at
      from ${schema}.task_steps where task_id = ${taskId} order by step_index
    ) s
  )`;
}
