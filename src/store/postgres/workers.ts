// The table `workers`, and which of them live. A worker is dead when its lease has passed. Peers may end the lease of a
// worker that died before (`death-watch.ts`); a caller that asks by hand about one worker is told what can be known at
// once.

import type { Judged } from "../../core/record/judged.ts";
import type { DeathCause } from "../blame.ts";
import type { Processes, Whereabouts } from "../processes.ts";
import { storableText } from "../storable-text.ts";
import type { ListedWorker, NewWorker, WorkerState } from "../worker-store.ts";
import { type StoredWorker, WORKERS } from "../tables.ts";
import { judge } from "../wrong-column.ts";
import { type Columns, columnsOf, selectList } from "./columns.ts";
import type { Parameter, PostgresClient } from "./connection.ts";
import type { Suspect } from "./death-watch.ts";
import { quoteText, type Schema } from "./schema.ts";

type Query = <Row>(text: string, parameters?: readonly Parameter[]) => Promise<Row[]>;

export interface WorkerLease {
  readonly id: string;
  readonly leaseMs: number;
}

/** The key of a worker's lock, from its id as SQL. Worker ids are unique, so all schemas share the numbers. */
export function lockKey(id: string): string {
  return `hashtextextended('taskonaut:worker:' || ${id}, 0)`;
}

/** For a row `w` of workers. The locks are read once for all workers. */
const IS_LOCKED = `(
  ${lockKey("w.id::text")} in (
    select (l.classid::bigint << 32) | l.objid::bigint from pg_locks l
    where l.locktype = 'advisory' and l.granted and l.objsubid = 1
      and l.database = (select oid from pg_database where datname = current_database())
  )
)`;

/** The values that a registration writes, from these parameters. */
const REGISTERED: Columns<StoredWorker & { readonly grace_ms: number | null }> = {
  id: "$1::uuid",
  name: "$2",
  process: "$3",
  concurrency: "$4::integer",
  flows: "$7",
  codes: "$8",
  started_at: "now()",
  lease_until: "now() + $5::integer * interval '1 ms'",
  lease_ms: "$5::integer",
  grace_ms: "$6::integer",
  cause: "null",
};

export async function insertWorker(
  query: Query,
  schema: Schema,
  worker: NewWorker & { process: string; graceMs: number | null },
): Promise<void> {
  const names = Object.keys(REGISTERED);
  await query(
    `insert into ${schema}.workers (${names.join(", ")}) values (${Object.values(REGISTERED).join(", ")})
     on conflict (id) do update set ${names.map((name) => `${name} = excluded.${name}`).join(", ")}`,
    [
      worker.id,
      storableText(worker.name),
      worker.process,
      worker.concurrency,
      worker.leaseMs,
      worker.graceMs,
      JSON.stringify(worker.flows ?? []),
      JSON.stringify(worker.codes ?? {}),
    ],
  );
}

export async function renewWorker(query: Query, schema: Schema, { id, leaseMs }: WorkerLease): Promise<boolean> {
  const rows = await query(
    `update ${schema}.workers set lease_until = now() + $2::integer * interval '1 ms', lease_ms = $2::integer
     where id = $1::uuid returning 1`,
    [id, leaseMs],
  );
  return rows.length === 1;
}

export async function noteCause(query: Query, schema: Schema, id: string, cause: DeathCause | null): Promise<void> {
  await query(`update ${schema}.workers set cause = $2 where id = $1::uuid`, [id, cause && JSON.stringify(cause)]);
}

/**
 * Takes the lock of a worker again, if `locks`, and extends its lease from now on, in one step: whoever sees one sees
 * the other.
 */
export async function comeBack(
  query: Query,
  schema: Schema,
  { id, leaseMs, locks }: WorkerLease & { readonly locks: boolean },
): Promise<void> {
  await query(
    `with renewed as (
      update ${schema}.workers set lease_until = now() + $2::integer * interval '1 ms' where id = $1::uuid
    )
    select case when $3::boolean then pg_advisory_lock_shared(${lockKey("$1::text")}) end`,
    [id, leaseMs, locks],
  );
}

export interface Suspicions {
  /** Ids of the workers whose leases have passed. */
  readonly passed: readonly string[];
  readonly suspects: readonly Suspect[];
  /** The notes in their rows, by id: the possible causes of death. */
  readonly causes: ReadonlyMap<string, string>;
  /** The server process that reported it. */
  readonly backend: number;
}

