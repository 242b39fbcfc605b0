// The tasks that a name stands for: a range of the primary key, or the newest ones. And the state of tasks that
// somebody waits for.

import { FOUND_MAX, type TaskName } from "../../core/record/task-names.ts";
import { type BriefRow, type Glance, LAST_AMONG } from "../store.ts";
import type { SqliteConnection } from "./connection.ts";

const BRIEF = "id, flow_name, status, parked_reason, created_at";

export const SELECT_BEGINNING = `select ${BRIEF} from tasks where id >= $from and id <= $to order by id limit ${FOUND_MAX + 1}`;

export const SELECT_LAST = `
  select ${BRIEF} from (
    select ${BRIEF}, parent_task_id from tasks order by created_at desc, id desc limit ${LAST_AMONG}
  ) where parent_task_id is null and ($flow is null or flow_name = $flow)
  order by created_at desc, id desc limit 1`;

/** See `Store.findTasks`. */
export function findTasks(connection: SqliteConnection, name: TaskName): Promise<BriefRow[]> {
  return connection.read(() =>
    name.kind === "beginning"
      ? connection.prepare<BriefRow>(SELECT_BEGINNING).all({ from: name.from, to: name.to })
      : connection.prepare<BriefRow>(SELECT_LAST).all({ flow: name.flow }),
  );
}

const GLANCE = `
  select task.id, task.finished_at, task.due_at, task.lease_owner
  from json_each($ids) as wanted cross join tasks as task on task.id = wanted.value`;

/** See `Store.glance`. */
export function glance(connection: SqliteConnection, ids: readonly string[]): Promise<Glance[]> {
  return connection.read(() => connection.prepare<Glance>(GLANCE).all({ ids: JSON.stringify(ids) }));
}
