// The table `tasks`. These functions run within a transaction of the connection.

import type { TaskRow } from "../../core/record/record.ts";
import type { RowFilter } from "../../core/record/row-filter.ts";
import { storableTask } from "../storable-text.ts";
import type { Change, ListPage } from "../store.ts";
import { TASKS } from "../tables.ts";
import type { SqliteConnection } from "./connection.ts";
import { filterParameters, MATCHES } from "./row-filter.ts";
import { assignments, columnList, insertRow, insertsInto } from "./statements.ts";

const INSERTS = insertsInto(TASKS, "on conflict do nothing");

/** `due_at` depends on what an outsider did meanwhile. */
const UPDATE = `
  update tasks set
    ${assignments(TASKS)},
    due_at = case
      when wake_seq = $wake_seq or $finished_at is not null or $parked_reason is not null then $due_at
      else $now
    end,
    limit_begun = limit_begun or (limit_key is not null and $status <> 'PLANNED'),
    deaths = case when status = $status and observed_count = $observed_count and parked_reason is null then deaths else 0 end
  where id = $id and version = $expectedVersion and lease_owner is $expectedOwner
    and (finished_at is null or ($reopens and status = 'FAILED')) and ($status <> 'PLANNED' or status = 'PLANNED')`;

/** Of a whole row, in every statement that gives one. */
export const TASK_COLUMNS = columnList(TASKS, "tasks");

const SELECT = `select ${TASK_COLUMNS} from tasks where id = $id`;

const SELECT_MATCHING = `select ${columnList(TASKS, "t")} from tasks t where t.id = $id and ${MATCHES}`;

const SELECT_FIRST = `select ${TASK_COLUMNS} from tasks order by created_at desc, id desc limit $limit`;

const SELECT_AFTER = `
  select ${TASK_COLUMNS} from tasks where (created_at, id) < ($createdAt, $id)
  order by created_at desc, id desc limit $limit`;

const SELECT_KEYS_FIRST = "select id, created_at from tasks order by created_at desc, id desc limit $limit";

const SELECT_KEYS_AFTER = `
  select id, created_at from tasks where (created_at, id) < ($createdAt, $id)
  order by created_at desc, id desc limit $limit`;

/** False where the task exists, or another one has its unique key. */
export function insertTask(connection: SqliteConnection, task: TaskRow): boolean {
  return insertRow(connection, INSERTS, storableTask(task)) === 1;
}

/**
 * False where the task has another version or owner: the fence (S1 in `store.ts`). As a last line behind the engine's
 * table of states, nothing leaves an end and nothing goes back to PLANNED.
 */
export function updateTask(connection: SqliteConnection, change: Change, now: number): boolean {
  const { expectedVersion, expectedOwner, task } = change;
  const fence = { expectedVersion, expectedOwner, now, reopens: change.reopens ? 1 : 0 };
  return connection.prepare(UPDATE).run({ ...storableTask(task), ...fence }).changes === 1;
}

export function selectTask(connection: SqliteConnection, id: string): TaskRow | undefined {
  return connection.prepare<TaskRow>(SELECT).get({ id }) ?? undefined;
}

/** Undefined where the filter does not let it through. */
export function selectMatching(connection: SqliteConnection, id: string, filter: RowFilter): TaskRow | undefined {
  return connection.prepare<TaskRow>(SELECT_MATCHING).get({ ...filterParameters(filter), id }) ?? undefined;
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
