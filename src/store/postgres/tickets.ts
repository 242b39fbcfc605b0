// The table `tickets` (TK1 to TK4 in `limit-store.ts`). Each of these is one message of a few statements, and so one
// transaction, which begins with the lock of the limit. The last statement is prepared: to plan it each time took five
// times as long as to run it.

import {
  type GivenBack,
  type Granting,
  GRANT_MAX,
  LEAVING_MS,
  type Settling,
  type TicketRequest,
  UNDRIVEN_MS,
} from "../limit-store.ts";
import { KEYS_MAX, type KeyTurns } from "../key-turns.ts";
import { toolOfLine } from "../pause-store.ts";
import { addStarts, isPast } from "./claim-limited.ts";
import { writeArray } from "./row-encoding.ts";
import type { PostgresClient, Query } from "./connection.ts";
import { boundedRate, milliseconds, quoteText, type Schema } from "./schema.ts";

/** The most grants of one call, in case so many are cut short (`is_cut`). */
const ROUNDS_MAX = 100;

interface GrantRow {
  readonly granted: string;
  readonly woken: string;
  readonly visits: string;
  readonly is_cut: boolean;
}

export async function takeTickets(
  client: PostgresClient,
  schema: Schema,
  turns: KeyTurns,
  { limit, asked }: { readonly limit: string; readonly asked: readonly TicketRequest[] },
): Promise<Granting> {
  const isSame = "tickets.limit_name = excluded.limit_name";
  const ask = `
    insert into ${schema}.tickets (limit_name, key, task_id, step_id, token)
    select ${quoteText(limit)}, a.key, a.task_id, a.step_id, a.token
    from ${relationOf(asked, "a")}
    where (select t.finished_at is null from ${schema}.tasks t where t.id = a.task_id)
    order by a.place
    on conflict (task_id, step_id) do update set
      token = excluded.token, limit_name = excluded.limit_name, key = excluded.key,
      granted_at = ${toolOfLine(limit) === undefined ? `case when ${isSame} then tickets.granted_at end` : "null"},
      begun = ${isSame} and tickets.granted_at is not null`;
  return grant(client, schema, turns, { limit, first: [beginLate(schema, limit, asked), ask], asked });
}

/** TK7: of tickets that were granted while their steps waited, and are asked for now. */
function beginLate(schema: Schema, limit: string, asked: readonly TicketRequest[]): string {
  const name = quoteText(limit);
  const ofLimit = `s.kind = 'tool' and s.name = ${name}`;
  return `
  with l as materialized (
    select nullif(coalesce(l.rate_count, l.own_rate_count), 0) as rate_count,
      case when l.rate_count is null then l.own_rate_ms else l.rate_ms end as rate_ms
    from ${schema}.limits l where l.kind = 'tool' and l.name = ${name}
  ), r as materialized (
    select l.*, greatest(1, ceil(l.rate_ms / 100.0)::bigint) as slice_ms, greatest(0, l.rate_count - (
      select coalesce(sum(s.count), 0) from ${schema}.limit_starts s
      where ${ofLimit} and s.last_at > now() - l.rate_ms * interval '1 ms'
    )) as "left"
    from l where l.rate_count is not null
  ), late as materialized (
    select k.*, row_number() over (partition by k.is_past order by k.id) <= k."left" or not k.is_past as is_kept from (
      select k.place, k.id, k.granted_at, r."left", k.granted_at <= now() - r.rate_ms * interval '1 ms' as is_past
      from r cross join ${relationOf(asked, "a")} cross join lateral (
        select k.ctid as place, k.id, k.granted_at from ${schema}.tickets k
        where k.task_id = a.task_id and k.step_id = a.step_id and k.limit_name = ${name}
          and k.granted_at is not null and not k.begun offset 0
      ) k
    ) k
  ), moved as (
    update ${schema}.tickets k set granted_at = case when late.is_kept then now() end
    from late where k.ctid = late.place
  ), counted as (
    insert into ${schema}.limit_starts (kind, name, slice_at, last_at, count)
    select 'tool', ${name}, ${sliceOf("now()")}, clock_timestamp(), count(*) from late, r where late.is_past and late.is_kept
    group by r.slice_ms having count(*) > 0
    on conflict (kind, name, slice_at) do update set ${addStarts("(select rate_ms from r)")}
    returning slice_at
  )
  update ${schema}.limit_starts s set last_at = clock_timestamp()
  where ${ofLimit} and s.slice_at in (select ${sliceOf("late.granted_at")} from late, r where not late.is_past)
    and s.slice_at not in (select slice_at from counted)`;
}

