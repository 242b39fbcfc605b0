// The parts of a claim that enforce limits of flows: what it knows about each flow, and which tasks it may take.
//
// PK1. The held tasks are the running tasks: there is no separate count, so no count is ever wrong. Tasks of a dead
//      worker count until somebody takes them over; so they are taken over first, and tasks that nobody holds come with
//      a later claim.
// PK2. In a flow whose tasks have keys, tasks that have begun come first; they are searched among the first that are
//      due. Other tasks are found key by key, starting after the key that was served last: however many tasks a key
//      has, and however many keys there are, a claim looks at about as many rows as it takes, and at one for each full
//      key.
// PK3. A rate counts starts within slices of its time (`limit_starts`), and a slice counts until the time has passed
//      since its last start. The claims themselves count them, under the flow's lock.

import { BEGUN_MAX, type KeyPlace, KEYS_MAX } from "../key-turns.ts";
import { CLAIM_MAX, type ClaimFlow, isLimited, sliceMs } from "../store.ts";
import { writeArray } from "./row-encoding.ts";
import { boundedRate, milliseconds, type Schema } from "./schema.ts";

/** A task that was created before its flow had a key is found among this many that are due first. */
const STRAYS_AMONG = 20;

/** No key is this long. It excludes nothing, but with it the planner expects a short range of keys. */
const BEYOND_KEYS = "repeat(chr(1114111), 300)";

/** What a claim knows about a flow: one column each, which comes as an array. */
const FLOW_COLUMNS: readonly (readonly [
  name: string,
  type: string,
  value: (flow: ClaimFlow, place: KeyPlace) => unknown,
])[] = [
  ["name", "text", ({ name }) => name],
  [`"limit"`, "integer", ({ limit }) => limit],
  ["is_limited", "boolean", isLimited],
  ["held_max", "integer", ({ heldMax }) => heldMax],
  ["is_keyed", "boolean", ({ keys }) => keys !== undefined],
  ["key_held_max", "integer", ({ keys }) => keys?.heldMax ?? null],
  ["rate_count", "integer", ({ rate }) => rate?.count ?? null],
  ["rate_ms", "bigint", ({ rate }) => rate?.perMs ?? null],
  ["slice_ms", "bigint", ({ rate }) => (rate ? sliceMs(rate) : null)],
  [`"after"`, "text", (_flow, { after }) => after],
  ["per_visit", "integer", (_flow, { perVisit }) => perVisit],
];

/** The columns of `limitedFlows`. */
export function flowParameters(flows: readonly ClaimFlow[], placeOf: (flow: ClaimFlow) => KeyPlace): string[] {
  return FLOW_COLUMNS.map(([, , value]) => writeArray(flows.map((flow) => value(flow, placeOf(flow)))));
}

/**
 * A relation of the flows, whose parameters come after the first `before`. Subqueries hide the length of the arrays
 * from the planner: it expects ten elements, however many come.
 */
export function limitedFlows(before: number): string {
  const columns = FLOW_COLUMNS.map(([, type], place) => `(select $${before + place + 1}::${type}[])`);
  return `unnest(${columns.join(", ")}) with ordinality as f (${FLOW_COLUMNS.map(([name]) => name).join(", ")}, place)`;
}

/**
 * For each flow: `most` tasks may be taken, only those of dead workers if `only_dead`; `left`: how many of them may be
 * tasks that have not begun, null if no rate counts them, and 0 until `next_at`.
 */
export function limitedFlow(schema: Schema, relation: string): string {
  return `
    select f.name, f.place, f.is_limited, f.is_keyed, f.key_held_max, f.rate_ms, f.slice_ms, f."after", f.per_visit,
      held.dead > 0 as only_dead,
      case when held.dead > 0 then f."limit" else greatest(0, least(f."limit", f.held_max - held."all")) end as most,
      case when f.rate_count is not null then greatest(0, f.rate_count - rate.used) end as "left",
      case when rate.used >= f.rate_count then rate.next_at end as next_at
    from (
      select f.name, f.place, f."limit", f.is_limited, f.is_keyed, f."after", f.per_visit,
        nullif(coalesce(o.running, f.held_max), 0) as held_max,
        nullif(coalesce(o.running_per_key, f.key_held_max), 0) as key_held_max,
        nullif(coalesce(o.rate_count, f.rate_count), 0) as rate_count,
        case when o.rate_count is null then f.rate_ms else ${boundedRate("o.rate_ms")} end as rate_ms,
        case when o.rate_count is null then f.slice_ms else greatest(1, ceil(${boundedRate("o.rate_ms")} / 100.0)::bigint) end as slice_ms
      from ${relation} left join lateral (
        select * from ${schema}.limits o where o.kind = 'flow' and o.name = f.name offset 0
      ) o on f.is_limited
    ) f
    cross join lateral (
      select count(*) as "all", count(*) filter (where t.lease_owner in (select id from dead)) as dead
      from ${schema}.tasks t where f.is_limited and t.flow_name = f.name and t.limited
    ) held
    cross join lateral (
      select coalesce(sum(s.count), 0)::integer as used, min(s.last_at) + f.rate_ms * interval '1 ms' as next_at
      from ${schema}.limit_starts s
      where f.rate_count is not null and s.kind = 'flow' and s.name = f.name
        and s.last_at > now() - f.rate_ms * interval '1 ms'
    ) rate
    where (select is_registered from worker)`;
}

