// The baseline on SQLite: prepared statements row by row, positional parameters, one transaction for each batch. Rows
// in one statement (`values (…), (…)`, `json_each`, `update … returning`) were measured too: none of them is faster.

import { BASELINE_BATCH, type Baseline } from "../baseline.ts";
import {
  echoAddEnd,
  type BaselineClaim,
  type BaselineStep,
  INPUT,
  RECORDED_BYTES,
  STEPS,
  stepIdOf,
} from "../baseline-rows.ts";
import type { SqliteConnection } from "./connection.ts";

const INSERT_TASK = `
  insert into tasks (id, flow_name, status, version, input_payload, recorded_bytes, due_at, created_at, updated_at)
  values (?1, 'echo_add', 'PLANNED', 1, ?2, ${RECORDED_BYTES.created}, ?3, ?3, ?3)`;

const INSERT_STEP = `
  insert into task_steps
    (task_id, id, step_index, path, kind, step_name, target, execution, status, input_payload, created_at, updated_at)
  values (?1, ?2, ?3, ?4, 'tool', ?5, ?5, 'pure', 'PLANNED', ?6, ?7, ?7)`;

const SELECT_DUE = `
  select id, version + 1 as version, input_payload as input from tasks
  where flow_name = 'echo_add' and due_at <= ?1 and lease_owner is null
  order by priority, due_at limit ${BASELINE_BATCH}`;

const LEASE = "update tasks set lease_owner = ?2, version = version + 1, updated_at = ?3 where id = ?1";

/** The outcome of the first step, which the flow has been given. */
const OBSERVE_TASK = `
  update tasks set status = 'RUNNING', version = version + 3, current_step = 1, observed_count = 1,
    recorded_bytes = ${RECORDED_BYTES.observed}, updated_at = ?4
  where id = ?1 and version = ?2 and lease_owner = ?3`;

const END_TASK = `
  update tasks set
    status = 'COMPLETED', version = version + 5, current_step = 2, observed_count = 2, output_payload = ?4,
    recorded_bytes = ${RECORDED_BYTES.ended},
    lease_owner = null, due_at = null, updated_at = ?5, finished_at = ?5
  where id = ?1 and version = ?2 and lease_owner = ?3`;

const END_STEP = `
  update task_steps set
    status = 'COMPLETED', output_payload = ?3, outcome_seq = ?4, observed_at = ?5, updated_at = ?5
  where task_id = ?1 and id = ?2`;

const INSERT_CALL = `
  insert into tool_calls (
    task_id, task_step_id, tool_name, status, request_payload, response_payload, started_at, finished_at, created_at
  ) values (?1, ?2, ?3, 'COMPLETED', ?4, ?5, ?6, ?6, ?6)`;

export function createBaseline(connection: SqliteConnection): Baseline {
  const worker = Bun.randomUUIDv7();
  return {
    async create(tasks) {
      for (let left = tasks; left > 0; left -= BASELINE_BATCH) {
        await connection.write(() => insertBatch(connection, Math.min(left, BASELINE_BATCH)));
      }
    },
    drain: () =>
      drainBatches(connection, worker, (claims) => connection.write(() => endBatch(connection, worker, claims))),
    drainByStep: () =>
      drainBatches(connection, worker, async (claims) => {
        const observed = await connection.write(() => observeBatch(connection, worker, claims));
        await connection.write(() => endBatch(connection, worker, observed, 1));
      }),
  };
}

async function drainBatches(
  connection: SqliteConnection,
  worker: string,
  end: (claims: readonly BaselineClaim[]) => Promise<void>,
): Promise<number> {
  for (let ended = 0; ;) {
    const claims = await connection.write(() => claimBatch(connection, worker));
    if (claims.length === 0) return ended;
    await end(claims);
    ended += claims.length;
  }
}

function insertBatch(connection: SqliteConnection, tasks: number): void {
  const now = Date.now();
  const task = connection.prepare(INSERT_TASK);
  const step = connection.prepare(INSERT_STEP);
  for (let count = 0; count < tasks; count++) {
    const id = Bun.randomUUIDv7();
    task.run(id, INPUT, now);
    for (const { index, path, tool, input } of STEPS) step.run(id, stepIdOf(id, index), index, path, tool, input, now);
  }
}

function claimBatch(connection: SqliteConnection, worker: string): readonly BaselineClaim[] {
  const now = Date.now();
  const claims = connection.prepare<BaselineClaim>(SELECT_DUE).all(now);
  const lease = connection.prepare(LEASE);
  for (const { id } of claims) lease.run(id, worker, now);
  return claims;
}

/** Returns the tasks in their new state. */
function observeBatch(connection: SqliteConnection, worker: string, claims: readonly BaselineClaim[]): BaselineClaim[] {
  const now = Date.now();
  const task = connection.prepare(OBSERVE_TASK);
  return claims.map((claim) => {
    task.run(claim.id, claim.version, worker, now);
    endSteps(connection, claim, echoAddEnd(claim).steps.slice(0, 1), now);
    return { ...claim, version: claim.version + 3 };
  });
}

/** `from`: this many steps of each have their outcome already. */
function endBatch(connection: SqliteConnection, worker: string, claims: readonly BaselineClaim[], from = 0): void {
  const now = Date.now();
  const task = connection.prepare(END_TASK);
  for (const claim of claims) {
    const { output, steps } = echoAddEnd(claim);
    task.run(claim.id, claim.version, worker, output, now);
    endSteps(connection, claim, from === 0 ? steps : steps.slice(from), now);
  }
}

function endSteps(
  connection: SqliteConnection,
  claim: BaselineClaim,
  steps: readonly BaselineStep[],
  now: number,
): void {
  const step = connection.prepare(END_STEP);
  const call = connection.prepare(INSERT_CALL);
  for (const { index, id, tool, request, response } of steps) {
    step.run(claim.id, id, response, index, now);
    call.run(claim.id, id, tool, request, response, now);
  }
}
