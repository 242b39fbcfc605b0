// The tasks that a name stands for: a range of the primary key, or the newest ones. And the state of tasks that
// somebody waits for.

import { FOUND_MAX, type TaskName } from "../../core/record/task-names.ts";
import { type BriefRow, type Glance, LAST_AMONG } from "../store.ts";
import { TASKS } from "../tables.ts";
import { columnsOf, selectList } from "./columns.ts";
import type { PostgresClient } from "./connection.ts";
import { IN_LIST, type Schema } from "./schema.ts";

const { id, flow_name, status, parked_reason, created_at, finished_at, due_at, lease_owner } = columnsOf(TASKS, "t");
const BRIEF = selectList<BriefRow>({ id, flow_name, status, parked_reason, created_at });

const GLANCE = selectList<Glance>({ id, finished_at, due_at, lease_owner });

/** See `Store.findTasks`. Limits are written in the text, for the planner. */
export function findTasks(client: PostgresClient, schema: Schema, name: TaskName): Promise<BriefRow[]> {
  if (name.kind === "beginning") {
    return client.read<BriefRow>(
      `select ${BRIEF} from ${schema}.tasks t where t.id >= $1::uuid and t.id <= $2::uuid
      order by t.id limit ${FOUND_MAX + 1}`,
      [name.from, name.to],
    );
  }
  // the condition that always holds makes it a walk along the index, as for the first page of a list
  return client.read<BriefRow>(
    `select ${BRIEF} from (
      select * from ${schema}.tasks t
      where ${IN_LIST} and (created_at, id) < ('infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff')
      order by created_at desc, id desc limit ${LAST_AMONG}
    ) t where t.parent_task_id is null and ($1::text is null or t.flow_name = $1::text)
    order by t.created_at desc, t.id desc limit 1`,
    [name.flow],
  );
}

/** See `Store.glance`. The planner expects few elements in an array, so it looks each one up. */
export function glance(client: PostgresClient, schema: Schema, ids: readonly string[]): Promise<Glance[]> {
  return client.read<Glance>(
    `select ${GLANCE} from ${schema}.tasks t
    where t.id = any (array(select value::uuid from json_array_elements_text($1::text::json)))`,
    [JSON.stringify(ids)],
  );
}