/** The end of the slice of a time, for rate r. */
function sliceOf(time: string): string {
  return `to_timestamp(ceil(${milliseconds(time)}::numeric / r.slice_ms) * r.slice_ms / 1000.0)`;
}

type Ticket = Pick<TicketRequest, "taskId" | "stepId" | "token"> & Partial<Pick<TicketRequest, "key">>;

/** A relation of them, in their order. Subqueries hide their number from the planner: it expects ten. */
function relationOf(tickets: readonly Ticket[], alias: string): string {
  const array = (type: string, of: (ticket: Ticket) => string): string =>
    `(select ${quoteText(writeArray(tickets.map(of)))}::${type}[])`;
  return `unnest(${array("uuid", ({ taskId }) => taskId)}, ${array("uuid", ({ stepId }) => stepId)},
    ${array("text", ({ key }) => key ?? "")}, ${array("text", ({ token }) => token)}
  ) with ordinality as ${alias} (task_id, step_id, key, token, place)`;
}

export async function giveBackTickets(
  client: PostgresClient,
  schema: Schema,
  turns: KeyTurns,
  { limit, given }: { readonly limit: string; readonly given: readonly GivenBack[] },
): Promise<readonly string[]> {
  const giveBack = `
    delete from ${schema}.tickets where ctid = any (array(
      select k.ctid from ${relationOf(given, "g")} cross join lateral (
        select k.ctid from ${schema}.tickets k
        where k.task_id = g.task_id and k.step_id = g.step_id and k.token = g.token
          and k.limit_name = ${quoteText(limit)}
        for update
      ) k
    ))`;
  return (await grant(client, schema, turns, { limit, first: [giveBack], asked: [] })).woken;
}

export async function settleTickets(client: PostgresClient, schema: Schema, turns: KeyTurns): Promise<Settling> {
  const limits = await waitingLimits(client, schema);
  const woken: string[] = [];
  for (const limit of limits) {
    const takeBack = `
      delete from ${schema}.tickets k
      where k.limit_name = ${quoteText(limit)} and k.granted_at is not null and (
        ${isHeldForNothing(schema)} or (
          not ${isOver(schema)} and k.granted_at < now() - ${UNDRIVEN_MS} * interval '1 ms'
          and (select t.lease_owner is null from ${schema}.tasks t where t.id = k.task_id)
        )
      )`;
    woken.push(...(await grant(client, schema, turns, { limit, first: [takeBack], asked: [] })).woken);
  }
  return { woken, isWaiting: limits.length > 0 && (await waitingLimits(client, schema)).length > 0 };
}

/** Whether the task or the step of ticket k has ended. */
function isOver(schema: Schema): string {
  return `(
    (select t.finished_at is not null from ${schema}.tasks t where t.id = k.task_id)
    or coalesce((
      select s.status not in ('PLANNED', 'RUNNING')
      from ${schema}.task_steps s where s.task_id = k.task_id and s.id = k.step_id
    ), false)
  )`;
}

/** TK1, of ticket k: its step has ended, and its tool runs nowhere any more. */
export function isHeldForNothing(schema: Schema): string {
  return `(${isOver(schema)} and (
    not k.begun
    or not exists (
      select from ${schema}.workers w where w.id::text = split_part(k.token, ' ', 1) and w.lease_until > now()
    )
    or coalesce((
      select s.updated_at < now() - ${LEAVING_MS} * interval '1 ms'
      from ${schema}.task_steps s where s.task_id = k.task_id and s.id = k.step_id
    ), true)
  ))`;
}

/** One step down the index for each. */
async function waitingLimits(client: PostgresClient, schema: Schema): Promise<readonly string[]> {
  const next = (after: string): string => `
    select k.limit_name from ${schema}.tickets k where k.granted_at is null ${after} order by k.limit_name limit 1`;
  const rows = await client.query<{ name: string }>(
    `with recursive found (name) as (
      (${next("and k.limit_name > ''")})
      union all
      select (${next("and k.limit_name > found.name")}) from found where found.name is not null
    )
    select name from found where name is not null`,
  );
  return rows.map(({ name }) => name);
}

interface Grant {
  readonly limit: string;
  /** Earlier statements, under the limit's lock. */
  readonly first: readonly string[];
  /** They hear of their tickets by the answer. */
  readonly asked: readonly Ticket[];
}

