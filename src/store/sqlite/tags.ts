// The table `task_tags`. These functions run within a transaction of the connection.

import type { TaskRow } from "../../core/record/record.ts";
import { tagRowsOf } from "../tag-rows.ts";
import { TASK_TAGS } from "../tables.ts";
import type { SqliteConnection } from "./connection.ts";
import { insertRow, insertsInto } from "./statements.ts";

const INSERTS = insertsInto(TASK_TAGS);

const DELETE = "delete from task_tags where task_id = $id";

export function insertTags(connection: SqliteConnection, task: TaskRow): void {
  for (const row of tagRowsOf(task)) insertRow(connection, INSERTS, row);
}

/** Replaces its old tags. */
export function setTags(connection: SqliteConnection, task: TaskRow): void {
  connection.prepare(DELETE).run({ id: task.id });
  insertTags(connection, task);
}
