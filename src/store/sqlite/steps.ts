// The table `task_steps`. These functions run within a transaction of the connection.

import type { StepRow } from "../../core/record.ts";
import { parametersOf, type SqliteConnection } from "./connection.ts";
import { rowIsThere } from "./row-is-there.ts";

const INSERT = `
  insert into task_steps (
    task_id, id, step_index, path, kind, step_name, target, status,
    input_payload, output_payload, error, outcome_seq, observed_at, due_at, attempt_epoch,
    starts, doubt, created_at, updated_at
  ) values (
    $task_id, $id, $step_index, $path, $kind, $step_name, $target, $status,
    $input_payload, $output_payload, $error, $outcome_seq, $observed_at, $due_at, $attempt_epoch,
    $starts, $doubt, $created_at, $updated_at
  )`;

const UPDATE = `
  update task_steps set
    status = $status, output_payload = $output_payload, error = $error,
    outcome_seq = $outcome_seq, observed_at = $observed_at, due_at = $due_at,
    attempt_epoch = $attempt_epoch, starts = $starts, doubt = $doubt, updated_at = $updated_at
  where task_id = $task_id and id = $id`;

const SELECT = `
  select
    id, task_id, step_index, path, kind, step_name, target, status,
    input_payload, output_payload, error, outcome_seq, observed_at, due_at, attempt_epoch,
    starts, doubt, created_at, updated_at
  from task_steps where task_id in (select value from json_each($taskIds))`;

export function insertStep(connection: SqliteConnection, step: StepRow): void {
  connection.prepare(INSERT).run(parametersOf(step));
}

export function updateStep(connection: SqliteConnection, step: StepRow): void {
  rowIsThere("step", step.id, connection.prepare(UPDATE).run(parametersOf(step)));
}

/** The steps of each task by step_index. They are few and come in no order: sorting all of them in SQL costs more. */
export function selectSteps(connection: SqliteConnection, taskIds: readonly string[]): Map<string, StepRow[]> {
  const rows = connection.prepare<StepRow>(SELECT).all({ taskIds: JSON.stringify(taskIds) });
  const byTask = Map.groupBy(rows, (step) => step.task_id);
  for (const steps of byTask.values()) steps.sort((a, b) => a.step_index - b.step_index);
  return byTask;
}
