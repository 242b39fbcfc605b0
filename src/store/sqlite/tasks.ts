// The table `tasks`. These functions run within a transaction of the connection.

import type { TaskRow } from "../../core/record/record.ts";
import type { RowFilter } from "../../core/record/row-filter.ts";
import { storableTask } from "../storable-text.ts";
import type { Change, ListPage } from "../store.ts";
import { TASKS } from "../tables.ts";
import type { SqliteConnection } from "./connection.ts";
import { filterParameters, MATCHES } from "./row-filter.ts";
import { columnList, insertRow, insertsInto } from "./statements.ts";

const INSERTS = insertsInto(TASKS, "on conflict do nothing");

/** The columns in indexes: a write of one of them updates each index that has it, whatever its value. */
const INDEXED = ["waits", "priority", "expires_at", "lease_owner", "parked_reason", "finished_at"] as const;

type Indexed = (typeof INDEXED)[number] | "due_at" | "limit_begun";

/**
 * Measured: a change that writes all columns takes twice as long as one without the indexed columns. So of these it
 * writes only `written`, if the others already have their new values in the row.
 */
function updateOf(written: readonly Indexed[] | "all"): string {
  const isWritten = (name: Indexed): boolean => written === "all" || written.includes(name);
  const leftOut = INDEXED.filter((name) => !isWritten(name));
  const columns = TASKS.changed.filter((name) => !leftOut.some((other) => other === name));
  const begins = "limit_begun or (limit_key is not null and $status <> 'PLANNED')";
  // `due_at` depends on what an outsider did meanwhile
  const others: Readonly<Record<"due_at" | "limit_begun", { readonly set: string; readonly isSo: string }>> = {
    due_at: {
      set: `case
        when wake_seq = $wake_seq or $finished_at is not null or $parked_reason is not null then $due_at
        else $now
      end`,
      isSo: "wake_seq = $wake_seq and due_at is $due_at",
    },
    limit_begun: { set: begins, isSo: `limit_begun = (${begins})` },
  };
  const sets = columns.map((name) => `${name} = $${name}`);
  if (isWritten("lease_owner")) sets.push("limited = limited and $lease_owner is not null");
  const conditions = leftOut.map((name) => `${name} is $${name}`);
  for (const [name, { set, isSo }] of Object.entries(others)) {
    if (isWritten(name as Indexed)) sets.push(`${name} = ${set}`);
    else conditions.push(isSo);
  }
  return `
  update tasks set
    ${sets.join(", ")},
    deaths = case when status = $status and observed_count = $observed_count and parked_reason is null then deaths else 0 end
  where id = $id and version = $expectedVersion and lease_owner is $expectedOwner
    and (finished_at is null or ($reopens and status = 'FAILED')) and ($status <> 'PLANNED' or status = 'PLANNED')
    ${conditions.map((condition) => `and ${condition}`).join(" ")}`;
}

const UPDATE = updateOf("all");

/** For a task that continues. */
export const UPDATE_GOING = updateOf([]);

/** For a task that ends. */
export const UPDATE_ENDED = updateOf(["finished_at", "lease_owner", "due_at"]);

/** The columns of a whole row, for every statement that returns one. */
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

/** False if the task exists, or another one has its unique key. */
export function insertTask(connection: SqliteConnection, task: TaskRow): boolean {
  return insertRow(connection, INSERTS, storableTask(task)) === 1;
}

/**
 * False if the task has another version or owner: the fence (S1 in `store.ts`). As a last check behind the engine's
 * table of states, nothing leaves an end and nothing goes back to PLANNED.
 */
export function updateTask(connection: SqliteConnection, change: Change, now: number): boolean {
  const { expectedVersion, expectedOwner, task } = change;
  const fence = { expectedVersion, expectedOwner, now, reopens: change.reopens ? 1 : 0 };
  const parameters = { ...storableTask(task), ...fence };
  const isWon = (text: string): boolean => connection.prepare(text).run(parameters).changes === 1;
  return isWon(task.finished_at === null ? UPDATE_GOING : UPDATE_ENDED) || isWon(UPDATE);
}

export function selectTask(connection: SqliteConnection, id: string): TaskRow | undefined {
  return connection.prepare<TaskRow>(SELECT).get({ id }) ?? undefined;
}

/** Undefined if the filter does not accept it. */
export function selectMatching(connection: SqliteConnection, id: string, filter: RowFilter): TaskRow | undefined {
  return connection.prepare<TaskRow>(SELECT_MATCHING).get({ ...filterParameters(filter), id }) ?? undefined;
}

export function selectTasks(connection: SqliteConnection, { limit, after }: ListPage): TaskRow[] {
  if (!after) return connection.prepare<TaskRow>(SELECT_FIRST).all({ limit });
  return connection.prepare<TaskRow>(SELECT_AFTER).all({ limit, ...after });
}

/** For the same tasks as `selectTasks`, only what their index holds: no row is read. */
export function selectTaskKeys(
  connection: SqliteConnection,
  { limit, after }: ListPage,
): { readonly id: string; readonly created_at: number }[] {
  if (!after) return connection.prepare<Pick<TaskRow, "id" | "created_at">>(SELECT_KEYS_FIRST).all({ limit });
  return connection.prepare<Pick<TaskRow, "id" | "created_at">>(SELECT_KEYS_AFTER).all({ limit, ...after });
}
