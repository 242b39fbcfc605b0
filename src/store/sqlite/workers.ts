// The table `workers`, and who of them lives: a worker is dead when its lease has passed, or when its lock
// (`worker-locks.ts`) is free, which is as soon as its process is gone.

import { storableText } from "../storable-text.ts";
import type { ListedWorker, WorkerRow, WorkerState } from "../store.ts";
import { type SqliteConnection, untilUnlocked } from "./connection.ts";
import type { WorkerLocks } from "./worker-locks.ts";

const INSERT = `
  insert into workers (id, name, concurrency, started_at, lease_until, lease_ms)
  values ($id, $name, $concurrency, $now, $now + $leaseMs, $leaseMs)
  on conflict (id) do update set
    name = excluded.name, concurrency = excluded.concurrency, started_at = excluded.started_at,
    lease_until = excluded.lease_until, lease_ms = excluded.lease_ms`;

const RENEW = "update workers set lease_until = $now + $leaseMs, lease_ms = $leaseMs where id = $id";

const DELETE = `
  delete from workers where id = $id
    and not exists (select 1 from tasks indexed by tasks_held where lease_owner = workers.id)`;

const COLUMNS = "id, name, concurrency, started_at, lease_until";

const READ = `select ${COLUMNS} from workers where id = $id`;

const LIST = `select ${COLUMNS} from workers order by started_at, id`;

const LIST_WITH_TASKS = `
  select ${COLUMNS}, (select count(*) from tasks indexed by tasks_held where lease_owner = workers.id) as tasks
  from workers order by started_at, id`;

const FORGET = `
  delete from workers where id in (select value from json_each($dead))
    and not exists (select 1 from tasks indexed by tasks_held where lease_owner = workers.id)`;

export async function registerWorker(
  connection: SqliteConnection,
  locks: WorkerLocks,
  worker: { id: string; name: string; leaseMs: number; concurrency: number; now: number },
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
  return worker ? stateOf(worker, locks, now) : "dead";
}

/** Only reads: living workers ask several times a second. */
export function findDeadWorkers(
  connection: SqliteConnection,
  locks: WorkerLocks,
  now: number,
): Promise<readonly string[]> {
  return connection.read(() => selectDead(connection, locks, now));
}

export async function forgetDeadWorkers(
  connection: SqliteConnection,
  locks: WorkerLocks,
  now: () => number,
): Promise<number> {
  const dead = await findDeadWorkers(connection, locks, now());
  if (dead.length === 0) return 0;
  // Looked at again under the write lock: one of them may have come back with the same id.
  return connection.write(() => {
    const stillDead = selectDead(connection, locks, now());
    return connection.prepare(FORGET).run({ dead: JSON.stringify(stillDead) }).changes;
  });
}

export async function listWorkers(
  connection: SqliteConnection,
  locks: WorkerLocks,
  now: number,
): Promise<ListedWorker[]> {
  const workers = await connection.read(() => connection.prepare<WorkerRow & { tasks: number }>(LIST_WITH_TASKS).all());
  return workers.map((worker) => ({ ...worker, state: stateOf(worker, locks, now) }));
}

function selectDead(connection: SqliteConnection, locks: WorkerLocks, now: number): string[] {
  const workers = connection.prepare<WorkerRow>(LIST).all();
  return workers.filter((worker) => stateOf(worker, locks, now) === "dead").map(({ id }) => id);
}

function stateOf({ id, lease_until }: WorkerRow, locks: WorkerLocks, now: number): WorkerState {
  if (lease_until <= now) return "dead";
  return locks.holds(id) || locks.isTaken(id) ? "alive" : "dead";
}
