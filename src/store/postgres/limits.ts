// The table `limits`: the code's numbers of each limit, and the numbers that were set in their place.

import type { Audited } from "../audit-store.ts";
import {
  type LimitName,
  type LimitRow,
  type LimitSetting,
  type LimitStore,
  type LinePlace,
  type OwnLimit,
  type TaskPlace,
  WAITING_MAX,
} from "../limit-store.ts";
import type { KeyTurns } from "../key-turns.ts";
import { type StoredLimit, toLimitRow } from "../limit-rows.ts";
import { queryAudited } from "./audit.ts";
import type { PostgresClient } from "./connection.ts";
import { boundedRate, milliseconds, type Schema } from "./schema.ts";
import { giveBackTickets, isHeldForNothing, settleTickets, takeTickets } from "./tickets.ts";

interface LimitClients {
  readonly schema: Schema;
  readonly turns: KeyTurns;
  readonly read: <Result>(use: (client: PostgresClient) => Promise<Result>) => Promise<Result>;
  readonly write: <Result>(use: (client: PostgresClient) => Promise<Result>) => Promise<Result>;
  /** Not the client for commits: it waits for locks of limits. */
  readonly grant: <Result>(use: (client: PostgresClient) => Promise<Result>) => Promise<Result>;
  /** Something may be due before the place that claims have reached. */
  readonly onWoken: () => void;
}

/** Of a row `l` of limits. */
const RATE_MS = boundedRate("coalesce(l.rate_ms, l.own_rate_ms)");

export function limitStore({ schema, turns, read, write, grant, onWoken }: LimitClients): LimitStore {
  const noting = <Found extends { readonly woken: readonly string[] }>(found: Found): Found => {
    if (found.woken.length > 0) onWoken();
    return found;
  };
  return {
    declare: (limits) => write((client) => declareLimits(client, schema, limits)),
    take: async (limit, asked) => noting(await grant((client) => takeTickets(client, schema, turns, { limit, asked }))),
    async giveBack(limit, given) {
      const woken = await grant((client) => giveBackTickets(client, schema, turns, { limit, given }));
      return noting({ woken }).woken;
    },
    settle: async () => noting(await grant((client) => settleTickets(client, schema, turns))),
    list: (only) => read((client) => listLimits(client, schema, only)),
    set: (limit, setting, audited) => write((client) => setLimit(client, schema, limit, { ...setting, ...audited })),
    reset: (limit, audited) => write((client) => resetLimit(client, schema, limit, audited)),
    placeOfStep: (taskId, stepId) => read((client) => placeOfStep(client, schema, taskId, stepId)),
    placeOfTask: (taskId) => read((client) => placeOfTask(client, schema, taskId)),
  };
}

async function declareLimits(client: PostgresClient, schema: Schema, limits: readonly OwnLimit[]): Promise<void> {
  if (limits.length === 0) return;
  const rows = limits.map(({ kind, name, isKeyed, running, runningPerKey, rate }) => ({
    kind,
    name,
    is_keyed: isKeyed,
    own_running: running,
    own_running_per_key: runningPerKey,
    own_rate_count: rate?.count ?? null,
    own_rate_ms: rate?.perMs ?? null,
  }));
  await client.query(
    `insert into ${schema}.limits (kind, name, is_keyed, own_running, own_running_per_key, own_rate_count, own_rate_ms)
     select * from json_to_recordset($1::text::json) as l (
       kind text, name text, is_keyed boolean, own_running integer, own_running_per_key integer,
       own_rate_count integer, own_rate_ms bigint
     ) order by kind, name
     on conflict (kind, name) do update set
       is_keyed = excluded.is_keyed, own_running = excluded.own_running,
       own_running_per_key = excluded.own_running_per_key, own_rate_count = excluded.own_rate_count,
       own_rate_ms = excluded.own_rate_ms`,
    [JSON.stringify(rows)],
  );
}

