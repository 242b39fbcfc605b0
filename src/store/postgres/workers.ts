// The table `workers`, and who of them lives. A worker is dead when its lease has passed, or when its lock
// (`worker-locks.ts`) is free, which is as soon as its process is gone. A restart of the server frees every lock, so a
// free lock counts only when the server has been up for longer than the worker's lease. Where locks do not last (behind
// a pooler), the worker's row says so, and its lease alone counts.

import { storableText } from "../storable-text.ts";
import type { ListedWorker, WorkerState } from "../store.ts";
import type { PostgresClient } from "./connection.ts";
import { milliseconds, quoteText, type Schema } from "./schema.ts";
import { lockKey, type WorkerLocks } from "./worker-locks.ts";

/** Of a row `w` of workers. The locks are looked through once for all workers, and only where a lease still runs. */
const IS_ALIVE = `(
  w.lease_until > now() and (
    not w.locks or pg_postmaster_start_time() + w.lease_ms * interval '1 ms' > now()
    or ${lockKey("w.id::text")} in (
      select (l.classid::bigint << 32) | l.objid::bigint from pg_locks l
      where l.locktype = 'advisory' and l.granted and l.objsubid = 1
        and l.database = (select oid from pg_database where datname = current_database())
    )
  )
)`;

export async function registerWorker(
  client: PostgresClient,
  schema: Schema,
  locks: WorkerLocks,
  worker: { id: string; name: string; leaseMs: number; concurrency: number },
): Promise<void> {
  // The lock first: a row without one would be taken for a dead worker's.
  const isLocked = await locks.take(worker.id, client);
  await client.query(
    `insert into ${schema}.workers (id, name, concurrency, locks, started_at, lease_until, lease_ms)
     values ($1::uuid, $2, $3::integer, $4::boolean, now(), now() + $5::integer * interval '1 ms', $5::integer)
     on conflict (id) do update set name = excluded.name, concurrency = excluded.concurrency, locks = excluded.locks,
       started_at = excluded.started_at, lease_until = excluded.lease_until, lease_ms = excluded.lease_ms`,
    [worker.id, storableText(worker.name), worker.concurrency, isLocked, worker.leaseMs],
  );
}

export async function renewWorker(
  client: PostgresClient,
  schema: Schema,
  { id, leaseMs }: { id: string; leaseMs: number },
): Promise<boolean> {
  const rows = await client.query(
    `update ${schema}.workers set lease_until = now() + $2::integer * interval '1 ms', lease_ms = $2::integer
     where id = $1::uuid returning 1`,
    [id, leaseMs],
  );
  return rows.length === 1;
}

export async function removeWorker(
  client: PostgresClient,
  schema: Schema,
  locks: WorkerLocks,
  id: string,
): Promise<void> {
  await client.execute(deletion(schema, `w.id = ${quoteText(id)}::uuid`));
  await locks.free(id);
}

export async function readWorkerState(client: PostgresClient, schema: Schema, id: string): Promise<WorkerState> {
  const [row] = await client.query<{ alive: boolean }>(
    `select ${IS_ALIVE} as alive from ${schema}.workers w where w.id = $1::uuid`,
    [id],
  );
  return row?.alive ? "alive" : "dead";
}

export async function findDeadWorkers(client: PostgresClient, schema: Schema): Promise<string[]> {
  const rows = await client.query<{ id: string }>(`select w.id from ${schema}.workers w where not ${IS_ALIVE}`);
  return rows.map((row) => row.id);
}

export async function forgetDeadWorkers(client: PostgresClient, schema: Schema): Promise<number> {
  const forgotten = await client.execute(deletion(schema, `not ${IS_ALIVE}`));
  return forgotten.length;
}

/**
 * Of workers that hold nothing. A claim that is on its way holds their rows (`claim.ts`): it is waited for, and what it
 * has leased is seen by the statement that begins then.
 */
function deletion(schema: Schema, which: string): string {
  return `
    select from ${schema}.workers w where ${which} order by w.id for update;
    delete from ${schema}.workers w
    where ${which} and not exists (select from ${schema}.tasks t where t.due_at is not null and t.lease_owner = w.id)
    returning 1`;
}

/** Counts the tasks of the queue only: what is held without being in it, a caller drives. */
export function listWorkers(client: PostgresClient, schema: Schema): Promise<ListedWorker[]> {
  return client.query<ListedWorker>(
    `select
       w.id, w.name, w.concurrency, ${milliseconds("w.started_at")} as started_at,
       ${milliseconds("w.lease_until")} as lease_until,
       case when ${IS_ALIVE} then 'alive' else 'dead' end as state, coalesce(held.tasks, 0) as tasks
     from ${schema}.workers w left join (
       select lease_owner as id, count(*)::integer as tasks from ${schema}.tasks
       where due_at is not null and lease_owner is not null group by lease_owner
     ) held on held.id = w.id
     order by w.started_at, w.id`,
  );
}
