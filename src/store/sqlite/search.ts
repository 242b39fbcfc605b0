// Searches (`../search-plan.ts`): the keys of each stream are read separately, all in one snapshot, and merged here.
// Indexes are named: with another index a statement would be slow, and SQLite does not know how many rows there are.

import { ANY_TASK } from "../../core/record/row-filter.ts";
import { type ErrorRow, pageOfFound } from "../search-found.ts";
import {
  CANDIDATES_MAX,
  keysOfEach,
  placeBefore,
  planSearch,
  type Prefix,
  type PrefixKind,
  type SourceKind,
  streamsOf,
} from "../search-plan.ts";
import type { FoundTasks, SearchPage } from "../store.ts";
import type { SqliteConnection } from "./connection.ts";
import { fillGaps } from "./payloads.ts";
import { filterParameters, MATCHES } from "./row-filter.ts";

interface Key {
  readonly created_at: number;
  readonly id: string;
}

const MATCHING = `
  select t.id, t.flow_name, t.status, t.parked_reason, t.created_at, case when $error is not null then t.error end as error
  from json_each($ids) c cross join tasks t on t.id = c.value
  where ${MATCHES} limit $limit`;

/** See `Store.searchTasks`. */
export async function searchTasks(connection: SqliteConnection, page: SearchPage): Promise<FoundTasks> {
  const { filter = ANY_TASK, limit } = page;
  const plan = planSearch(filter);
  const streams = await streamsOf(plan.sources, (kind) => connection.read(() => readPrefixes(connection, kind)));
  const count = streams.reduce((sum, { prefixes }) => sum + prefixes.length, 0);
  if (count === 0) return { rows: [] };
  const wanted = limit + 1;
  const each = keysOfEach(count, wanted, plan.hasRest);
  const start = placeBefore(page.after, plan.until);
  const bounds = {
    createdAt: Math.min(start.createdAt, Number.MAX_SAFE_INTEGER),
    id: start.id,
    since: plan.since ?? Number.MIN_SAFE_INTEGER,
    limit: each,
  };
  const found = await connection.read(() => {
    const merged = new MergedKeys(each);
    for (const { kind, prefixes } of streams) {
      const statement = connection.prepare<Key>(SELECT_KEYS[kind]);
      for (const prefix of prefixes) merged.add(statement.all({ ...bounds, ...prefixParameters(kind, prefix) }));
    }
    const { keys, isCut } = merged.first(plan.hasRest ? CANDIDATES_MAX : wanted);
    const ids = JSON.stringify(keys.map(({ id }) => id));
    const rows = connection.prepare<ErrorRow>(MATCHING).all({ ...filterParameters(filter), ids, limit: wanted });
    const last = keys.at(-1);
    return { rows, looked: { at: last?.created_at ?? null, id: last?.id ?? null, isCut }, limit };
  });
  return pageOfFound(found, filter, (gaps) => fillGaps(connection, gaps));
}

/** Keys of several streams, in the order of lists. */
class MergedKeys {
  readonly #keys = new Map<string, Key>();
  /** SF3: keys after this one wait for the next page. */
  #frontier: Key | undefined;

  constructor(private readonly ofEach: number) {}

  add(keys: readonly Key[]): void {
    for (const key of keys) this.#keys.set(key.id, key);
    const last = keys.at(-1);
    if (last === undefined || keys.length < this.ofEach) return;
    if (this.#frontier === undefined || isBefore(last, this.#frontier)) this.#frontier = last;
  }

  first(max: number): { readonly keys: readonly Key[]; readonly isCut: boolean } {
    const frontier = this.#frontier;
    const known = [...this.#keys.values()].filter((key) => frontier === undefined || !isBefore(frontier, key));
    known.sort((one, other) => other.created_at - one.created_at || (one.id < other.id ? 1 : -1));
    const keys = known.slice(0, max);
    return { keys, isCut: frontier !== undefined || keys.length === max };
  }
}

/** In lists: the newest first. */
function isBefore(one: Key, other: Key): boolean {
  return one.created_at > other.created_at || (one.created_at === other.created_at && one.id > other.id);
}

/** The index of each kind, the condition that its rows share, and the condition of a stream. */
const STREAMS: Readonly<Record<SourceKind, { readonly index: string; readonly where: string }>> = {
  created: { index: "tasks_by_creation", where: "true" },
  open: { index: "tasks_open", where: "finished_at is null and flow_name = $a" },
  ended: { index: "tasks_ended", where: "finished_at is not null and flow_name = $a and status = $b" },
  parked: { index: "tasks_parked", where: "parked_reason is not null and flow_name = $a" },
  waiting: { index: "tasks_waiting", where: "waits is not null and flow_name = $a and waits = $b" },
  parent: { index: "tasks_of_parent", where: "parent_task_id is not null and parent_task_id = $a" },
  schedule: { index: "tasks_of_schedule", where: "schedule is not null and schedule = $a" },
  priority: { index: "tasks_of_priority", where: "priority <> 5 and priority = $a" },
  tag: { index: "task_tags_by_value", where: "key = $a and value = $b" },
};

const SELECT_KEYS = Object.fromEntries(
  Object.entries(STREAMS).map(([kind, { index, where }]) => {
    const [table, id] = kind === "tag" ? ["task_tags", "task_id"] : ["tasks", "id"];
    return [
      kind,
      `select created_at, ${id} as id from ${table} indexed by ${index}
      where ${where} and (created_at, ${id}) < ($createdAt, $id) and created_at >= $since
      order by created_at desc, ${id} desc limit $limit`,
    ];
  }),
) as Readonly<Record<SourceKind, string>>;

function prefixParameters(kind: SourceKind, [a, b]: Prefix): Record<string, string | number> {
  const value = (text: string): string | number => (kind === "priority" ? Number(text) : text);
  return {
    ...(a !== null && { a: value(a) }),
    ...(b !== null && { b: kind === "waiting" ? Number(b) : b }),
  };
}

/** By a walk from each value to the next: as many lookups as values. */
function readPrefixes(connection: SqliteConnection, kind: PrefixKind): Prefix[] {
  const { index, where, second } = PREFIXES[kind];
  const found: Prefix[] = [];
  const from = `from tasks indexed by ${index} where ${where}`;
  const nextFlow = connection.prepare<{ a: string }>(
    `select flow_name as a ${from} and flow_name > $a order by flow_name limit 1`,
  );
  const nextSecond =
    second === undefined
      ? undefined
      : connection.prepare<{ b: string | number }>(
          `select ${second} as b ${from} and flow_name = $a and ${second} > $b order by ${second} limit 1`,
        );
  for (let flow = nextFlow.get({ a: "" }); flow; flow = nextFlow.get(flow)) {
    const { a } = flow;
    if (!nextSecond) found.push([a, null]);
    for (let next = nextSecond?.get({ a, b: LEAST }); next; next = nextSecond?.get({ a, b: next.b })) {
      found.push([a, String(next.b)]);
    }
  }
  return found;
}

/** Sorts before every number and every text. */
const LEAST = -1;

const PREFIXES: Readonly<
  Record<PrefixKind, { readonly index: string; readonly where: string; readonly second?: string }>
> = {
  open: { index: "tasks_open", where: "finished_at is null" },
  ended: { index: "tasks_ended", where: "finished_at is not null", second: "status" },
  parked: { index: "tasks_parked", where: "parked_reason is not null" },
  waiting: { index: "tasks_waiting", where: "waits is not null", second: "waits" },
};