async function grant(
  client: PostgresClient,
  schema: Schema,
  turns: KeyTurns,
  { limit, first, asked }: Grant,
): Promise<Granting> {
  const granted = new Set<string>();
  const woken: string[] = [];
  let statements = first;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const [row] = await client.queryAfter<GrantRow>(
      [lock(schema, limit), ...statements].join(";\n"),
      grantStatement(schema, turns, limit, asked),
    );
    if (!row) throw new Error("A grant gives one row.");
    for (const id of JSON.parse(row.granted) as string[]) granted.add(id);
    woken.push(...(JSON.parse(row.woken) as string[]));
    for (const [last, keys] of JSON.parse(row.visits) as [string, number][]) turns.note(turnOf(limit), { last, keys });
    if (!row.is_cut) break;
    statements = [];
  }
  return { granted: [...granted], woken };
}

function turnOf(limit: string): string {
  return `tool ${limit}`;
}

/** TK2. */
function lock(schema: Schema, limit: string): string {
  return `select pg_advisory_xact_lock(
    hashtextextended('taskonaut:limit:' || ${quoteText(schema)} || ':' || ${quoteText(limit)}, 0)
  )`;
}

/**
 * It chooses its grants among tickets of all kinds; tickets of steps and tasks that have ended are removed, and cut the
 * call short.
 */
function grantStatement(schema: Schema, turns: KeyTurns, limit: string, asked: readonly Ticket[]): Query {
  const { after, perVisit } = turns.placeOf(turnOf(limit), GRANT_MAX);
  const tool = toolOfLine(limit);
  const ids = [writeArray(asked.map(({ taskId }) => taskId)), writeArray(asked.map(({ stepId }) => stepId))];
  return {
    text: grantText(schema, { isOfTool: tool !== undefined }),
    parameters: [limit, after, perVisit, ...ids, ...(tool === undefined ? [] : [tool])],
  };
}