/**
 * Relations `plain` and `keyed`: the tasks that may be taken, locked. `from`: where the walk begins, for flow f and a
 * priority.
 */
export function limitedCandidates(schema: Schema, from: string): string {
  const tasks = `${schema}.tasks`;
  const isFree = `(t.lease_owner is null or t.lease_owner in (select id from dead))`;
  return `
  plain as materialized (
    select f.place as flow_place, f.is_limited, row_number() over () as nr, t.* from flow f cross join lateral (
      select t.* from generate_series(0, 9) as level (priority)
      cross join lateral (
        select case when f."left" = 0 then (
          select t.due_at from ${tasks} t where t.flow_name = f.name and t.priority = level.priority and t.due_at <= now()
          order by t.due_at offset ${BEGUN_MAX} limit 1
        ) end as until offset 0
      ) walk
      cross join lateral (
        select t.id, t.id as task_id, t.lease_owner, t.version, t.recorded_bytes, t.status = 'PLANNED' as is_start
        from ${tasks} t
        where not f.is_keyed and t.flow_name = f.name and t.priority = level.priority and t.due_at <= now()
          and t.due_at >= coalesce(${from}, '-infinity') and t.due_at <= coalesce(walk.until, 'infinity')
          and ((t.lease_owner is null and not f.only_dead) or t.lease_owner in (select id from dead))
          and (f."left" is distinct from 0 or f.only_dead or t.status <> 'PLANNED')
        order by t.due_at limit ${CLAIM_MAX}
        for no key update skip locked
      ) t limit case when f."left" > 0 and not f.only_dead then least(f.most, f."left") else f.most end
    ) t limit ${CLAIM_MAX}
  ), dead_held as materialized (
    select f.place as flow_place, t.id, row_number() over () as nr from flow f cross join lateral (
      select t.id from ${tasks} t
      where f.is_keyed and f.only_dead and t.flow_name = f.name and t.limited and t.due_at <= now()
        and t.lease_owner in (select id from dead)
      limit f.most
    ) t
  ), going_on as materialized (
    select b.* from flow f cross join lateral (
      select f.place as flow_place, b.id, b.limit_key, b.due_at,
        row_number() over (partition by b.limit_key order by b.due_at, b.id) as nth,
        row_number() over (order by b.due_at, b.id) as nr
      from (
        select t.id, t.limit_key, t.due_at from ${tasks} t
        where f.is_keyed and not f.only_dead and f.most > 0 and t.flow_name = f.name and t.limit_key is not null
          and t.limit_begun and not t.limited and t.due_at <= now() and t.lease_owner is null
        order by t.due_at limit ${BEGUN_MAX}
      ) b
    ) b
    where f.key_held_max is null or b.nth <= f.key_held_max - (
      select count(*) from ${tasks} h where h.flow_name = f.name and h.limit_key = b.limit_key and h.limited
    )
  ), stray as materialized (
    select f.place as flow_place, t.id, t.is_start, row_number() over (order by t.due_at) as nr
    from flow f cross join lateral (
      select t.id, t.due_at, t.status = 'PLANNED' as is_start from (
        select t.id, t.due_at, t.status, t.limit_key, t.lease_owner
        from generate_series(0, 9) as level (priority) cross join lateral (
          select t.id, t.due_at, t.status, t.limit_key, t.lease_owner from ${tasks} t
          where f.is_keyed and not f.only_dead and f.most > 0 and t.flow_name = f.name and t.priority = level.priority
            and t.due_at <= now()
          order by t.due_at limit ${STRAYS_AMONG}
        ) t
      ) t where t.limit_key is null and ${isFree} and (f."left" is distinct from 0 or t.status <> 'PLANNED')
    ) t
  ), wanted as materialized (
    select f.*, least(
      f.most - (select count(*) from going_on g where g.flow_place = f.place)
        - (select count(*) from stray s where s.flow_place = f.place),
      f."left" - (select count(*) from stray s where s.flow_place = f.place and s.is_start)
    ) as wanted
    from flow f where f.is_keyed and not f.only_dead and f.most > 0
  ), onward as materialized (${walkKeys(tasks, isFree, { after: `f."after"`, wanted: "f.wanted" })}
  ), around as materialized (${walkKeys(tasks, isFree, {
    after: `''`,
    until: `f."after"`,
    wanted: "f.wanted - (select coalesce(max(o.taken), 0) from onward o where o.flow_place = f.place)",
  })}
  ), visit as materialized (
    select o.*, 0 as lap from onward o union all select a.*, 1 from around a
  ), chosen as materialized (
    select c.*, row_number() over (partition by c.flow_place order by c.source, c.nr, c.part) as rank from (
      select flow_place, id, 0 as source, nr, 0::bigint as part, false as is_start from dead_held
      union all select flow_place, id, 1, nr, 0, false from going_on
      union all select flow_place, id, 2, nr, 0, is_start from stray
      union all select v.flow_place, i.id, 3 + v.lap, v.n, i.part, true
        from visit v cross join lateral unnest(v.ids) with ordinality as i (id, part)
    ) c
  ), keyed as materialized (
    select c.flow_place, true as is_limited, c.rank as nr, t.*, c.is_start
    from (
      select c.* from chosen c join flow f on f.place = c.flow_place where c.rank <= f.most order by c.flow_place, c.rank
    ) c cross join lateral (
      select t.id, t.id as task_id, t.lease_owner, t.version, t.recorded_bytes from ${tasks} t
      where t.id = c.id and t.due_at <= now() and ${isFree}
      for no key update skip locked
    ) t
  )`;
}

