// What a claim knows about the limits of a flow, and which tasks it takes if they have keys. It holds the file's write
// lock (LQ1 in `claim.ts`), or only asks whether there is anything to take.
//
// LK1. Tasks that have begun come first; they are searched among the first that are due. Other tasks are found key by
//      key, starting after the key that was served last: a claim looks at about as many rows as it takes, and at one
//      for each full key.
// LK2. A rate counts starts within slices of its time (`limit_starts`), and a slice counts until the time has passed
//      since its last start.

import type { TaskRow, Writable } from "../../core/record/record.ts";
import type { StoredNumbers } from "../limit-rows.ts";
import { BEGUN_MAX, type KeyTurns, KEYS_MAX } from "../key-turns.ts";
import type { Rate } from "../limit-store.ts";
import { type ClaimFlow, isLimited, sliceMs } from "../store.ts";
import type { SqliteConnection } from "./connection.ts";
import { isNumber } from "./statements.ts";
import { TASK_COLUMNS } from "./tasks.ts";

const LIMIT = `
  select own_running, own_running_per_key, own_rate_count, own_rate_ms, running, running_per_key, rate_count, rate_ms
  from limits where kind = $kind and name = $name`;

/** Tasks of a dead worker are taken over: they come before new ones, and do not count until then. */
const COUNT_HELD = `
  select count(*) as held from tasks indexed by tasks_held
  where flow_name = $flow and lease_owner is not null and limited = 1
    and lease_owner not in (select value from json_each($deadOwners))`;

/** For each key; from the index alone. */
const HELD_BY_KEY = `
  select limit_key as key, count(*) as held from tasks indexed by tasks_held
  where flow_name = $flow and lease_owner is not null and limited = 1 and limit_key is not null
    and lease_owner not in (select value from json_each($deadOwners))
  group by limit_key`;

const STARTS = `
  select coalesce(sum(count), 0) as used, min(last_at) as first from limit_starts
  where kind = $kind and name = $name and last_at > $since and ${isNumber("last_at")}`;

const FORGET = "delete from limit_starts where kind = $kind and name = $name and max(slice_at, last_at) <= $since";

/** A slice of an earlier rate may end in the same moment: its starts count no more if their time is over. */
const COUNT_STARTS = `
  insert into limit_starts (kind, name, slice_at, last_at, count) values ($kind, $name, $sliceAt, $now, $count)
  on conflict (kind, name, slice_at) do update set
    last_at = excluded.last_at, count = excluded.count + iif(last_at > $since, count, 0)`;

const MOVE_START = "update limit_starts set last_at = $now where kind = $kind and name = $name and slice_at = $sliceAt";

const IS_FREE = "(lease_owner is null or lease_owner in (select value from json_each($deadOwners)))";

const DEAD_HELD = `
  select ${TASK_COLUMNS} from tasks indexed by tasks_held
  where flow_name = $flow and lease_owner in (select value from json_each($deadOwners)) and due_at <= $now limit $limit`;

const BEGUN = `
  select ${TASK_COLUMNS} from tasks indexed by tasks_begun
  where flow_name = $flow and limit_key is not null and limit_begun = 1 and lease_owner is null and due_at <= $now
  order by due_at limit ${BEGUN_MAX}`;

/** A task that was created before its flow had a key is found among this many that are due first. */
const STRAYS = `
  select ${TASK_COLUMNS} from tasks where id in (
    select id from tasks indexed by tasks_due
    where flow_name = $flow and priority = $priority and due_at <= $now order by due_at limit 20
  ) and limit_key is null and ${IS_FREE} order by due_at limit $limit`;

const OF_KEY = "flow_name = $flow and limit_key is not null and due_at is not null and limit_begun = 0";

/**
 * The next keys, each with its longest due task; possibly none is due. One statement for many keys, which reads only
 * the index: one call per key would take longer than the rest of the claim.
 */
const NEXT_KEYS = `
  with recursive visit (n, key) as (
    select 1, (
      select limit_key from tasks indexed by tasks_by_key where ${OF_KEY} and limit_key > $after order by limit_key limit 1
    )
    union all
    select n + 1, (
      select limit_key from tasks indexed by tasks_by_key where ${OF_KEY} and limit_key > visit.key order by limit_key limit 1
    ) from visit where visit.key is not null and n < $count
  )
  select key, (
    select id from tasks indexed by tasks_by_key
    where ${OF_KEY} and limit_key = visit.key and due_at <= $now order by due_at, id limit 1
  ) as id
  from visit where key is not null`;

const FREE_ROWS = `
  select ${TASK_COLUMNS} from tasks where id in (select value from json_each($ids)) and due_at <= $now and ${IS_FREE}`;