/** TK5, if the line is that of a tool without a limit. */
function grantText(schema: Schema, { isOfTool }: { readonly isOfTool: boolean }): string {
  const name = "$1::text";
  const after = "$2::text";
  const perVisit = "$3::integer";
  const asked = "unnest((select $4::uuid[]), (select $5::uuid[])) as a (task_id, step_id)";
  const tickets = `${schema}.tickets`;
  const askedIds = `(select a.step_id from ${asked})`;
  const unlessPaused = isOfTool
    ? ` and not exists (select from ${schema}.pauses p where p.scope = 'tool' and p.name = $6::text)`
    : "";
  const waiting = `k.limit_name = ${name} and k.granted_at is null${unlessPaused}`;
  const number = "(select c.number from counted c where c.task_id = t.id)";
  return `
  with recursive l as materialized (
    select
      nullif(coalesce(l.running, l.own_running), 0) as running,
      nullif(coalesce(l.running_per_key, l.own_running_per_key), 0) as per_key,
      nullif(coalesce(l.rate_count, l.own_rate_count), 0) as rate_count,
      case when l.rate_count is null then ${boundedRate("l.own_rate_ms")} else ${boundedRate("l.rate_ms")} end as rate_ms
    from (select) one left join ${schema}.limits l on l.kind = 'tool' and l.name = ${name}
  ), r as materialized (
    select l.*, greatest(1, ceil(l.rate_ms / 100.0)::bigint) as slice_ms,
      greatest(0, least(
        ${GRANT_MAX},
        l.running - case when l.running is null then 0 else (
          select count(*) from ${tickets} k where k.limit_name = ${name} and k.granted_at is not null
        ) end,
        l.rate_count - (
          select coalesce(sum(s.count), 0) from ${schema}.limit_starts s
          where s.kind = 'tool' and s.name = ${name} and s.last_at > now() - l.rate_ms * interval '1 ms'
        )
      )) as wanted
    from l
  ), v (n, key, lap, taken, ids) as (
    select 0, ${after} collate "C", 0, 0, '{}'::bigint[]
    union all
    select v.n + 1, next.key, next.lap, v.taken + cardinality(found.ids), found.ids
    from v cross join r
    cross join lateral (
      select (
        select k.key from ${tickets} k where ${waiting} and k.key > v.key order by k.key limit 1
      ) as key offset 0
    ) onward
    cross join lateral (
      select v.lap + (onward.key is null)::integer as lap, case
        when onward.key is not null then onward.key
        when v.lap = 0 then (select k.key from ${tickets} k where ${waiting} order by k.key limit 1)
      end as key offset 0
    ) next
    cross join lateral (
      select array(
        select k.id from (
          select k.id from ${tickets} k where ${waiting} and k.key = next.key order by k.id limit ${GRANT_MAX}
        ) k
        limit greatest(0, least(${perVisit}, r.per_key - case when r.per_key is null then 0 else (
          select count(*) from ${tickets} h
          where h.limit_name = ${name} and h.key = next.key and h.granted_at is not null
        ) end))
      ) as ids offset 0
    ) found
    where v.n < ${KEYS_MAX} and v.taken < r.wanted and next.key is not null
      and (next.lap = 0 or next.key <= ${after})
  ), chosen as materialized (
    select k.place, coalesce((
      select t.finished_at is null from ${schema}.tasks t where t.id = k.task_id
    ), false) and coalesce((
      select s.status in ('PLANNED', 'RUNNING')
      from ${schema}.task_steps s where s.task_id = k.task_id and s.id = k.step_id
    ), true) as is_open
    from (
      select v.key, i.id from v cross join lateral unnest(v.ids) with ordinality as i (id, part)
      order by v.n, i.part limit (select wanted from r)
    ) c cross join lateral (
      select k.ctid as place, k.task_id, k.step_id from ${tickets} k
      where ${waiting} and k.key = c.key and k.id = c.id offset 0
    ) k
  ), gone as (
    delete from ${tickets} where ctid = any (array(select place from chosen where not is_open))
  ), granted as (
    update ${tickets} set granted_at = now(), begun = step_id in ${askedIds} where ctid = any (array(select place from chosen where is_open))
    returning task_id, step_id
  ), waited as materialized (
    select g.task_id, g.step_id, row_number() over (partition by g.task_id order by g.step_id) as number
    from granted g where g.step_id not in ${askedIds}
  ), counted as materialized (
    select task_id, count(*) as number from waited group by task_id
  ), locked as materialized (
    select t.id from ${schema}.tasks t
    where t.id = any (array(select task_id from counted)) order by t.id for no key update
  ), woken as (
    update ${schema}.tasks t set
      wake_seq = t.wake_seq + ${number},
      due_at = case
        when t.parked_reason is not null or t.status = 'PLANNED' then t.due_at
        when t.lease_owner is not null then least(t.due_at, now())
        -- as if it had been in the queue from its creation on: who has a ticket keeps others from theirs
        else least(t.due_at, t.created_at)
      end
    where t.id = any (array(select id from locked)) and t.finished_at is null
    returning t.id, t.wake_seq - ${number} as before
  ), posted as (
    insert into ${schema}.task_inbox (task_id, seq, kind, step_id, created_at)
    select w.task_id, t.before + w.number, 'ticket', w.step_id, now()
    from waited w join woken t on t.id = w.task_id
  ), started as (
    insert into ${schema}.limit_starts (kind, name, slice_at, last_at, count)
    select 'tool', ${name}, ${sliceOf("now()")}, clock_timestamp(), count(*) from granted, r where r.rate_count is not null
    group by r.slice_ms having count(*) > 0
    on conflict (kind, name, slice_at) do update set ${addStarts("(select rate_ms from r)")}
  ), forgotten as (
    delete from ${schema}.limit_starts s
    where s.kind = 'tool' and s.name = ${name} and ${isPast("(select rate_ms from r)")}
  )
  select
    (
      select coalesce(json_agg(step_id), '[]')::text from (
        select k.step_id from ${asked} cross join lateral (
          select k.step_id, k.granted_at from ${tickets} k
          where k.task_id = a.task_id and k.step_id = a.step_id offset 0
        ) k where k.granted_at is not null
        union select g.step_id from granted g where g.step_id in ${askedIds}
      ) mine
    ) as granted,
    (select coalesce(json_agg(id), '[]')::text from woken) as woken,
    (
      select coalesce(json_agg(json_build_array(v.key, v.n)), '[]')::text
      from (select key, n from v where n > 0 order by n desc limit 1) v
    ) as visits,
    exists (select from chosen where not is_open) or (
      (select count(*) from chosen) < (select wanted from r) and exists (
        select from v, r where cardinality(v.ids) = ${perVisit} and ${perVisit} < coalesce(r.per_key, ${perVisit} + 1)
      )
    ) or (select count(*) from chosen) = ${GRANT_MAX} as is_cut`;
}
