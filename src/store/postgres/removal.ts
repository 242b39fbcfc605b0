// Removes ended tasks. Their other rows go by foreign keys. Rows that others have locked are skipped: nobody is waited
// for, and a parent that is just being reopened keeps its children.

import { fitTogether } from "../sizes.ts";
import {
  type EndedQuery,
  type EndedTasks,
  type Removal,
  type RemovalResult,
  type RemovalStore,
  REMOVED_MAX,
} from "../removal-store.ts";
import { auditInsertsAfter, storableDraft } from "./audit.ts";
import type { PostgresClient } from "./connection.ts";
import { EVENT_COLUMNS, noteEvents } from "./events.ts";
import { asJson } from "./row-encoding.ts";
import { milliseconds, type Schema, timestamp } from "./schema.ts";

type Use = <Result>(use: (client: PostgresClient) => Promise<Result>) => Promise<Result>;

interface EndedRow {
  readonly id: string;
  readonly created_at: number;
  readonly recorded_bytes: number;
  readonly may_go: boolean;
}

/** Before each task. */
const FIRST = { createdAt: -1, id: "00000000-0000-0000-0000-000000000000" };

export function removalStore(reader: Use, schema: Schema): RemovalStore {
  let tookMs = 0;
  return {
    // it runs beside the writes of others, in a session of its own
    restMs: () => tookMs,
    portion: () => REMOVED_MAX,
    listEndedFlows: () => reader((client) => listEndedFlows(client, schema)),
    findEnded: (query) => reader((client) => findEnded(client, schema, query)),
    // not on the connection for writes: drivers do not wait for it
    async removeTasks(removal) {
      const began = performance.now();
      const result = await reader((client) => removeTasks(client, schema, removal));
      tookMs = performance.now() - began;
      return result;
    },
  };
}

/** A loose scan: one step down the index for each flow. */
async function listEndedFlows(client: PostgresClient, schema: Schema): Promise<string[]> {
  const flows = await client.read<{ name: string }>(
    `with recursive flows (name) as (
      select ''
      union all
      select (
        select flow_name from ${schema}.tasks
        where finished_at is not null and flow_name > flows.name order by flow_name limit 1
      ) from flows where flows.name is not null
    )
    select name from flows where name <> ''`,
  );
  return flows.map(({ name }) => name);
}

async function findEnded(
  client: PostgresClient,
  schema: Schema,
  { flow, status, keptMs, after = FIRST }: EndedQuery,
): Promise<EndedTasks> {
  // as ranges of the index, in its order: with `=` the planner may take another one, and throw most of it away
  const found = await client.read<EndedRow>(
    `select t.id, ${milliseconds("t.created_at")} as created_at, t.recorded_bytes,
      t.finished_at <= now() - $3::float8 * interval '1 ms' and ${isFree(schema)} as may_go
    from (
      select * from ${schema}.tasks
      where finished_at is not null
        and (flow_name, end_status, created_at, id) > ($1, $2, ${timestamp("$4::float8")}, $5::uuid)
        and (flow_name, end_status, created_at) <= ($1, $2, now() - $3::float8 * interval '1 ms')
      order by flow_name, end_status, created_at, id limit ${REMOVED_MAX}
    ) t order by t.created_at, t.id`,
    [flow, status, keptMs, after.createdAt, after.id],
  );
  const going = found.filter(({ may_go }) => may_go);
  const fit = fitTogether(going);
  const last = fit < going.length ? going[fit - 1] : found.length === REMOVED_MAX ? found.at(-1) : undefined;
  return {
    ids: going.slice(0, fit).map(({ id }) => id),
    ...(last && { next: { createdAt: last.created_at, id: last.id } }),
  };
}

async function removeTasks(
  client: PostgresClient,
  schema: Schema,
  { ids, keptMs, lease, isDryRun = false, audit }: Removal,
): Promise<RemovalResult> {
  const entry = auditInsertsAfter("removed");
  const audited = audit ? `, ${entry.read(schema, (alias) => asJson.read(entry.fields, ["$6"], alias))}` : "";
  const [row] = await client.query<{ removed: number; has_lease: boolean }>(
    `with lease as (
      insert into ${schema}.duties as d (name, owner, lease_until)
      select 'remove tasks', $3::uuid, now() + $4::float8 * interval '1 ms' where $3::uuid is not null
      on conflict (name) do update set owner = excluded.owner, lease_until = excluded.lease_until
        where d.owner = excluded.owner or d.lease_until <= now()
      returning 1
    ), named as materialized (
      select value::uuid as id from json_array_elements_text($1::text::json)
      where $3::uuid is null or exists (select from lease)
    ), parents as materialized (
      select id from ${schema}.tasks
      where ${endedBy("finished_at", "'infinity'")}
        and id = any (array(
          select parent_task_id from ${schema}.tasks where id = any (array(select id from named))
        ))
      order by id for share skip locked
    ), going as materialized (
      select t.id from ${schema}.tasks t
      where t.id = any (array(select id from named))
        and ${endedBy("t.finished_at", "coalesce(now() - $2::float8 * interval '1 ms', 'infinity')")}
        and (
          t.parent_task_id is null or t.parent_task_id in (select id from parents)
          or (select p.id from ${schema}.tasks p where p.id = t.parent_task_id) is null
        )
      order by t.id for update skip locked
    ), removed as (
      delete from ${schema}.tasks t where t.id = any (array(select id from going where not $5::boolean))
      returning ${EVENT_COLUMNS}
    ), ${noteEvents(schema, "removed", "removed")}, counted as (
      insert into ${schema}.task_counts (flow_name, status, tasks)
      select flow_name, status, -count(*) from removed group by flow_name, status
    )${audited}
    select (select count(*) from removed)::integer + (select count(*) from going where $5::boolean)::integer as removed, ($3::uuid is null or exists (select from lease)) as has_lease`,
    [
      JSON.stringify(ids),
      keptMs ?? null,
      lease?.owner ?? null,
      lease?.ms ?? null,
      isDryRun,
      ...(audit ? asJson.write(entry.fields, [storableDraft(audit)]) : []),
    ],
  );
  return row?.has_lease === false ? { kind: "busy" } : { kind: "removed", count: row?.removed ?? 0 };
}

/**
 * This hides from the planner that an index of all ended tasks would do: rows are looked up by their ids. For the same
 * reason parents are looked up one by one: for \`exists\` it may read the whole table.
 */
function endedBy(finishedAt: string, moment: string): string {
  return `coalesce(nullif(${finishedAt}, 'infinity') <= ${moment}, false)`;
}

/** For task t. */
function isFree(schema: Schema): string {
  return `(
    t.parent_task_id is null
    or not coalesce((select p.finished_at is null from ${schema}.tasks p where p.id = t.parent_task_id), false)
  )`;
}