const FRESH = `
  select ${TASK_COLUMNS} from tasks indexed by tasks_by_key
  where ${OF_KEY} and limit_key = $key and due_at <= $now and ${IS_FREE} order by due_at, id limit $limit`;

const PRIORITIES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

type Due = Writable<TaskRow>;

/** The state of a flow at this moment, with the numbers that were set in place of its own. */
export interface FlowRoom {
  /** How many more of its tasks may be claimed. */
  readonly room: number;
  readonly keyHeldMax: number | null;
  readonly rate: Rate | null;
  /** How many of them may be tasks that have not begun; Infinity: any number. */
  readonly left: number;
  /** When it grows, if it is 0; in store time. */
  readonly nextAt: number | null;
}

export interface LimitedClaim {
  readonly now: number;
  /** A JSON array of ids. */
  readonly deadOwners: string;
}

export function roomOf(connection: SqliteConnection, flow: ClaimFlow, { now, deadOwners }: LimitedClaim): FlowRoom {
  const { name, limit } = flow;
  if (!isLimited(flow)) {
    return { room: limit, keyHeldMax: null, rate: null, left: Number.POSITIVE_INFINITY, nextAt: null };
  }
  const own = { heldMax: flow.heldMax, keyHeldMax: flow.keys?.heldMax ?? null, rate: flow.rate ?? null };
  const { heldMax, ...found } = roomOfLimit(connection, { kind: "flow", name, own }, now);
  if (heldMax === null) return { ...found, room: limit };
  const count = connection.prepare<{ held: number }>(COUNT_HELD);
  return { ...found, room: Math.min(limit, heldMax - (count.get({ flow: name, deadOwners })?.held ?? 0)) };
}

interface Numbers {
  readonly heldMax: number | null;
  readonly keyHeldMax: number | null;
  readonly rate: Rate | null;
}

/** The effective numbers, and what the rate leaves of them. */
export interface LimitRoom extends Numbers {
  readonly left: number;
  readonly nextAt: number | null;
}

/** `own`: the code's numbers; by default the last declared ones. */
export function roomOfLimit(
  connection: SqliteConnection,
  { kind, name, own }: { kind: "flow" | "tool"; name: string; own?: Numbers },
  now: number,
): LimitRoom {
  const row = connection.prepare<StoredNumbers>(LIMIT).get({ kind, name });
  const { heldMax, keyHeldMax, rate } = numbersOf(row ?? undefined, own ?? ownOf(row ?? undefined));
  if (rate === null) return { heldMax, keyHeldMax, rate, left: Number.POSITIVE_INFINITY, nextAt: null };
  const starts = connection.prepare<{ used: number; first: number | null }>(STARTS);
  const { used, first } = starts.get({ kind, name, since: now - rate.perMs }) ?? { used: 0, first: null };
  const left = Math.max(0, rate.count - used);
  return { heldMax, keyHeldMax, rate, left, nextAt: left > 0 || first === null ? null : first + rate.perMs };
}

function ownOf(row: StoredNumbers | undefined): Numbers {
  return {
    heldMax: row?.own_running ?? null,
    keyHeldMax: row?.own_running_per_key ?? null,
    rate: rateOf(row?.own_rate_count, row?.own_rate_ms),
  };
}

/** A set number counts; 0 means no limit. */
function numbersOf(row: StoredNumbers | undefined, own: Numbers): Numbers {
  const isRateSet = (row?.rate_count ?? null) !== null;
  return {
    heldMax: (row?.running ?? own.heldMax) || null,
    keyHeldMax: (row?.running_per_key ?? own.keyHeldMax) || null,
    rate: isRateSet ? rateOf(row?.rate_count, row?.rate_ms) : own.rate,
  };
}

function rateOf(count: number | null | undefined, perMs: number | null | undefined): Rate | null {
  return count && perMs ? { count, perMs } : null;
}

/** LK2. Within the transaction that claims them. */
export function countStarts(
  connection: SqliteConnection,
  { kind, name, rate, count }: { kind: "flow" | "tool"; name: string; rate: Rate; count: number },
  now: number,
): void {
  const since = now - rate.perMs;
  connection.prepare(FORGET).run({ kind, name, since });
  if (count === 0) return;
  const slice = sliceMs(rate);
  connection.prepare(COUNT_STARTS).run({ kind, name, sliceAt: Math.ceil(now / slice) * slice, now, since, count });
}

/** What was counted at the time `from` begins only now. */
export function moveStart(
  connection: SqliteConnection,
  { kind, name, rate }: { kind: "flow" | "tool"; name: string; rate: Rate },
  from: number,
  now: number,
): void {
  const slice = sliceMs(rate);
  connection.prepare(MOVE_START).run({ kind, name, sliceAt: Math.ceil(from / slice) * slice, now });
}

