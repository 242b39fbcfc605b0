// Removes ended tasks. Steps and calls go with them, by a trigger. Other tables have foreign keys. These would look for
// the rows of each task one by one, which takes as long as removing them, and mostly there are none: so they are switched
// off, and the rows of these tables are removed first. The database itself says which tables these are.

import type { EndStatus } from "../../core/flow/retention.ts";
import { RemovalPortion } from "../removal-portion.ts";
import { fitTogether } from "../sizes.ts";
import {
  type EndedQuery,
  type EndedTasks,
  type Removal,
  type RemovalResult,
  type RemovalStore,
  REMOVED_MAX,
} from "../removal-store.ts";
import { appendEntry } from "./audit.ts";
import type { SqliteConnection } from "./connection.ts";
import { CountChanges } from "./counts.ts";
import { NOTED_COLUMNS, type NotedTask, noteEvents } from "./events.ts";

/** A loose scan: one step down the index for each flow. */
const LIST_FLOWS = `
  with recursive flows (name) as (
    select ''
    union all
    select (
      select flow_name from tasks indexed by tasks_ended
      where finished_at is not null and flow_name > flows.name order by flow_name limit 1
    ) from flows where flows.name is not null
  )
  select name from flows where name <> ''`;

const IS_FREE = `
  (parent_task_id is null
    or not exists (select 1 from tasks as parent where parent.id = tasks.parent_task_id and parent.finished_at is null))`;

const SELECT_ENDED = `
  select id, created_at, recorded_bytes, finished_at <= $before and ${IS_FREE} as may_go
  from tasks indexed by tasks_ended
  where finished_at is not null and flow_name = $flow and status = $status and (created_at, id) > ($createdAt, $id)
    and created_at <= $before
  order by created_at, id limit ${REMOVED_MAX}`;

const SELECT_GOING = `
  select ${NOTED_COLUMNS} from tasks
  where id in (select value from json_each($ids)) and finished_at is not null and finished_at <= $before and ${IS_FREE}`;

/** Tables whose rows belong to a task by a foreign key. */
const SELECT_BELOW = `
  select name from sqlite_schema as below
  where type = 'table' and exists (select 1 from pragma_foreign_key_list(below.name) where "table" = 'tasks')`;

const TAKE_LEASE = `
  insert into duties (name, owner, lease_until) values ('remove tasks', $owner, $until)
  on conflict (name) do update set owner = excluded.owner, lease_until = excluded.lease_until
    where owner = excluded.owner or lease_until <= $now
  returning 1`;

/** Other work has nine tenths of the time; the search for the next portion, and the commit, take the rest. */
const RESTS = 9;

const FIRST = { createdAt: -1, id: "" };

interface EndedRow {
  readonly id: string;
  readonly created_at: number;
  readonly recorded_bytes: number;
  readonly may_go: 0 | 1;
}

export function removalStore(connection: SqliteConnection, now: () => number): RemovalStore {
  let tookMs = 0;
  const portion = new RemovalPortion();
  return {
    restMs: () => RESTS * tookMs,
    portion: () => portion.tasks,
    listEndedFlows: () =>
      connection.read(() =>
        connection
          .prepare<{ name: string }>(LIST_FLOWS)
          .all()
          .map(({ name }) => name),
      ),
    findEnded: (query) => connection.read(() => findEnded(connection, query, now())),
    async removeTasks(removal) {
      // only the work counts: a busy process comes late to it
      return connection.writeUnlinked(() => {
        const began = performance.now();
        const removed = removeTasks(connection, removal, now());
        tookMs = performance.now() - began;
        if (removed.kind === "removed" && removal.isDryRun !== true) portion.note(removed.count, tookMs);
        return removed;
      });
    },
  };
}

function findEnded(connection: SqliteConnection, { flow, status, keptMs, after }: EndedQuery, now: number): EndedTasks {
  const parameters: { flow: string; status: EndStatus; before: number } = { flow, status, before: now - keptMs };
  const found = connection.prepare<EndedRow>(SELECT_ENDED).all({ ...parameters, ...(after ?? FIRST) });
  const going = found.filter(({ may_go }) => may_go === 1);
  const fit = fitTogether(going);
  const last = fit < going.length ? going[fit - 1] : found.length === REMOVED_MAX ? found.at(-1) : undefined;
  return {
    ids: going.slice(0, fit).map(({ id }) => id),
    ...(last && { next: { createdAt: last.created_at, id: last.id } }),
  };
}

function removeTasks(
  connection: SqliteConnection,
  { ids, keptMs = 0, lease, isDryRun, audit }: Removal,
  now: number,
): RemovalResult {
  if (lease) {
    const { owner, ms } = lease;
    if (connection.prepare(TAKE_LEASE).get({ owner, until: now + ms, now }) === null) return { kind: "busy" };
  }
  // the clock of the process that wrote the end may be ahead of the store's
  const before = keptMs === 0 ? Number.MAX_SAFE_INTEGER : now - keptMs;
  const going = connection.prepare<NotedTask>(SELECT_GOING).all({ ids: JSON.stringify(ids), before });
  if (isDryRun) return { kind: "removed", count: going.length };
  const named = JSON.stringify(going.map(({ id }) => id));
  for (const { name } of connection.prepare<{ name: string }>(SELECT_BELOW).all()) {
    connection.prepare(`delete from ${name} where task_id in (select value from json_each($named))`).run({ named });
  }
  connection.prepare("delete from tasks where id in (select value from json_each($named))").run({ named });
  const counts = new CountChanges();
  for (const { flow_name, status } of going) counts.add(flow_name, status, -1);
  counts.write(connection);
  if (going.length > 0) appendEntry(connection, audit, now);
  noteEvents(connection, "removed", going, now);
  return { kind: "removed", count: going.length };
}
