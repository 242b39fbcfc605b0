// The baseline on PostgreSQL: one statement for a batch, rows as one array for each column (measured:
// `json_to_recordset` takes a tenth longer), one commit after the other on one connection.

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
import type { Parameter, PostgresClient } from "./connection.ts";
import type { Schema } from "./schema.ts";

/**
 * Settings of the baseline's session. Its statements look rows up by their keys; a planner without statistics of new
 * tables would rather read them whole, and sort all due tasks to find the first.
 */
export const BASELINE_SESSION = `
  set enable_seqscan = off; set enable_bitmapscan = off; set enable_hashjoin = off; set enable_mergejoin = off;
  set enable_sort = off;`;

/** The client has one connection, with BASELINE_SESSION. */
export function createBaseline(client: PostgresClient, schema: Schema): Baseline {
  const worker = Bun.randomUUIDv7();
  const insert = insertStatement(schema);
  const claim = claimStatement(schema);
  const observe = outcomesStatement(schema, OBSERVED);
  const end = outcomesStatement(schema, ENDED);

  const drainBatches = async (finish: (claims: readonly BaselineClaim[]) => Promise<unknown>): Promise<number> => {
    for (let ended = 0; ;) {
      const claims = await client.query<BaselineClaim>(claim, [worker]);
      if (claims.length === 0) return ended;
      await finish(claims);
      ended += claims.length;
    }
  };

  return {
    async create(tasks) {
      let written: Promise<unknown> = Promise.resolve();
      for (let left = tasks; left > 0; left -= BASELINE_BATCH) {
        const parameters = insertParameters(Math.min(left, BASELINE_BATCH));
        await written;
        written = client.query(insert, parameters);
      }
      await written;
    },
    drain: () => drainBatches((claims) => client.query(end, outcomeParameters(claims, worker))),
    drainByStep: () =>
      drainBatches(async (claims) => {
        await client.query(observe, outcomeParameters(claims, worker, [0, 1]));
        const observed = claims.map((claimed) => ({ ...claimed, version: claimed.version + 3 }));
        await client.query(end, outcomeParameters(observed, worker, [1]));
      }),
  };
}

/**
 * The outcome of the first step, which the flow has been given. The output is not there yet, so it is treated as
 * nothing.
 */
const OBSERVED = `
  status = 'RUNNING', version = e.version + 3, current_step = 1, observed_count = 1,
  recorded_bytes = ${RECORDED_BYTES.observed}, updated_at = $2::timestamptz`;

const ENDED = `
  status = 'COMPLETED', version = e.version + 5, current_step = 2, observed_count = 2,
  output_payload = e.output::json, recorded_bytes = ${RECORDED_BYTES.ended}, lease_owner = null, due_at = null,
  updated_at = $2::timestamptz, finished_at = $2::timestamptz`;

function insertStatement(schema: Schema): string {
  return `
    with inserted as (
      insert into ${schema}.tasks
        (id, flow_name, status, version, input_payload, recorded_bytes, due_at, created_at, updated_at)
      select id, 'echo_add', 'PLANNED', 1, $2::text::json, ${RECORDED_BYTES.created}, $3::timestamptz, $3::timestamptz, $3::timestamptz
      from unnest($1::uuid[]) as t (id)
    )
    insert into ${schema}.task_steps
      (task_id, id, step_index, path, kind, step_name, target, execution, status, input_payload, created_at, updated_at)
    select task_id, id, step_index, path, 'tool', tool, tool, 'pure', 'PLANNED', input::json, $3::timestamptz, $3::timestamptz
    from unnest($4::uuid[], $5::uuid[], $6::integer[], $7::text[], $8::text[], $9::text[])
      as s (task_id, id, step_index, path, tool, input)`;
}

function insertParameters(tasks: number): readonly Parameter[] {
  const ids = Array.from({ length: tasks }, () => Bun.randomUUIDv7());
  const steps = ids.flatMap((taskId) => STEPS.map((step) => ({ ...step, taskId })));
  return [
    arrayOf(ids, (id) => id),
    INPUT,
    new Date().toISOString(),
    arrayOf(steps, (step) => step.taskId),
    arrayOf(steps, (step) => stepIdOf(step.taskId, step.index)),
    arrayOf(steps, (step) => String(step.index)),
    arrayOf(steps, (step) => step.path),
    arrayOf(steps, (step) => step.tool),
    arrayOf(steps, (step) => quote(step.input)),
  ];
}

function claimStatement(schema: Schema): string {
  return `
    update ${schema}.tasks t set lease_owner = $1::uuid, version = t.version + 1, updated_at = now()
    from (
      select id from ${schema}.tasks
      where flow_name = 'echo_add' and due_at <= now() and lease_owner is null
      order by priority, due_at limit ${BASELINE_BATCH}
      for no key update skip locked
    ) due
    where t.id = due.id
    returning t.id, t.version, t.input_payload::text as input`;
}

/** Steps that have ended, their calls, and the new state of their tasks. */
function outcomesStatement(schema: Schema, changes: string): string {
  return `
    with changed as (
      update ${schema}.tasks t set ${changes}
      from unnest($3::uuid[], $4::bigint[], $5::text[]) as e (id, version, output)
      where t.id = e.id and t.version = e.version and t.lease_owner = $1::uuid
    ), ended_steps as (
      update ${schema}.task_steps t set
        status = 'COMPLETED', output_payload = s.output::json, outcome_seq = s.seq,
        observed_at = $2::timestamptz, updated_at = $2::timestamptz
      from unnest($6::uuid[], $7::uuid[], $8::integer[], $9::text[]) as s (task_id, id, seq, output)
      where t.task_id = s.task_id and t.id = s.id
    )
    insert into ${schema}.tool_calls (
      task_id, task_step_id, tool_name, status, request_payload, response_payload, started_at, finished_at, created_at
    )
    select task_id, step_id, tool, 'COMPLETED', request::json, response::json,
      $2::timestamptz, $2::timestamptz, $2::timestamptz
    from unnest($6::uuid[], $7::uuid[], $10::text[], $11::text[], $9::text[])
      as c (task_id, step_id, tool, request, response)`;
}

/** `which`: which steps of each task, as for `slice`. */
function outcomeParameters(
  claims: readonly BaselineClaim[],
  worker: string,
  which: readonly [from: number, to?: number] = [0],
): readonly Parameter[] {
  const outputs: string[] = [];
  const steps: (BaselineStep & { readonly taskId: string })[] = [];
  for (const claim of claims) {
    const { output, steps: own } = echoAddEnd(claim);
    outputs.push(output);
    for (const step of own.slice(...which)) steps.push({ ...step, taskId: claim.id });
  }
  return [
    worker,
    new Date().toISOString(),
    arrayOf(claims, (claim) => claim.id),
    arrayOf(claims, (claim) => String(claim.version)),
    arrayOf(outputs, quote),
    arrayOf(steps, (step) => step.taskId),
    arrayOf(steps, (step) => step.id),
    arrayOf(steps, (step) => String(step.index)),
    arrayOf(steps, (step) => quote(step.response)),
    arrayOf(steps, (step) => step.tool),
    arrayOf(steps, (step) => quote(step.request)),
  ];
}

/** A PostgreSQL array as text; `write` gives each element. */
function arrayOf<Item>(items: readonly Item[], write: (item: Item) => string): string {
  return `{${items.map(write).join(",")}}`;
}

/** An element that may hold anything but NUL, which JSON text does not. */
function quote(text: string): string {
  return `"${text.replace(/["\\]/g, String.raw`\$&`)}"`;
}
