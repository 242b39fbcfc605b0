// What comes back to the queue: what a worker lets go of, and what was parked for other code.

import type { SqliteConnection } from "./connection.ts";

/** The version rises, as with every step of a driver: what was prepared under the lease cannot be written after it. */
const RELEASE = `
  update tasks indexed by tasks_held set lease_owner = null, version = version + 1, updated_at = max(updated_at, $now)
  where lease_owner = $workerId and id not in (select value from json_each($except))`;

const ORPHANED = `
  lease_owner is not null and due_at is not null
  and not exists (select 1 from workers where workers.id = tasks.lease_owner)`;

const HAS_ORPHANS = `select 1 from tasks indexed by tasks_held where ${ORPHANED} limit 1`;

const RELEASE_ORPHANS = `
  update tasks indexed by tasks_held set lease_owner = null, version = version + 1, updated_at = max(updated_at, $now)
  where ${ORPHANED}`;

/** `is not`: what was parked by code without a name was parked by other code. */
const PARKED_BY_OTHERS = "flow_name = $name and parked_reason is not null and parked_code is not $code";

const HAS_PARKED = `select 1 from tasks indexed by tasks_parked where ${PARKED_BY_OTHERS} limit 1`;

const UNPARK = `
  update tasks indexed by tasks_parked set
    parked_reason = null, parked_code = null, due_at = $now, version = version + 1, updated_at = max(updated_at, $now)
  where ${PARKED_BY_OTHERS}`;

export function releaseTasks(
  connection: SqliteConnection,
  { workerId, except }: { readonly workerId: string; readonly except: readonly string[] },
  now: () => number,
): Promise<number> {
  const parameters = { workerId, except: JSON.stringify(except) };
  return connection.write(() => connection.prepare(RELEASE).run({ ...parameters, now: now() }).changes);
}

export async function releaseOrphans(connection: SqliteConnection, now: () => number): Promise<number> {
  const hasAny = await connection.read(() => connection.prepare(HAS_ORPHANS).get() !== null);
  // Mostly there are none, and then nobody is kept from writing.
  if (!hasAny) return 0;
  return connection.write(() => connection.prepare(RELEASE_ORPHANS).run({ now: now() }).changes);
}

export async function unparkTasks(
  connection: SqliteConnection,
  flows: readonly { readonly name: string; readonly code: string }[],
  now: () => number,
): Promise<number> {
  const found = await connection.read(() =>
    flows.filter((flow) => connection.prepare(HAS_PARKED).get({ ...flow }) !== null),
  );
  // Mostly there is none, and then nobody is kept from writing.
  if (found.length === 0) return 0;
  return connection.write(() => {
    const at = now();
    return found.reduce((count, flow) => count + connection.prepare(UNPARK).run({ ...flow, now: at }).changes, 0);
  });
}
