// The table `task_steps`. These functions run within a transaction of the connection.

import type { StepRow } from "../../core/record.ts";
import type { SqliteConnection } from "./connection.ts";
import { rowIsThere } from "./row-is-there.ts";

const INSERT = `
  insert into task_steps (
    task_id, id, step_index, path, kind, step_name, target, status,
    input_payload, output_payload, error, outcome_seq, observed_at, due_at, attempt_epoch,
    created_at, updated_at
  ) values (
    $task_id, $id, $step_index, $path, $kind, $step_name, $target, $status,
    $input_payload, $output_payload, $error, $outcome_seq, $observed_at, $due_at, $attempt_epoch,
    $created_at, $updated_at
  )`;

const UPDATE = `
  update task_steps set
    status = $status, output_payload = $output_payload, error = $error,
    outcome_seq = $outcome_seq, observed_at = $observed_at, due_at = $due_at,
    attempt_epoch = $attempt_epoch, updated_at = $updated_at
  where task_id = $task_id and id = $id`;

const SELECT = `
  select
    id, task_id, step_index, path, kind, step_name, target, status,
    input_payload, output_payload, error, outcome_seq, observed_at, due_at, attempt_epoch, created_at, updated_at
  from task_steps where task_id in (select value from json_each($taskIds)) order by task_id, step_index`;

export function insertStep(connection: SqliteConnection, step: StepRow): void {
  connection.prepare(INSERT).run({ ...step });
}

export function updateStep(connection: SqliteConnection, step: StepRow): void {
  rowIsThere("step", step.id, connection.prepare(UPDATE).run({ ...step }));
}

/** By task, then by step_index. */
export function selectSteps(connection: SqliteConnection, taskIds: readonly string[]): StepRow[] {
  return connection.prepare<StepRow>(SELECT).all({ taskIds: JSON.stringify(taskIds) });
}
