// Searches (`../search-plan.ts`): one statement merges the keys of all streams, and returns the matches and how far it
// has looked.
//
// Limits in a text are for the planner, which takes limits in parameters for a tenth of all rows.

import { ANY_TASK, type RowFilter } from "../../core/record/row-filter.ts";
import { PAGE_MAX } from "../../core/limits.ts";
import { type ErrorRow, pageOfFound } from "../search-found.ts";
import {
  CANDIDATES_MAX,
  keysOfEach,
  placeBefore,
  planSearch,
  type Prefix,
  type PrefixKind,
  type SourceKind,
  type Streams,
  streamsOf,
} from "../search-plan.ts";
import type { BriefRow, FoundTasks, SearchPage } from "../store.ts";
import { TASKS } from "../tables.ts";
import { columnsOf, selectList } from "./columns.ts";
import type { Parameter, PostgresClient } from "./connection.ts";
import { fillGaps } from "./payloads.ts";
import { filterParameters, matches } from "./row-filter.ts";
import { writeArray } from "./row-encoding.ts";
import { IN_LIST, milliseconds, type Schema, timestamp } from "./schema.ts";

/** See `Store.searchTasks`. */
export async function searchTasks(client: PostgresClient, schema: Schema, page: SearchPage): Promise<FoundTasks> {
  const { filter = ANY_TASK, limit } = page;
  const plan = planSearch(filter);
  const streams = await streamsOf(plan.sources, (kind) => readPrefixes(client, schema, kind));
  const count = streams.reduce((sum, { prefixes }) => sum + prefixes.length, 0);
  if (count === 0) return { rows: [] };
  const wanted = limit + 1;
  const after = placeBefore(page.after, plan.until);
  const parameters: Parameter[] = [
    after.createdAt,
    after.id,
    plan.since,
    keysOfEach(count, wanted, plan.hasRest),
    plan.hasRest ? CANDIDATES_MAX : wanted,
    wanted,
    ...filterParameters(filter),
    ...streams.flatMap(({ prefixes }) => [0, 1].map((place) => writeArray(prefixes.map((prefix) => prefix[place])))),
  ];
  const found = await client.read<SearchRow>(
    selectMatches(schema, streams, { filter, hasRest: plan.hasRest }),
    parameters,
  );
  const [first] = found;
  const looked = { at: first?.last_at ?? null, id: first?.last_id ?? null, isCut: first?.is_cut ?? false };
  const rows = found.filter((row) => row.id !== null);
  return pageOfFound({ rows, looked, limit }, filter, (gaps) => fillGaps(client, schema, gaps));
}

/** At least one row: if nothing matches, `id` is null. */
interface SearchRow extends ErrorRow {
  readonly last_at: number | null;
  readonly last_id: string | null;
  readonly is_cut: boolean;
}

const COLUMNS = columnsOf(TASKS, "t");
const BRIEF = selectList<BriefRow>({
  id: COLUMNS.id,
  flow_name: COLUMNS.flow_name,
  status: COLUMNS.status,
  parked_reason: COLUMNS.parked_reason,
  created_at: COLUMNS.created_at,
});

const FIXED = 6;
/** The parameters of `filterParameters`. */
const FILTERED = 22;

