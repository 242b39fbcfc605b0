// The table `limits`: the code's numbers of each limit, and the numbers that were set in their place.

import {
  type LimitRow,
  type LimitStore,
  type LinePlace,
  type OwnLimit,
  type TaskPlace,
  WAITING_MAX,
} from "../limit-store.ts";
import type { KeyTurns } from "../key-turns.ts";
import { type StoredLimit, toLimitRow } from "../limit-rows.ts";
import { appendEntry } from "./audit.ts";
import type { SqliteConnection } from "./connection.ts";
import { giveBackTickets, IS_HELD_FOR_NOTHING, settleTickets, takeTickets } from "./tickets.ts";

const DECLARE = `
  insert into limits (kind, name, is_keyed, own_running, own_running_per_key, own_rate_count, own_rate_ms)
  values ($kind, $name, $isKeyed, $running, $runningPerKey, $rateCount, $rateMs)
  on conflict (kind, name) do update set
    is_keyed = excluded.is_keyed, own_running = excluded.own_running,
    own_running_per_key = excluded.own_running_per_key, own_rate_count = excluded.own_rate_count,
    own_rate_ms = excluded.own_rate_ms`;

const LIST = `
  select l.*,
    case l.kind
      when 'flow' then (
        select count(*) from tasks indexed by tasks_held
        where flow_name = l.name and lease_owner is not null and limited = 1
      )
      else (
        select count(*) from tickets
        where limit_name = l.name and granted_at is not null and not ${IS_HELD_FOR_NOTHING}
      )
    end as running_now,
    case l.kind
      when 'flow' then (
        select count(*) from (
          select 1 from tasks indexed by tasks_due
          where flow_name = l.name and due_at <= $now and $name is null limit ${WAITING_MAX}
        )
      ) - (
        select count(*) from tasks indexed by tasks_held
        where flow_name = l.name and lease_owner is not null and due_at <= $now and $name is null
      )
      else (
        select count(*) from (
          select 1 from tickets where limit_name = l.name and granted_at is null and $name is null limit ${WAITING_MAX}
        )
      )
    end as waiting,
    (
      select coalesce(sum(count), 0) from limit_starts s
      where s.kind = l.kind and s.name = l.name and s.last_at > $now - coalesce(l.rate_ms, l.own_rate_ms)
    ) as begun,
    (
      select min(last_at) from limit_starts s
      where s.kind = l.kind and s.name = l.name and s.last_at > $now - coalesce(l.rate_ms, l.own_rate_ms)
    ) + coalesce(l.rate_ms, l.own_rate_ms) as next_at
  from limits l where $name is null or (l.kind = $kind and l.name = $name) order by l.kind, l.name`;

const SET = `
  update limits set
    running = iif($setsRunning, $running, running),
    running_per_key = iif($setsPerKey, $runningPerKey, running_per_key),
    rate_count = iif($setsRate, $rateCount, rate_count),
    rate_ms = iif($setsRate, $rateMs, rate_ms),
    reason = $reason, set_by = $by, set_at = $now
  where kind = $kind and name = $name`;

const RESET = `
  update limits set
    running = null, running_per_key = null, rate_count = null, rate_ms = null, reason = null, set_by = null, set_at = null
  where kind = $kind and name = $name`;

const PLACE_OF_STEP = `
  select (
    select count(*) from (
      select 1 from tickets o
      where o.limit_name = k.limit_name and o.key = k.key and o.granted_at is null and o.id < k.id limit ${WAITING_MAX}
    )
  ) as before
  from tickets k where k.task_id = $taskId and k.step_id = $stepId and k.granted_at is null`;

/** By key if it has one and has not begun; otherwise by its place in the queue of its flow. */
const PLACE_OF_TASK = `
  select case
    when t.limit_key is not null and not t.limit_begun then (
      select count(*) from (
        select 1 from tasks o indexed by tasks_by_key
        where o.flow_name = t.flow_name and o.limit_key = t.limit_key and o.limit_begun = 0
          and o.limit_key is not null and o.due_at is not null
          and (o.due_at, o.id) < (t.due_at, t.id) and o.lease_owner is null limit ${WAITING_MAX}
      )
    )
    when t.limit_key is not null then 0
    else (
      select count(*) from (
        select 1 from tasks o indexed by tasks_due
        where o.flow_name = t.flow_name and (
          (o.priority < t.priority and o.due_at <= $now) or (o.priority = t.priority and o.due_at <= t.due_at)
        ) and o.id <> t.id and o.lease_owner is null limit ${WAITING_MAX}
      )
    )
  end as before, (
    select count(*) from tasks h indexed by tasks_held
    where h.flow_name = t.flow_name and h.limit_key = t.limit_key and h.lease_owner is not null and h.limited = 1
  ) as ofKey
  from tasks t where t.id = $taskId and t.due_at <= $now and t.lease_owner is null`;

export function limitStore(connection: SqliteConnection, turns: KeyTurns, now: () => number): LimitStore {
  return {
    declare: (limits) => declareLimits(connection, limits),
    take: (limit, asked) => takeTickets(connection, turns, { limit, asked }, now),
    giveBack: (limit, given) => giveBackTickets(connection, turns, { limit, given }, now),
    settle: () => settleTickets(connection, turns, now),
    list: (only): Promise<readonly LimitRow[]> => {
      const which = { kind: only?.kind ?? null, name: only?.name ?? null };
      return connection.read(() =>
        connection
          .prepare<StoredLimit>(LIST)
          .all({ ...which, now: now() })
          .map(toLimitRow),
      );
    },
    set: ({ kind, name }, { running, runningPerKey, rate, reason, by }, audited) =>
      connection.write(() => {
        const set = connection.prepare(SET).run({
          kind,
          name,
          setsRunning: running === undefined ? 0 : 1,
          running: running ?? null,
          setsPerKey: runningPerKey === undefined ? 0 : 1,
          runningPerKey: runningPerKey ?? null,
          setsRate: rate === undefined ? 0 : 1,
          rateCount: rate ? rate.count : (rate ?? null),
          rateMs: rate ? rate.perMs : null,
          reason,
          by,
          now: now(),
        });
        if (set.changes === 0) return false;
        appendEntry(connection, audited?.audit, now());
        return true;
      }),
    reset: ({ kind, name }, audited) =>
      connection.write(() => {
        if (connection.prepare(RESET).run({ kind, name }).changes === 0) return false;
        appendEntry(connection, audited?.audit, now());
        return true;
      }),
    placeOfStep: (taskId, stepId) =>
      connection.read(() => connection.prepare<LinePlace>(PLACE_OF_STEP).get({ taskId, stepId }) ?? undefined),
    placeOfTask: (taskId) =>
      connection.read(() => connection.prepare<TaskPlace>(PLACE_OF_TASK).get({ taskId, now: now() }) ?? undefined),
  };
}

async function declareLimits(connection: SqliteConnection, limits: readonly OwnLimit[]): Promise<void> {
  if (limits.length === 0) return;
  await connection.write(() => {
    const declare = connection.prepare(DECLARE);
    for (const { kind, name, isKeyed, running, runningPerKey, rate } of limits) {
      declare.run({
        kind,
        name,
        isKeyed: isKeyed ? 1 : 0,
        running,
        runningPerKey,
        rateCount: rate?.count ?? null,
        rateMs: rate?.perMs ?? null,
      });
    }
  });
}