async function listLimits(
  client: PostgresClient,
  schema: Schema,
  only: LimitName | undefined,
): Promise<readonly LimitRow[]> {
  const [which, parameters] = only ? ["l.kind = $1 and l.name = $2", [only.kind, only.name]] : ["true", []];
  const waiting = (rows: string): string =>
    only ? "0" : `(select count(*) from (select from ${rows} limit ${WAITING_MAX}) waiting)`;
  const rows = await client.read<StoredLimit>(
    `select l.kind, l.name, l.is_keyed, l.own_running, l.own_running_per_key, l.own_rate_count, l.own_rate_ms,
       l.running, l.running_per_key, l.rate_count, l.rate_ms, l.reason, l.set_by, ${milliseconds("l.set_at")} as set_at,
       case l.kind
         when 'flow' then (select count(*) from ${schema}.tasks t where t.flow_name = l.name and t.limited)
         else (
           select count(*) from ${schema}.tickets k
           where k.limit_name = l.name and k.granted_at is not null and not ${isHeldForNothing(schema)}
         )
       end::integer as running_now,
       case l.kind
         when 'flow' then ${waiting(`${schema}.tasks t where t.flow_name = l.name and t.due_at <= now() and t.lease_owner is null`)}
         else ${waiting(`${schema}.tickets k where k.limit_name = l.name and k.granted_at is null`)}
       end::integer as waiting,
       coalesce(s.begun, 0)::integer as begun,
       ${milliseconds(`s.first_at + ${RATE_MS} * interval '1 ms'`)} as next_at
     from ${schema}.limits l cross join lateral (
       select sum(s.count) as begun, min(s.last_at) as first_at from ${schema}.limit_starts s
       where s.kind = l.kind and s.name = l.name
         and s.last_at > now() - ${RATE_MS} * interval '1 ms'
     ) s
     where ${which} order by l.kind, l.name`,
    parameters,
  );
  return rows.map(toLimitRow);
}

async function setLimit(
  client: PostgresClient,
  schema: Schema,
  { kind, name }: LimitName,
  { running, runningPerKey, rate, reason, by, audit }: LimitSetting & Audited,
): Promise<boolean> {
  const rows = await queryAudited(client, schema, {
    audit,
    text: `update ${schema}.limits set
       running = case when $3::boolean then $4::integer else running end,
       running_per_key = case when $5::boolean then $6::integer else running_per_key end,
       rate_count = case when $7::boolean then $8::integer else rate_count end,
       rate_ms = case when $7::boolean then $9::bigint else rate_ms end,
       reason = $10, set_by = $11, set_at = now()
     where kind = $1 and name = $2 returning 1`,
    parameters: [
      kind,
      name,
      running !== undefined,
      running ?? null,
      runningPerKey !== undefined,
      runningPerKey ?? null,
      rate !== undefined,
      rate ? rate.count : (rate ?? null),
      rate ? rate.perMs : null,
      reason,
      by,
    ],
  });
  return rows.length === 1;
}

async function resetLimit(
  client: PostgresClient,
  schema: Schema,
  { kind, name }: LimitName,
  audited: Audited | undefined,
): Promise<boolean> {
  const rows = await queryAudited(client, schema, {
    text: `update ${schema}.limits set
       running = null, running_per_key = null, rate_count = null, rate_ms = null, reason = null, set_by = null, set_at = null
     where kind = $1 and name = $2 returning 1`,
    parameters: [kind, name],
    ...audited,
  });
  return rows.length === 1;
}

async function placeOfStep(
  client: PostgresClient,
  schema: Schema,
  taskId: string,
  stepId: string,
): Promise<LinePlace | undefined> {
  const [row] = await client.read<{ before: number }>(
    `select (
       select count(*) from (
         select from ${schema}.tickets o
         where o.limit_name = k.limit_name and o.key = k.key and o.granted_at is null and o.id < k.id limit ${WAITING_MAX}
       ) before
     )::integer as before
     from ${schema}.tickets k where k.task_id = $1::uuid and k.step_id = $2::uuid and k.granted_at is null`,
    [taskId, stepId],
  );
  return row;
}

/** By key if it has one and has not begun; otherwise by its place in the queue of its flow. */
async function placeOfTask(client: PostgresClient, schema: Schema, taskId: string): Promise<TaskPlace | undefined> {
  const [row] = await client.read<TaskPlace>(
    `select case
       when t.limit_key is not null and not t.limit_begun then (
         select count(*) from (
           select from ${schema}.tasks o
           where o.flow_name = t.flow_name and o.limit_key = t.limit_key and not o.limit_begun
             and o.limit_key is not null and o.due_at is not null
             and (o.due_at, o.id) < (t.due_at, t.id) and o.lease_owner is null
           limit ${WAITING_MAX}
         ) before
       )
       when t.limit_key is not null then 0
       else (
         select count(*) from (
           select from generate_series(0, 9) as level (priority) cross join lateral (
             select from ${schema}.tasks o
             where o.flow_name = t.flow_name and o.priority = level.priority and level.priority <= t.priority
               and o.due_at <= case when level.priority = t.priority then t.due_at else now() end
               and o.id <> t.id and o.lease_owner is null
             limit ${WAITING_MAX}
           ) o limit ${WAITING_MAX}
         ) before
       )
     end::integer as before, (
       select count(*) from ${schema}.tasks h
       where h.flow_name = t.flow_name and h.limit_key = t.limit_key and h.limited
     )::integer as "ofKey"
     from ${schema}.tasks t where t.id = $1::uuid and t.due_at <= now() and t.lease_owner is null`,
    [taskId],
  );
  return row;
}