function selectMatches(
  schema: Schema,
  streams: readonly Streams[],
  { filter, hasRest }: { readonly filter: RowFilter; readonly hasRest: boolean },
): string {
  const keys = streams.map(({ kind }, place) => {
    const first = FIXED + FILTERED + 1 + 2 * place;
    return `select k.created_at, k.id, k.nth
      from unnest($${first}::text[], $${first + 1}::text[]) as s (a, b)
      cross join lateral (
        select t.created_at, t.id, row_number() over (order by t.created_at desc, t.id desc) as nth
        from (select * from (${selectKeys(schema, kind)} limit ${PAGE_MAX + 1}) t limit $4::integer) t
      ) k`;
  });
  const isKnown =
    "not exists (select from frontier) or (k.created_at, k.id) >= (select f.created_at, f.id from frontier f)";
  return `with keys as materialized (
    ${keys.join(" union all ")}
  ), frontier as materialized (
    select k.created_at, k.id from keys k where k.nth = $4::integer order by k.created_at desc, k.id desc limit 1
  ), candidates as materialized (
    select * from (
      select k.created_at, k.id from keys k where ${isKnown}
      group by k.created_at, k.id order by k.created_at desc, k.id desc limit ${hasRest ? CANDIDATES_MAX : PAGE_MAX + 1}
    ) k limit $5::integer
  ), matching as (
    select ${BRIEF}, case when $${FIXED + 16}::text is not null then t.error::text end as error
    from candidates c cross join lateral (select * from ${schema}.tasks t where t.id = c.id offset 0) t
    where ${matches(schema, filter, FIXED)}
    order by c.created_at desc, c.id desc limit $6::integer
  ), looked as (
    select ${milliseconds("c.created_at")} as last_at, c.id as last_id from candidates c
    order by c.created_at, c.id limit 1
  )
  select m.*, looked.last_at, looked.last_id,
    exists (select from frontier) or (select count(*) from candidates) = $5::integer as is_cut
  from (select) one left join looked on true left join matching m on true
  order by m.created_at desc, m.id desc`;
}

/** The keys of stream `s` of one kind, in the order of lists, after the page before. */
function selectKeys(schema: Schema, kind: SourceKind): string {
  const [table, id] = kind === "tag" ? ["task_tags", "task_id"] : ["tasks", "id"];
  return `select t.created_at, t.${id} as id from ${schema}.${table} t
    where ${STREAMS[kind]}
      and (t.created_at, t.${id}) < (${timestamp("$1::float8")}, $2::uuid)
      and t.created_at >= ${timestamp("coalesce($3::float8, '-infinity')")}
    order by t.created_at desc, t.${id} desc`;
}

/** As in the index's own condition. */
const IS_OPEN = "coalesce(t.finished_at, '-infinity') = '-infinity'";

/** Each has an index that begins with these columns, and no other index fits. */
const STREAMS: Readonly<Record<SourceKind, string>> = {
  created: IN_LIST,
  open: `${IS_OPEN} and t.flow_name = s.a`,
  ended: "t.finished_at is not null and t.flow_name = s.a and t.end_status = s.b",
  parked: "t.parked_reason is not null and t.flow_name = s.a",
  waiting: "t.waits is not null and t.flow_name = s.a and t.waits = s.b::smallint",
  parent: "t.parent_task_id is not null and t.parent_task_id = s.a::uuid",
  schedule: "t.schedule is not null and t.schedule = s.a",
  priority: "t.priority <> 5 and t.priority = s.a::smallint",
  tag: "t.key = s.a and t.value = s.b",
};

/** By a walk from each value to the next: as many lookups as values. */
async function readPrefixes(client: PostgresClient, schema: Schema, kind: PrefixKind): Promise<Prefix[]> {
  const { columns, lowest, where } = PREFIXES[kind];
  const [a, b = "null"] = columns;
  const next = (after: string): string =>
    `select ${a} as a, ${b}::text as b from ${schema}.tasks t
    where ${where} and (${columns.join(", ")}) > (${after}) order by ${columns.join(", ")} limit 1`;
  const rows = await client.read<{ a: string; b: string | null }>(
    `with recursive found as (
      (${next(lowest)})
      union all
      select n.a, n.b from found cross join lateral (${next(kind === "waiting" ? "found.a, found.b::smallint" : columns.length === 1 ? "found.a" : "found.a, found.b")}) n
    ) select a, b from found`,
  );
  return rows.map((row): Prefix => [row.a, row.b]);
}

const PREFIXES: Readonly<
  Record<PrefixKind, { readonly columns: readonly string[]; readonly lowest: string; readonly where: string }>
> = {
  open: { columns: ["t.flow_name"], lowest: "''", where: IS_OPEN },
  ended: { columns: ["t.flow_name", "t.end_status"], lowest: "'', ''", where: "t.finished_at is not null" },
  parked: { columns: ["t.flow_name"], lowest: "''", where: "t.parked_reason is not null" },
  waiting: { columns: ["t.flow_name", "t.waits"], lowest: "'', 0", where: "t.waits is not null" },
};
