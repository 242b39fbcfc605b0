// The table `workers`, and which of them live. All processes with the file are on its machine.
//
// LW1. A worker is dead when its lease has passed.
// LW2. Before that, it is dead if the operating system says that its process is gone, and its lock (`worker-locks.ts`)
//      is not taken.
// LW3. If nobody knows about the process, because it runs in another container, a free lock counts once a renewal was
//      missed as well. A missing lock proves nothing: a cleanup may have removed its file.

import type { Judged } from "../../core/record/judged.ts";
import type { DeathCause } from "../blame.ts";
import type { Processes } from "../processes.ts";
import { storableText } from "../storable-text.ts";
import type { ListedWorker, NewWorker, WorkerState } from "../worker-store.ts";
import { type StoredWorker, WORKERS } from "../tables.ts";
import { blameDead } from "./blame.ts";
import { type SqliteConnection, untilUnlocked } from "./connection.ts";
import { judge } from "../wrong-column.ts";
import { columnList, insertRow, insertsInto } from "./statements.ts";
import type { WorkerLocks } from "./worker-locks.ts";

const INSERTS = insertsInto(
  WORKERS,
  `on conflict (id) do update set ${WORKERS.names.map((name) => `${name} = excluded.${name}`).join(", ")}`,
);

const RENEW = "update workers set lease_until = $now + $leaseMs, lease_ms = $leaseMs where id = $id";

const NOTE_CAUSE = "update workers set cause = $cause where id = $id";

const DELETE = `
  delete from workers where id = $id
    and not exists (select 1 from tasks indexed by tasks_held where lease_owner = workers.id)`;

/** The row of a worker that still holds a task. */
const END_LEASE = "update workers set lease_until = min(lease_until, $now) where id = $id";

const COLUMNS = columnList(WORKERS, "workers");

const READ = `select ${COLUMNS} from workers where id = $id`;

const LIST = `select ${COLUMNS} from workers order by started_at, id`;

const LIST_WITH_TASKS = `
  with held as materialized (
    select lease_owner, count(*) as tasks from tasks indexed by tasks_held where lease_owner is not null group by lease_owner
  )
  select ${COLUMNS}, coalesce(held.tasks, 0) as tasks from workers left join held on held.lease_owner = workers.id
  order by started_at, id`;

const FORGET = `
  delete from workers where id in (select value from json_each($dead))
    and id not in (select lease_owner from tasks indexed by tasks_held where lease_owner is not null)
  returning id`;

/** The signs that show whether a worker lives. */
export interface Signs {
  readonly locks: WorkerLocks;
  readonly processes: Processes;
}

export async function registerWorker(
  connection: SqliteConnection,
  { locks, processes }: Signs,
  { id, name, leaseMs, concurrency, flows = [], codes = {}, now }: NewWorker & { now: number },
): Promise<void> {
  // The lock first: whoever sees the row has to find it.
  await untilUnlocked(connection, () => locks.take(id));
  const lease = { started_at: now, lease_until: now + leaseMs, lease_ms: leaseMs };
  const row = {
    id,
    name: storableText(name),
    concurrency,
    flows: JSON.stringify(flows),
    codes: JSON.stringify(codes),
    process: processes.own,
    cause: null,
    ...lease,
  };
  await connection.write(() => insertRow(connection, INSERTS, row));
}

export function renewWorker(
  connection: SqliteConnection,
  lease: { id: string; leaseMs: number; now: number },
): Promise<boolean> {
  return connection.write(() => connection.prepare(RENEW).run({ ...lease }).changes === 1);
}

export async function noteCause(
  connection: SqliteConnection,
  { id, cause }: { id: string; cause: DeathCause | null },
): Promise<void> {
  await connection.write(() => connection.prepare(NOTE_CAUSE).run({ id, cause: cause && JSON.stringify(cause) }));
}

export async function removeWorker(
  connection: SqliteConnection,
  { locks }: Signs,
  { id, now }: { id: string; now: number },
): Promise<void> {
  await connection.write(() => {
    connection.prepare(DELETE).run({ id });
    connection.prepare(END_LEASE).run({ id, now });
  });
  locks.free(id);
}

export async function readWorkerState(
  connection: SqliteConnection,
  signs: Signs,
  { id, now }: { id: string; now: number },
): Promise<WorkerState> {
  const worker = await connection.read(() => connection.prepare<StoredWorker>(READ).get({ id }));
  return worker ? stateOf(worker, signs, now) : "dead";
}

/** Usually it only reads: living workers ask several times a second. */
export async function findDeadWorkers(
  connection: SqliteConnection,
  signs: Signs,
  now: () => number,
): Promise<readonly string[]> {
  const dead = await connection.read(() => selectDead(connection, signs, now()));
  if (dead.some(({ cause }) => cause !== null)) {
    await connection.write(() => {
      // checked again under the write lock: a worker may have come back
      for (const { id } of selectDead(connection, signs, now())) blameDead(connection, id);
    });
  }
  return dead.map(({ id }) => id);
}

export async function forgetDeadWorkers(
  connection: SqliteConnection,
  signs: Signs,
  now: () => number,
): Promise<number> {
  const dead = await findDeadWorkers(connection, signs, now);
  if (dead.length === 0) return 0;
  // Checked again under the write lock: one of them may have come back with the same id.
  const forgotten = await connection.write(() => {
    const stillDead = selectDead(connection, signs, now()).map(({ id }) => id);
    return connection.prepare<{ id: string }>(FORGET).all({ dead: JSON.stringify(stillDead) });
  });
  for (const { id } of forgotten) signs.locks.look(id); // its file is removed with it
  return forgotten.length;
}

export async function listWorkers(
  connection: SqliteConnection,
  signs: Signs,
  now: number,
): Promise<Judged<ListedWorker>[]> {
  const list = connection.prepare<StoredWorker & { tasks: number }>(LIST_WITH_TASKS);
  const workers = await connection.read(() => list.all());
  return workers.map((found) => {
    const worker = judge(WORKERS, found);
    const { process: _process, lease_ms: _leaseMs, cause: _cause, ...row } = worker;
    return { ...row, state: stateOf(worker, signs, now) };
  });
}

function selectDead(connection: SqliteConnection, signs: Signs, now: number): StoredWorker[] {
  const workers = connection.prepare<StoredWorker>(LIST).all();
  return workers.map((worker) => judge(WORKERS, worker)).filter((worker) => stateOf(worker, signs, now) === "dead");
}

function stateOf(worker: StoredWorker, { locks, processes }: Signs, now: number): WorkerState {
  const leftMs = worker.lease_until - now;
  if (leftMs <= 0) return "dead"; // LW1
  if (locks.holds(worker.id)) return "alive";
  switch (processes.find(worker.process)) {
    case "there":
      return "alive";
    case "gone":
      return locks.look(worker.id) === "taken" ? "alive" : "dead"; // LW2
    case "unknown":
      return leftMs < worker.lease_ms / 2 && locks.look(worker.id) === "free" ? "dead" : "alive"; // LW3
  }
}
