// The table `tickets` (TK1 to TK4 in `limit-store.ts`). A grant holds the file's write lock: that is the lock of every
// limit.

import {
  type GivenBack,
  GRANT_MAX,
  LEAVING_MS,
  type Granting,
  type Settling,
  type TicketRequest,
  UNDRIVEN_MS,
} from "../limit-store.ts";
import { KEYS_MAX, type KeyTurns } from "../key-turns.ts";
import { toolOfLine } from "../pause-store.ts";
import { turnOfLoop } from "../../turn-of-loop.ts";
import { countStarts, type LimitRoom, moveStart, roomOfLimit } from "./claim-limited.ts";
import type { SqliteConnection } from "./connection.ts";
import { insertPost } from "./inbox.ts";

const ASK = `
  insert into tickets (limit_name, key, task_id, step_id, token)
  select $limit, $key, $taskId, $stepId, $token
  where exists (select 1 from tasks where id = $taskId and finished_at is null)
  on conflict (task_id, step_id) do update set
    token = excluded.token, limit_name = excluded.limit_name, key = excluded.key,
    granted_at = case when limit_name = excluded.limit_name and not $isPause then granted_at end,
    begun = limit_name = excluded.limit_name and granted_at is not null`;

const LATE = `
  select id, granted_at from tickets
  where task_id = $taskId and step_id = $stepId and limit_name = $limit and granted_at is not null and begun = 0`;

const MOVE = "update tickets set granted_at = $grantedAt where id = $id";

const IS_GRANTED = "select 1 from tickets where task_id = $taskId and step_id = $stepId and granted_at is not null";

const GIVE_BACK = `
  delete from tickets where task_id = $taskId and step_id = $stepId and limit_name = $limit and token = $token`;

/** The step from one to the next is made here: a damaged name that is read and given back is another one, before itself. */
const WAITING_LIMITS = `
  with recursive names (name) as (
    values ('')
    union all
    select (
      select limit_name from tickets indexed by tickets_waiting
      where granted_at is null and limit_name > names.name order by limit_name limit 1
    ) from names where name is not null
  )
  select name from names where name <> ''`;

const IS_OVER = `
  exists (
    select 1 from task_steps s where s.task_id = tickets.task_id and s.id = tickets.step_id
      and s.status not in ('PLANNED', 'RUNNING')
  )`;

const HAS_ENDED = `(
  ${IS_OVER} or exists (select 1 from tasks t where t.id = tickets.task_id and t.finished_at is not null)
)`;

/** TK1: its step has ended, and its tool runs nowhere any more. */
export const IS_HELD_FOR_NOTHING = `(${HAS_ENDED} and (
  tickets.begun = 0
  or not exists (select 1 from workers w where w.id = substr(tickets.token, 1, 36) and w.lease_until > $now)
  or not exists (
    select 1 from task_steps s where s.task_id = tickets.task_id and s.id = tickets.step_id
      and s.updated_at >= $now - ${LEAVING_MS}
  )
))`;

const TAKE_BACK = `
  delete from tickets where limit_name = $limit and granted_at is not null and (
    ${IS_HELD_FOR_NOTHING} or (
      not ${HAS_ENDED} and granted_at < $now - ${UNDRIVEN_MS}
      and exists (select 1 from tasks t where t.id = tickets.task_id and t.lease_owner is null)
    )
  )`;

const COUNT_GRANTED = "select count(*) as count from tickets where limit_name = $limit and granted_at is not null";

const COUNT_OF_KEY = `${COUNT_GRANTED} and key = $key`;

const NEXT_KEY = `
  select key from tickets indexed by tickets_waiting
  where limit_name = $limit and granted_at is null and key > $after order by key limit 1`;

const FIRST_KEY = `
  select key from tickets indexed by tickets_waiting
  where limit_name = $limit and granted_at is null order by key limit 1`;

