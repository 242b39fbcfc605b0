// Writes the progress of tools, beside the writes of their tasks' drivers. It locks only rows of calls, and skips rows
// that somebody else writes: so it waits for nobody, and cannot deadlock through another order.

import type { ProgressNote } from "../store.ts";
import type { PostgresClient } from "./connection.ts";
import { EVENT_COLUMNS, noteEvents } from "./events.ts";
import type { Schema } from "./schema.ts";

interface Notes {
  readonly workerId: string;
  readonly notes: readonly ProgressNote[];
}

/** See `Store.noteProgress`. Each call is looked up separately, whatever number the planner expects. */
export async function noteProgress(
  client: PostgresClient,
  schema: Schema,
  { workerId, notes }: Notes,
): Promise<string[]> {
  const rows = notes.map(({ taskId, stepId, tool, progress }) => [taskId, stepId, tool, progress]);
  const written = await client.query<{ step_id: string }>(
    `with notes as materialized (
      select (value->>0)::uuid as task_id, (value->>1)::uuid as step_id, value->>2 as tool, value->>3 as progress
      from json_array_elements($2::text::json)
    ), free as materialized (
      select n.*, c.ctid as place from notes n
      cross join lateral (
        select c.ctid from ${schema}.tool_calls c
        where c.task_id = n.task_id and c.task_step_id = n.step_id and c.tool_name = n.tool and c.status = 'RUNNING'
          and exists (
            select from ${schema}.tasks t
            where t.id = n.task_id and (t.lease_owner is null or t.lease_owner = $1::uuid)
          )
        limit 1 for no key update skip locked
      ) c
    ), written as (
      update ${schema}.tool_calls c set progress = f.progress::json
      from free f where c.ctid = f.place
      returning f.step_id, f.task_id
    ), told as (
      select ${EVENT_COLUMNS} from ${schema}.tasks t where t.id = any (array(select task_id from written))
    ), ${noteEvents(schema, "changed", "told")}
    select step_id from written`,
    [workerId, JSON.stringify(rows)],
  );
  return written.map(({ step_id }) => step_id);
}