interface Walk {
  readonly after: string;
  readonly until?: string;
  readonly wanted: string;
}

/**
 * PK2. The keys of flow f in order, from after `after` to `until`, with the tasks taken from each; until there are
 * enough. One walk for each half of the round: with both in one, each step took twice the time.
 */
function walkKeys(tasks: string, isFree: string, { after, until, wanted }: Walk): string {
  return `
    select f.place as flow_place, f.name, f.most, f."left", f.per_visit, f.key_held_max, v.n, v.key, v.taken, v.ids
    from wanted f cross join lateral (select ${wanted} as wanted offset 0) room
    cross join lateral (
      with recursive v (n, key, taken, ids) as (
        select 0, ${after} collate "C", 0, '{}'::uuid[]
        union all
        select v.n + 1, next.key, v.taken + cardinality(found.ids), found.ids
        from v
        cross join lateral (
          select (
            select t.limit_key from ${tasks} t
            where t.flow_name = f.name and t.limit_key > v.key and t.limit_key < ${BEYOND_KEYS}
              and t.limit_key is not null and t.due_at is not null and not t.limit_begun
            order by t.limit_key limit 1
          ) as key offset 0
        ) next
        cross join lateral (
          select array(
            select t.id from ${tasks} t
            where t.flow_name = f.name and t.limit_key = next.key and t.limit_key is not null and not t.limit_begun
              and t.due_at <= now() and ${isFree}
            order by t.due_at, t.id
            limit greatest(0, least(f.per_visit, f.key_held_max - (
              select count(*) from ${tasks} h where h.flow_name = f.name and h.limit_key = next.key and h.limited
            ) - (select count(*) from going_on g where g.flow_place = f.place and g.limit_key = next.key)))
          ) as ids offset 0
        ) found
        where v.n < ${KEYS_MAX} and v.taken < room.wanted and next.key is not null
          ${until === undefined ? "" : `and next.key <= ${until}`}
      )
      select v.n, v.key, v.taken, v.ids from v where v.n > 0
    ) v`;
}

/** PK3: counts the tasks taken in `claimed` (with `flow` and `is_start`). */
export function limitedStarts(schema: Schema): string {
  const slice = `to_timestamp(ceil(${milliseconds("now()")}::numeric / f.slice_ms) * f.slice_ms / 1000.0)`;
  return `
  started as (
    insert into ${schema}.limit_starts (kind, name, slice_at, last_at, count)
    select 'flow', f.name, ${slice}, clock_timestamp(), count(*) from claimed c join flow f on f.name = c.flow_name
    where f."left" is not null and c.is_start and c.taken_from is null group by f.name, f.slice_ms
    on conflict (kind, name, slice_at) do update set ${addStarts("(select rate_ms from flow where name = excluded.name)")}
  ), forgotten as (
    delete from ${schema}.limit_starts s using flow f
    where s.kind = 'flow' and s.name = f.name and ${isPast("f.rate_ms")}
  )`;
}

/** A slice of an earlier rate may end in the same moment: its starts count no more if their time is over. */
export function addStarts(rateMs: string): string {
  return `
      last_at = excluded.last_at,
      count = excluded.count + case when limit_starts.last_at > now() - ${rateMs} * interval '1 ms' then limit_starts.count else 0 end`;
}

/** PK3. Never of a slice that a start is counted in now. */
export function isPast(rateMs: string): string {
  return `greatest(s.slice_at, s.last_at) <= now() - ${rateMs} * interval '1 ms'`;
}

/** Where each flow's walk from key to key ended, as a JSON array of [name, last key, keys]. */
export const VISITS = `(
  select coalesce(json_agg(json_build_array(v.name, v.key, v.keys)), '[]')::text from (
    select distinct on (v.name) v.name, v.key, count(*) over (partition by v.name) as keys
    from visit v order by v.name, v.lap desc, v.n desc
  ) v
)`;

/** Keys have more tasks than one look took, and there was room for them. */
export const KEYS_ARE_CUT = `exists (
  select from visit v
  where cardinality(v.ids) = v.per_visit and v.per_visit < coalesce(v.key_held_max, v.per_visit + 1)
    and (select count(*) from chosen c where c.flow_place = v.flow_place) < least(v.most, v."left")
)`;