const OF_KEY = `
  select id, task_id, step_id, ${IS_OVER} or not exists (
    select 1 from tasks t where t.id = tickets.task_id and t.finished_at is null
  ) as is_over
  from tickets indexed by tickets_waiting
  where limit_name = $limit and granted_at is null and key = $key order by id limit $limitRows`;

const IS_PAUSED = "select 1 from pauses where scope = 'tool' and name = $tool";

const GRANT = "update tickets set granted_at = $now, begun = $begun where id = $id";

const REMOVE = "delete from tickets where id = $id";

/** As if it had been in the queue since its creation: a ticket blocks others. */
const HURRY = `
  update tasks set due_at = min(due_at, created_at)
  where id = $taskId and due_at is not null and lease_owner is null and status <> 'PLANNED'`;

interface Waiting {
  readonly id: number;
  readonly task_id: string;
  readonly step_id: string;
  readonly is_over: 0 | 1;
}

export function takeTickets(
  connection: SqliteConnection,
  turns: KeyTurns,
  { limit, asked }: { readonly limit: string; readonly asked: readonly TicketRequest[] },
  now: () => number,
): Promise<Granting> {
  return connection.write(() => {
    beginLate(connection, { limit, asked }, now());
    const ask = connection.prepare(ASK);
    const isPause = toolOfLine(limit) === undefined ? 0 : 1;
    for (const { taskId, stepId, key, token } of asked) ask.run({ limit, taskId, stepId, key, token, isPause });
    const woken = grant(connection, turns, limit, { now: now(), asked: new Set(asked.map(({ stepId }) => stepId)) });
    const isGranted = connection.prepare(IS_GRANTED);
    const granted = asked.filter(({ taskId, stepId }) => isGranted.get({ taskId, stepId }) !== null);
    return { granted: granted.map(({ stepId }) => stepId), woken };
  });
}

/** TK7: of tickets that were granted while their steps waited, and are asked for now. */
function beginLate(
  connection: SqliteConnection,
  { limit, asked }: { readonly limit: string; readonly asked: readonly TicketRequest[] },
  now: number,
): void {
  const { rate, left } = roomOfLimit(connection, { kind: "tool", name: limit }, now);
  if (rate === null) return;
  const ofLimit = { kind: "tool", name: limit, rate } as const;
  const late = connection.prepare<{ id: number; granted_at: number }>(LATE);
  const move = connection.prepare(MOVE);
  let started = 0;
  for (const { taskId, stepId } of asked) {
    const ticket = late.get({ limit, taskId, stepId });
    if (!ticket) continue;
    const isPast = ticket.granted_at <= now - rate.perMs;
    const isKept = !isPast || started < left;
    move.run({ id: ticket.id, grantedAt: isKept ? now : null });
    if (isPast && isKept) started += 1;
    else if (!isPast) moveStart(connection, ofLimit, ticket.granted_at, now);
  }
  countStarts(connection, { ...ofLimit, count: started }, now);
}

export function giveBackTickets(
  connection: SqliteConnection,
  turns: KeyTurns,
  { limit, given }: { readonly limit: string; readonly given: readonly GivenBack[] },
  now: () => number,
): Promise<readonly string[]> {
  return connection.write(() => {
    const giveBack = connection.prepare(GIVE_BACK);
    for (const { taskId, stepId, token } of given) giveBack.run({ limit, taskId, stepId, token });
    return grant(connection, turns, limit, { now: now(), asked: new Set() });
  });
}

export async function settleTickets(
  connection: SqliteConnection,
  turns: KeyTurns,
  now: () => number,
): Promise<Settling> {
  const woken: string[] = [];
  // usually nobody waits, and then no other writer is blocked
  for (const limit of await connection.read(() => waitingLimits(connection))) {
    const due = await connection.write(() => {
      connection.prepare(TAKE_BACK).run({ limit, now: now() });
      return grant(connection, turns, limit, { now: now(), asked: new Set() });
    });
    woken.push(...due);
    await turnOfLoop();
  }
  return { woken, isWaiting: (await connection.read(() => waitingLimits(connection))).length > 0 };
}

