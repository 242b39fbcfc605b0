// The table `task_steps`. These functions run within a transaction of the connection.

import type { StepRow, Writable } from "../../core/record/record.ts";
import type { PartOfSteps } from "../records.ts";
import { PAGE_ROWS } from "../sizes.ts";
import { TASK_STEPS } from "../tables.ts";
import { parametersOf, type SqliteConnection } from "./connection.ts";
import { rowIsThere } from "./row-is-there.ts";
import { assignments, columnList, insertRow, insertsInto, isRow } from "./statements.ts";

const INSERTS = insertsInto(TASK_STEPS);

const UPDATE = `update task_steps set ${assignments(TASK_STEPS)} where ${isRow(TASK_STEPS)}`;

/** Task by task. The position of a task in the list stands for its id, which is known and long. */
const SELECT = `
  select task.key as task_id, ${columnList(TASK_STEPS, "step", "task_id")}
  from json_each($taskIds) as task cross join task_steps as step on step.task_id = task.value`;

const SELECT_PAGE = `
  select ${columnList(TASK_STEPS, "step")}
  from task_steps as step where step.task_id = $taskId and step.id > $after order by step.id limit ${PAGE_ROWS}`;

/** A task's steps are stored together: one walk, which takes few rows. */
const SELECT_PART = `
  select ${columnList(TASK_STEPS, "step")}
  from task_steps as step where step.task_id = $taskId and (
    step.step_index between $from and $to or step.doubt is not null or step.status = 'RUNNING'
    or (step.status = 'PLANNED' and (step.kind <> 'tool' or step.due_at is not null)) or step.outcome_seq > $observed
  )`;

const COUNT = "select count(*) as count, max(step_index) as last from task_steps where task_id = $taskId";

export function insertStep(connection: SqliteConnection, step: StepRow): void {
  insertRow(connection, INSERTS, step);
}

export function updateStep(connection: SqliteConnection, step: StepRow): void {
  rowIsThere("step", step.id, connection.prepare(UPDATE).run(parametersOf(step)));
}

/** A page of the steps of one task, by id. */
export function selectStepPage(connection: SqliteConnection, taskId: string, after: string): StepRow[] {
  return connection.prepare<StepRow>(SELECT_PAGE).all({ taskId, after });
}

/** See `PartOfSteps`; in no order. */
export function selectPart(
  connection: SqliteConnection,
  taskId: string,
  { range, observed }: PartOfSteps,
): { readonly count: number; readonly steps: StepRow[] } {
  const { count = 0, last } = connection.prepare<{ count: number; last: number | null }>(COUNT).get({ taskId }) ?? {};
  const { from, to } = range === "last" ? { from: last ?? 0, to: last ?? 0 } : range;
  return { count, steps: connection.prepare<StepRow>(SELECT_PART).all({ taskId, from, to, observed }) };
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
