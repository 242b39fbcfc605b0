// The table `workers`, and who of them lives: a worker is dead when its lease has passed, or when its lock
// (`worker-locks.ts`) is free, which is as soon as its process is gone.

import { storableText } from "../storable-text.ts";
import type { WorkerRow, WorkerState } from "../store.ts";
import { type SqliteConnection, untilUnlocked } from "./connection.ts";
import type { WorkerLocks } from "./worker-locks.ts";

const INSERT = `
  insert into workers (id, name, started_at, lease_until, lease_ms) values ($id, $name, $now, $now + $leaseMs, $leaseMs)
  on conflict (id) do update set
    name = excluded.name, started_at = excluded.started_at, lease_until = excluded.lease_until, lease_ms = excluded.lease_ms`;

const RENEW = "update workers set lease_until = $now + $leaseMs, lease_ms = $leaseMs where id = $id";

const DELETE = "delete from workers where id = $id";

const COLUMNS = "id, name, started_at, lease_until";

const READ = `select ${COLUMNS} from workers where id = $id`;

const LIST = `select ${COLUMNS} from workers order by started_at, id`;

export async function registerWorker(
  connection: SqliteConnection,
  locks: WorkerLocks,
  worker: { id: string; name: string; leaseMs: number; now: number },
): Promise<void> {
  // The lock first: a row without one would be taken for a dead worker's.
  await untilUnlocked(connection, () => locks.take(worker.id));
  await connection.write(() => connection.prepare(INSERT).run({ ...worker, name: storableText(worker.name) }));
}

export function renewWorker(
  connection: SqliteConnection,
  lease: { id: string; leaseMs: number; now: number },
): Promise<boolean> {
  return connection.write(() => connection.prepare(RENEW).run({ ...lease }).changes === 1);
}

export async function removeWorker(connection: SqliteConnection, locks: WorkerLocks, id: string): Promise<void> {
  await connection.write(() => connection.prepare(DELETE).run({ id }));
  locks.free(id);
}

export async function readWorkerState(
  connection: SqliteConnection,
  locks: WorkerLocks,
  { id, now }: { id: string; now: number },
): Promise<WorkerState> {
  const worker = await connection.read(() => connection.prepare<WorkerRow>(READ).get({ id }));
  if (!worker || worker.lease_until <= now) return "dead";
  return locks.holds(id) || locks.isTaken(id) ? "alive" : "dead";
}

export function listWorkers(connection: SqliteConnection): Promise<WorkerRow[]> {
  return connection.read(() => connection.prepare<WorkerRow>(LIST).all());
}
