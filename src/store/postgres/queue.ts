// What goes back to the queue: released tasks of workers, and tasks that were parked for other code. Rows are locked by
// id, as everywhere (`tasks.ts`), and versions rise: older changes of a driver are not written any more.
//
// No index has the owner of a task, so a release walks the queue. It does so before it sorts by id: if one statement
// does both at once, the planner instead walks all tasks that ever existed in the order of their ids.

import type { PostgresClient } from "./connection.ts";
import { EVENT_COLUMNS, noteEvents } from "./events.ts";
import type { Schema } from "./schema.ts";

/** A worker that releases a task has not died with it: no step of it is a suspect any more. */
export async function releaseTasks(
  client: PostgresClient,
  schema: Schema,
  { workerId, except }: { readonly workerId: string; readonly except: readonly string[] },
): Promise<number> {
  const released = await client.query(
    `with queued as materialized (
      select id from ${schema}.tasks
      where due_at is not null and lease_owner = $1::uuid
        and id not in (select value::uuid from json_array_elements_text($2::text::json))
    ), held as materialized (
      select id from ${schema}.tasks
      where id = any (array(select id from queued)) and due_at is not null and lease_owner = $1::uuid
      order by id for no key update
    ), cleared as (
      update ${schema}.task_steps set starts = 0 where starts > 0 and task_id = any (array(select id from held))
    ), released as (
      update ${schema}.tasks t set
        lease_owner = null, limited = false, version = version + 1, updated_at = greatest(updated_at, now())
      where id = any (array(select id from held)) returning ${EVENT_COLUMNS}
    ), ${noteEvents(schema, "changed", "released")}
    select from released`,
    [workerId, JSON.stringify(except)],
  );
  return released.length;
}

export async function releaseOrphans(client: PostgresClient, schema: Schema): Promise<number> {
  const released = await client.query(
    `with queued as materialized (
      select t.id from ${schema}.tasks t
      where t.due_at is not null and t.lease_owner is not null
        and not exists (select from ${schema}.workers w where w.id = t.lease_owner)
    ), orphans as materialized (
      select t.id from ${schema}.tasks t
      where t.id = any (array(select id from queued)) and t.due_at is not null and t.lease_owner is not null
        and not exists (select from ${schema}.workers w where w.id = t.lease_owner)
      order by t.id for no key update
    ), released as (
      update ${schema}.tasks t set
        lease_owner = null, limited = false, version = version + 1, updated_at = greatest(updated_at, now())
      where id = any (array(select id from orphans)) returning ${EVENT_COLUMNS}
    ), ${noteEvents(schema, "changed", "released")}
    select from released`,
  );
  return released.length;
}

/** A task that was parked by code without a name was parked by other code. */
export async function unparkTasks(
  client: PostgresClient,
  schema: Schema,
  flows: readonly { readonly name: string; readonly code: string }[],
): Promise<number> {
  const due = await client.query(
    `with parked as materialized (
      select t.id from json_to_recordset($1::text::json) as f (name text, code text)
      join ${schema}.tasks t
        on t.flow_name = f.name and t.parked_reason is not null and t.finished_at is null
         and t.parked_code is distinct from f.code
      order by t.id for no key update of t
    ), due as (
      update ${schema}.tasks t set
        parked_reason = null, parked_code = null, deaths = 0, due_at = now(), version = version + 1,
        updated_at = greatest(updated_at, now())
      where id = any (array(select id from parked)) returning ${EVENT_COLUMNS}
    ), ${noteEvents(schema, "changed", "due")}
    select from due`,
    [JSON.stringify(flows)],
  );
  return due.length;
}
