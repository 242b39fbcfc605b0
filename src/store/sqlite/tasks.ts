// The table `tasks`. These functions run within a transaction of the connection.

import type { TaskRow } from "../../core/record/record.ts";
import { storableText } from "../storable-text.ts";
import type { Change, ListPage } from "../store.ts";
import { parametersOf, type SqliteConnection } from "./connection.ts";

const INSERT = `
  insert into tasks (
    id, flow_name, status, version, current_step, observed_count, input_payload, output_payload, error,
    lease_owner, due_at, priority, wake_seq, parked_reason, parked_code, flow_code, parent_task_id, parent_step_id, depth,
    cancelled_after, cancelled_at, left_undone, recorded_bytes, created_at, updated_at, finished_at
  ) values (
    $id, $flow_name, $status, $version, $current_step, $observed_count, $input_payload, $output_payload, $error,
    $lease_owner, $due_at, $priority, $wake_seq, $parked_reason, $parked_code, $flow_code, $parent_task_id,
    $parent_step_id, $depth, $cancelled_after, $cancelled_at, $left_undone, $recorded_bytes, $created_at, $updated_at, $finished_at
  ) on conflict (id) do nothing`;

/** Of a task that nothing has happened to; all that are created. What is left out has its default: each column has its price. */
const INSERT_NEW = `
  insert into tasks (
    id, flow_name, status, version, input_payload, due_at, priority, flow_code, parent_task_id, parent_step_id, depth,
    recorded_bytes, created_at, updated_at
  ) values (
    $id, $flow_name, $status, $version, $input_payload, $due_at, $priority, $flow_code, $parent_task_id,
    $parent_step_id, $depth, $recorded_bytes, $created_at, $updated_at
  ) on conflict (id) do nothing`;

const UPDATE = `
  update tasks set
    status = $status, version = $version, current_step = $current_step, observed_count = $observed_count,
    output_payload = $output_payload, error = $error, lease_owner = $lease_owner,
    due_at = case
      when wake_seq = $wake_seq or $finished_at is not null or $parked_reason is not null then $due_at
      else $now
    end,
    cancelled_after = $cancelled_after, cancelled_at = $cancelled_at, left_undone = $left_undone, priority = $priority,
    deaths = case when status = $status and observed_count = $observed_count and parked_reason is null then deaths else 0 end,
    parked_reason = $parked_reason, parked_code = $parked_code, flow_code = $flow_code, recorded_bytes = $recorded_bytes,
    updated_at = $updated_at, finished_at = $finished_at
  where id = $id and version = $expectedVersion and lease_owner is $expectedOwner
    and (finished_at is null or ($reopens and status = 'FAILED')) and ($status <> 'PLANNED' or status = 'PLANNED')`;

/** Of a whole row, in every statement that gives one. */
export const TASK_COLUMNS = `
  id, flow_name, status, version, current_step, observed_count, input_payload, output_payload, error,
  lease_owner, due_at, priority, wake_seq, parked_reason, parked_code, flow_code, parent_task_id, parent_step_id, depth,
  cancelled_after, cancelled_at, left_undone, recorded_bytes, created_at, updated_at, finished_at`;

const SELECT = `select ${TASK_COLUMNS} from tasks where id = $id`;

const SELECT_FIRST = `select ${TASK_COLUMNS} from tasks order by created_at desc, id desc limit $limit`;

const SELECT_AFTER = `
  select ${TASK_COLUMNS} from tasks where (created_at, id) < ($createdAt, $id)
  order by created_at desc, id desc limit $limit`;

const SELECT_KEYS_FIRST = "select id, created_at from tasks order by created_at desc, id desc limit $limit";

const SELECT_KEYS_AFTER = `
  select id, created_at from tasks where (created_at, id) < ($createdAt, $id)
  order by created_at desc, id desc limit $limit`;

/** False where the task exists. */
export function insertTask(connection: SqliteConnection, task: TaskRow): boolean {
  if (isNew(task)) return connection.prepare(INSERT_NEW).run(parametersOf(task)).changes === 1;
  const row = { ...task, parked_reason: storableText(task.parked_reason) };
  return connection.prepare(INSERT).run(parametersOf(row)).changes === 1;
}

function isNew(task: TaskRow): boolean {
  const { current_step, observed_count, wake_seq, output_payload, error, lease_owner } = task;
  const { parked_reason, parked_code, cancelled_after, cancelled_at, finished_at } = task;
  const isUntouched = current_step === 0 && observed_count === 0 && wake_seq === 0 && lease_owner === null;
  const isAside = parked_reason !== null || parked_code !== null || cancelled_after !== null || cancelled_at !== null;
  return isUntouched && !isAside && output_payload === null && error === null && finished_at === null;
}

/**
 * False where the task has another version or owner: the fence (S1 in `store.ts`). As a last line behind the engine's
 * table of states, nothing leaves an end and nothing goes back to PLANNED.
 */
export function updateTask(connection: SqliteConnection, change: Change, now: number): boolean {
  const { expectedVersion, expectedOwner, task } = change;
  const parked_reason = storableText(task.parked_reason);
  const fence = { expectedVersion, expectedOwner, now, reopens: change.reopens ? 1 : 0 };
  return connection.prepare(UPDATE).run({ ...task, parked_reason, ...fence }).changes === 1;
}

export function selectTask(connection: SqliteConnection, id: string): TaskRow | undefined {
  return connection.prepare<TaskRow>(SELECT).get({ id }) ?? undefined;
}

export function selectTasks(connection: SqliteConnection, { limit, after }: ListPage): TaskRow[] {
  if (!after) return connection.prepare<TaskRow>(SELECT_FIRST).all({ limit });
  return connection.prepare<TaskRow>(SELECT_AFTER).all({ limit, ...after });
}

/** Of the same tasks as `selectTasks`, what their index tells: no row is read. */
export function selectTaskKeys(
  connection: SqliteConnection,
  { limit, after }: ListPage,
): { readonly id: string; readonly created_at: number }[] {
  if (!after) return connection.prepare<Pick<TaskRow, "id" | "created_at">>(SELECT_KEYS_FIRST).all({ limit });
  return connection.prepare<Pick<TaskRow, "id" | "created_at">>(SELECT_KEYS_AFTER).all({ limit, ...after });
}