/** The tasks to take from a flow with keys; `begun`: those that had begun before. */
export interface Taken {
  readonly tasks: readonly Due[];
  readonly begun: readonly Due[];
  /** Keys have more tasks than one look took, and there was room for them. */
  readonly isCut: boolean;
}

export function takeByKeys(
  connection: SqliteConnection,
  flow: ClaimFlow,
  { room, keyHeldMax, left }: FlowRoom,
  { now, deadOwners, turns }: LimitedClaim & { readonly turns: KeyTurns },
): Taken {
  const { name } = flow;
  const common = { flow: name, now, deadOwners };
  const tasks: Due[] = connection.prepare<Due>(DEAD_HELD).all({ ...common, limit: room });
  const known = new Set(tasks.map(({ id }) => id));
  const rooms = new Map<string, number>();
  if (keyHeldMax !== null) {
    const held = connection.prepare<{ key: string; held: number }>(HELD_BY_KEY).all({ flow: name, deadOwners });
    for (const { key, held: count } of held) rooms.set(key, keyHeldMax - count);
  }
  const roomOfKey = (key: string): number => rooms.get(key) ?? keyHeldMax ?? Number.POSITIVE_INFINITY;
  const take = (task: Due): void => {
    if (task.limit_key !== null) rooms.set(task.limit_key, roomOfKey(task.limit_key) - 1);
    known.add(task.id);
    tasks.push(task);
  };
  for (const { limit_key: key } of tasks) if (key !== null) rooms.set(key, roomOfKey(key) - 1);
  for (const task of connection.prepare<Due>(BEGUN).all({ flow: name, now })) {
    if (tasks.length >= room) break;
    if (!known.has(task.id) && roomOfKey(task.limit_key ?? "") > 0) take(task);
  }
  const begun = [...tasks];
  let started = 0;
  for (const priority of PRIORITIES) {
    if (tasks.length >= room) break;
    const strays = connection.prepare<Due>(STRAYS).all({ ...common, priority, limit: room - tasks.length });
    for (const task of strays) {
      const isStart = task.status === "PLANNED";
      if (known.has(task.id) || (isStart && started >= left)) continue;
      if (isStart) started += 1;
      take(task);
    }
  }
  const place = turns.placeOf(name, flow.limit);
  const fresh = connection.prepare<Due>(FRESH);
  let isCut = false;
  let keys = 0;
  let last = place.after;
  const isOver = (): boolean => tasks.length >= room || started >= left || keys >= KEYS_MAX;
  for (const page of keysFrom(connection, { flow: name, after: place.after, now, count: () => room - tasks.length })) {
    const ids = page.flatMap(({ key, id }) => (id !== null && roomOfKey(key) > 0 ? id : []));
    const rows = connection.prepare<Due>(FREE_ROWS).all({ ids: JSON.stringify(ids), now, deadOwners });
    const firsts = new Map(rows.map((row) => [row.id, row]));
    for (const { key, id } of page) {
      if (isOver()) break;
      last = key;
      keys += 1;
      const roomHere = Math.min(roomOfKey(key), room - tasks.length, left - started);
      const limit = Math.min(place.perVisit, roomHere);
      if (limit <= 0 || id === null) continue;
      const first = limit === 1 ? firsts.get(id) : undefined;
      const due = first ? [first] : fresh.all({ ...common, key, limit });
      const found = due.filter((task) => !known.has(task.id));
      for (const task of found) take(task);
      started += found.length;
      if (found.length === limit && limit < roomHere) isCut = true;
    }
    if (isOver()) break;
  }
  turns.note(name, { last, keys });
  return { tasks, begun, isCut: isCut && tasks.length < room && started < left };
}

interface KeyAndFirst {
  readonly key: string;
  readonly id: string | null;
}

/** Keys of tasks that have not begun; once around, starting after `after`. */
function* keysFrom(
  connection: SqliteConnection,
  { flow, after, now, count }: { flow: string; after: string; now: number; count: () => number },
): Generator<readonly KeyAndFirst[]> {
  const next = connection.prepare<KeyAndFirst>(NEXT_KEYS);
  const beyond = (key: string): readonly KeyAndFirst[] => next.all({ flow, now, after: key, count: count() });
  for (let page = beyond(after); page.length > 0; page = beyond(page.at(-1)?.key ?? "")) yield page;
  for (let page = beyond(""); page.length > 0; page = beyond(page.at(-1)?.key ?? "")) {
    const before = page.filter(({ key }) => key <= after);
    if (before.length > 0) yield before;
    if (before.length < page.length) return;
  }
}
