// The table `task_steps`. These functions run within a transaction of the connection.

import type { StepRow, Writable } from "../../core/record/record.ts";
import { PAGE_ROWS } from "../sizes.ts";
import { parametersOf, type SqliteConnection } from "./connection.ts";
import { rowIsThere } from "./row-is-there.ts";

const INSERT = `
  insert into task_steps (
    task_id, id, step_index, path, kind, step_name, target, execution, status,
    input_payload, output_payload, error, outcome_seq, observed_at, due_at, attempt_epoch,
    starts, doubt, created_at, updated_at
  ) values (
    $task_id, $id, $step_index, $path, $kind, $step_name, $target, $execution, $status,
    $input_payload, $output_payload, $error, $outcome_seq, $observed_at, $due_at, $attempt_epoch,
    $starts, $doubt, $created_at, $updated_at
  )`;

/** Of a step as it was planned; nearly all are. What is left out has its default: each column has its price. */
const INSERT_PLANNED = `
  insert into task_steps (
    task_id, id, step_index, path, kind, step_name, target, execution, status, input_payload, due_at, created_at,
    updated_at
  ) values (
    $task_id, $id, $step_index, $path, $kind, $step_name, $target, $execution, $status, $input_payload, $due_at,
    $created_at, $updated_at
  )`;

const UPDATE = `
  update task_steps set
    status = $status, output_payload = $output_payload, error = $error,
    outcome_seq = $outcome_seq, observed_at = $observed_at, due_at = $due_at,
    attempt_epoch = $attempt_epoch, starts = $starts, doubt = $doubt, updated_at = $updated_at
  where task_id = $task_id and id = $id`;

/** Of a whole row, in every statement that gives one. */
const COLUMNS = `
  step.id, step.step_index, step.path, step.kind, step.step_name, step.target,
  step.execution, step.status,
  step.input_payload, step.output_payload, step.error, step.outcome_seq, step.observed_at, step.due_at,
  step.attempt_epoch, step.starts, step.doubt, step.created_at, step.updated_at`;

/** Task by task. The place of a task in the list stands for its id, which is known and long. */
const SELECT = `
  select task.key as task_id, ${COLUMNS}
  from json_each($taskIds) as task cross join task_steps as step on step.task_id = task.value`;

const SELECT_PAGE = `
  select step.task_id, ${COLUMNS}
  from task_steps as step where step.task_id = $taskId and step.id > $after order by step.id limit ${PAGE_ROWS}`;

export function insertStep(connection: SqliteConnection, step: StepRow): void {
  connection.prepare(isAsPlanned(step) ? INSERT_PLANNED : INSERT).run(parametersOf(step));
}

function isAsPlanned(step: StepRow): boolean {
  const { status, output_payload, error, outcome_seq, observed_at, doubt, attempt_epoch, starts } = step;
  const isEmpty = output_payload === null && error === null && outcome_seq === null && observed_at === null;
  return status === "PLANNED" && isEmpty && doubt === null && attempt_epoch === 0 && starts === 0;
}

export function updateStep(connection: SqliteConnection, step: StepRow): void {
  rowIsThere("step", step.id, connection.prepare(UPDATE).run(parametersOf(step)));
}

/** A page of the steps of one task, by id. */
export function selectStepPage(connection: SqliteConnection, taskId: string, after: string): StepRow[] {
  return connection.prepare<StepRow>(SELECT_PAGE).all({ taskId, after });
}

/** The steps of each of these tasks by step_index. They are few: sorting all of them in SQL costs more. */
export function selectSteps(connection: SqliteConnection, taskIds: readonly string[]): StepRow[][] {
  const rows = connection
    .prepare<Writable<Omit<StepRow, "task_id">> & { task_id: number | string }>(SELECT)
    .all({ taskIds: JSON.stringify(taskIds) });
  const byTask = taskIds.map((): StepRow[] => []);
  for (const row of rows) {
    const place = Number(row.task_id);
    row.task_id = taskIds[place] as string;
    byTask[place]?.push(row as StepRow);
  }
  for (const steps of byTask) steps.sort((a, b) => a.step_index - b.step_index);
  return byTask;
}