export async function findSuspects(query: Query, schema: Schema, processes: Processes): Promise<Suspicions> {
  const rows = await query<{
    backend: number;
    id: string | null;
    is_over: boolean;
    lease: string;
    process: string;
    grace_ms: number | null;
    cause: string | null;
  }>(`select pg_backend_pid() as backend, w.id, w.is_over, w.lease, w.process, w.grace_ms, w.cause
    from (select) one left join (
      select w.id, w.lease_until <= now() as is_over, w.lease_until::text as lease, w.process, w.grace_ms, w.cause
      from ${schema}.workers w where w.lease_until <= now() or not ${IS_LOCKED}
    ) w on true`);
  const passed: string[] = [];
  const suspects: Suspect[] = [];
  const causes = new Map<string, string>();
  for (const { id, is_over: isOver, lease, process, grace_ms: graceMs, cause } of rows) {
    if (id === null) continue;
    if (cause !== null) causes.set(id, cause);
    if (isOver) passed.push(id);
    else suspects.push({ id, lease, whereabouts: processes.find(process), graceMs });
  }
  return { passed, suspects, causes, backend: rows[0]?.backend ?? 0 };
}

/** Returns the ids of workers that were not renewed meanwhile. */
export async function endLeases(query: Query, schema: Schema, dead: readonly Suspect[]): Promise<string[]> {
  const rows = await query<{ id: string }>(
    `update ${schema}.workers w set lease_until = now()
     from json_to_recordset($1::text::json) as dead (id uuid, lease timestamptz)
     where w.id = dead.id and w.lease_until = dead.lease returning w.id`,
    [JSON.stringify(dead.map(({ id, lease }) => ({ id, lease })))],
  );
  return rows.map(({ id }) => id);
}

/** The row of a worker that still holds a task stays, with an expired lease. */
export async function deleteWorker(client: PostgresClient, schema: Schema, id: string): Promise<void> {
  const which = `w.id = ${quoteText(id)}::uuid`;
  await client.execute(`
    ${deletion(schema, which)};
    update ${schema}.workers w set lease_until = least(lease_until, now()) where ${which}`);
}

export async function readWorkerState(
  client: PostgresClient,
  schema: Schema,
  processes: Processes,
  id: string,
): Promise<WorkerState> {
  const [row] = await client.read<Liveness>(
    `select w.lease_until > now() as has_lease, ${IS_LOCKED} as is_locked, w.process
     from ${schema}.workers w where w.id = $1::uuid`,
    [id],
  );
  return row ? stateOf(row, processes) : "dead";
}

interface Liveness {
  readonly has_lease: boolean;
  readonly is_locked: boolean;
  readonly process: string;
}

function stateOf({ has_lease: hasLease, is_locked: isLocked, process }: Liveness, processes: Processes): WorkerState {
  if (!hasLease) return "dead";
  const whereabouts: Whereabouts = isLocked ? "there" : processes.find(process);
  return whereabouts === "gone" ? "dead" : "alive";
}

export async function forgetDeadWorkers(client: PostgresClient, schema: Schema): Promise<number> {
  const forgotten = await client.execute(deletion(schema, "w.lease_until <= now()"));
  return forgotten.length;
}

/**
 * Removes rows of workers that hold nothing. A claim in progress locks their rows (`claim.ts`): the removal waits for
 * it, and the statement that begins then sees what it has leased.
 */
function deletion(schema: Schema, which: string): string {
  return `
    select from ${schema}.workers w where ${which} order by w.id for update;
    delete from ${schema}.workers w
    where ${which} and not exists (select from ${schema}.tasks t where t.due_at is not null and t.lease_owner = w.id)
    returning 1`;
}

/** Counts only tasks in the queue: a held task outside it is driven by a caller. */
export async function listWorkers(
  client: PostgresClient,
  schema: Schema,
  processes: Processes,
): Promise<Judged<ListedWorker>[]> {
  const rows = await client.read<StoredWorker & Pick<ListedWorker, "tasks"> & Liveness>(
    `select
       ${selectList(columnsOf(WORKERS, "w"))}, w.lease_until > now() as has_lease, ${IS_LOCKED} as is_locked,
       coalesce(held.tasks, 0) as tasks
     from ${schema}.workers w left join (
       select lease_owner as id, count(*)::integer as tasks from ${schema}.tasks
       where due_at is not null and lease_owner is not null group by lease_owner
     ) held on held.id = w.id
     order by w.started_at, w.id`,
  );
  return rows.map((row) => {
    const { has_lease, is_locked, process, lease_ms: _leaseMs, cause: _cause, ...worker } = judge(WORKERS, row);
    return { ...worker, state: stateOf({ has_lease, is_locked, process }, processes) };
  });
}