function waitingLimits(connection: SqliteConnection): string[] {
  return connection
    .prepare<{ name: string }>(WAITING_LIMITS)
    .all()
    .map(({ name }) => name);
}

/** Within a write. Returns the tasks that waited and are due now. */
function grant(
  connection: SqliteConnection,
  turns: KeyTurns,
  limit: string,
  { now, asked }: { readonly now: number; readonly asked: ReadonlySet<string> },
): readonly string[] {
  if (isPaused(connection, limit)) return [];
  const room = roomOfLimit(connection, { kind: "tool", name: limit }, now);
  let wanted = wantedOf(connection, limit, room);
  const woken: string[] = [];
  let started = 0;
  let isMore = true;
  while (isMore && wanted > 0) {
    isMore = false;
    const turn = `tool ${limit}`;
    const place = turns.placeOf(turn, wanted);
    let keys = 0;
    let last = place.after;
    for (const key of keysFrom(connection, limit, place.after)) {
      if (wanted <= 0 || keys >= KEYS_MAX) break;
      keys += 1;
      last = key;
      const limitRows = Math.min(place.perVisit, wanted, roomOfKey(connection, limit, key, room.keyHeldMax));
      if (limitRows <= 0) continue;
      const found = connection.prepare<Waiting>(OF_KEY).all({ limit, key, limitRows });
      if (found.length === limitRows) isMore = true;
      for (const { id, task_id: taskId, step_id: stepId, is_over: isOver } of found) {
        if (isOver) {
          connection.prepare(REMOVE).run({ id });
          continue;
        }
        connection.prepare(GRANT).run({ id, now, begun: asked.has(stepId) ? 1 : 0 });
        wanted -= 1;
        started += 1;
        if (!asked.has(stepId) && tell(connection, taskId, stepId, now)) woken.push(taskId);
      }
    }
    turns.note(turn, { last, keys });
  }
  if (room.rate) countStarts(connection, { kind: "tool", name: limit, rate: room.rate, count: started }, now);
  return woken;
}

/** TK5. */
function isPaused(connection: SqliteConnection, line: string): boolean {
  const tool = toolOfLine(line);
  return tool !== undefined && connection.prepare(IS_PAUSED).get({ tool }) !== null;
}

function wantedOf(connection: SqliteConnection, limit: string, { heldMax, left }: LimitRoom): number {
  const count = connection.prepare<{ count: number }>(COUNT_GRANTED);
  const room = heldMax === null ? GRANT_MAX : heldMax - (count.get({ limit })?.count ?? 0);
  return Math.min(GRANT_MAX, room, left);
}

function roomOfKey(connection: SqliteConnection, limit: string, key: string, heldMax: number | null): number {
  if (heldMax === null) return GRANT_MAX;
  return heldMax - (connection.prepare<{ count: number }>(COUNT_OF_KEY).get({ limit, key })?.count ?? 0);
}

/** Once around, starting after `after`: keys of waiting tickets. */
function* keysFrom(connection: SqliteConnection, limit: string, after: string): Generator<string> {
  const next = connection.prepare<{ key: string }>(NEXT_KEY);
  const beyond = (key: string): string | undefined => next.get({ limit, after: key })?.key;
  for (let key = beyond(after); key !== undefined; key = beyond(key)) yield key;
  let key = connection.prepare<{ key: string }>(FIRST_KEY).get({ limit })?.key;
  for (; key !== undefined && key <= after; key = beyond(key)) yield key;
}

/** TK3. */
function tell(connection: SqliteConnection, taskId: string, stepId: string, now: number): boolean {
  const none = { name: null, payload: null, error: null, idempotency_key: null, attempt_epoch: null };
  const isTold = insertPost(connection, { ...none, task_id: taskId, kind: "ticket", step_id: stepId }, now);
  if (isTold) connection.prepare(HURRY).run({ taskId });
  return isTold;
}
