// What comes back to the queue: released tasks of workers, and tasks that were parked for other code. There may be any
// number of them: they come back in batches, each a transaction; others write in between, and this process handles
// other events.

import { turnOfLoop } from "../../turn-of-loop.ts";
import type { SqliteConnection } from "./connection.ts";
import { NOTED_COLUMNS, type NotedTask, noteEvents } from "./events.ts";

/** The tasks of one transaction: some milliseconds. */
const BATCH = 500;

const HELD = `
  select id from tasks indexed by tasks_held
  where lease_owner = $workerId and id not in (select value from json_each($except)) limit ${BATCH}`;

/** A worker that releases a task has not died with it: no step of it is a suspect any more. */
const CLEAR = `update task_steps set starts = 0 where starts > 0 and task_id in (${HELD})`;

/**
 * The version rises, as with every step of a driver: changes prepared under the lease cannot be written after it. `or
 * ignore`: a damaged row, which the table refuses, keeps no other from being changed.
 */
const RELEASE = `
  update or ignore tasks set lease_owner = null, limited = 0, version = version + 1, updated_at = max(updated_at, $now)
  where id in (${HELD})
  returning ${NOTED_COLUMNS}`;

const ORPHANED = `
  lease_owner is not null and due_at is not null
  and not exists (select 1 from workers where workers.id = tasks.lease_owner)`;

const HAS_ORPHANS = `select 1 from tasks indexed by tasks_held where ${ORPHANED} limit 1`;

const RELEASE_ORPHANS = `
  update or ignore tasks set lease_owner = null, limited = 0, version = version + 1, updated_at = max(updated_at, $now)
  where id in (select id from tasks indexed by tasks_held where ${ORPHANED} limit ${BATCH})
  returning ${NOTED_COLUMNS}`;

/** `is not`: a task that was parked by code without a name was parked by other code. */
const PARKED_BY_OTHERS =
  "flow_name = $name and parked_reason is not null and finished_at is null and parked_code is not $code";

const HAS_PARKED = `select 1 from tasks indexed by tasks_parked where ${PARKED_BY_OTHERS} limit 1`;

const UNPARK = `
  update or ignore tasks set
    parked_reason = null, parked_code = null, deaths = 0, due_at = $now, version = version + 1,
    updated_at = max(updated_at, $now)
  where id in (select id from tasks indexed by tasks_parked where ${PARKED_BY_OTHERS} limit ${BATCH})
  returning ${NOTED_COLUMNS}`;

export function releaseTasks(
  connection: SqliteConnection,
  { workerId, except }: { readonly workerId: string; readonly except: readonly string[] },
  now: () => number,
): Promise<number> {
  const parameters = { workerId, except: JSON.stringify(except) };
  return inBatches(connection, () => {
    connection.prepare(CLEAR).run(parameters);
    return noted(connection, RELEASE, { ...parameters, now: now() });
  });
}

export async function releaseOrphans(connection: SqliteConnection, now: () => number): Promise<number> {
  const hasAny = await connection.read(() => connection.prepare(HAS_ORPHANS).get() !== null);
  // Usually there are none, and then no other writer is blocked.
  if (!hasAny) return 0;
  return inBatches(connection, () => noted(connection, RELEASE_ORPHANS, { now: now() }));
}

export async function unparkTasks(
  connection: SqliteConnection,
  flows: readonly { readonly name: string; readonly code: string }[],
  now: () => number,
): Promise<number> {
  const found = await connection.read(() =>
    flows.filter((flow) => connection.prepare(HAS_PARKED).get({ ...flow }) !== null),
  );
  // Usually there is none, and then no other writer is blocked.
  if (found.length === 0) return 0;
  let count = 0;
  for (const flow of found) {
    count += await inBatches(connection, () => noted(connection, UNPARK, { ...flow, now: now() }));
  }
  return count;
}

/** Returns how many tasks the statement has changed. */
function noted(
  connection: SqliteConnection,
  statement: string,
  parameters: Readonly<Record<string, string | number>> & { readonly now: number },
): number {
  const changed = connection.prepare<NotedTask>(statement).all(parameters);
  noteEvents(connection, "changed", changed, parameters.now);
  return changed.length;
}

/** `write` changes at most a batch, and returns how many: fewer if none is left. */
async function inBatches(connection: SqliteConnection, write: () => number): Promise<number> {
  for (let count = 0; ; await turnOfLoop()) {
    const changes = await connection.write(write);
    count += changes;
    if (changes < BATCH) return count;
  }
}
