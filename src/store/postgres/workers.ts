// The table `workers`, and who of them lives. A worker is dead when its lease has passed, or when its lock
// (`worker-locks.ts`) is free, which is as soon as its process is gone. A restart of the server frees every lock, so a
// free lock counts only when the server has been up for longer than the worker's lease.

import { storableText } from "../storable-text.ts";
import type { WorkerRow, WorkerState } from "../store.ts";
import type { PostgresClient } from "./connection.ts";
import { milliseconds, type Schema } from "./schema.ts";
import { LOCK_KEY, type WorkerLocks } from "./worker-locks.ts";

export async function registerWorker(
  client: PostgresClient,
  schema: Schema,
  locks: WorkerLocks,
  { id, name, leaseMs }: { id: string; name: string; leaseMs: number },
): Promise<void> {
  // The lock first: a row without one would be taken for a dead worker's.
  await locks.take(id);
  await client.query(
    `insert into ${schema}.workers (id, name, started_at, lease_until, lease_ms)
     values ($1::uuid, $2, now(), now() + $3::integer * interval '1 ms', $3::integer)
     on conflict (id) do update set name = excluded.name, started_at = excluded.started_at,
       lease_until = excluded.lease_until, lease_ms = excluded.lease_ms`,
    [id, storableText(name), leaseMs],
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
  await client.query(`delete from ${schema}.workers where id = $1::uuid`, [id]);
  await locks.free(id);
}

export async function readWorkerState(client: PostgresClient, schema: Schema, id: string): Promise<WorkerState> {
  const [row] = await client.query<{ alive: boolean }>(
    `select w.lease_until > now() and (
       pg_postmaster_start_time() + w.lease_ms * interval '1 ms' > now() or exists (
         select from pg_locks l
         where l.locktype = 'advisory' and l.granted and l.objsubid = 1
           and l.database = (select oid from pg_database where datname = current_database())
           and l.classid = ((k.key >> 32) & 4294967295)::oid and l.objid = (k.key & 4294967295)::oid
       )
     ) as alive
     from ${schema}.workers w cross join (select ${LOCK_KEY} as key) k where w.id = $1::uuid`,
    [id],
  );
  return row?.alive ? "alive" : "dead";
}

export function listWorkers(client: PostgresClient, schema: Schema): Promise<WorkerRow[]> {
  return client.query<WorkerRow>(
    `select id, name, ${milliseconds("started_at")} as started_at, ${milliseconds("lease_until")} as lease_until
     from ${schema}.workers order by workers.started_at, id`,
  );
}
