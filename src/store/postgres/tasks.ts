// The table `tasks`: parts of the statements in `commit.ts` and `read.ts`.

import type { TaskRow } from "../../core/record.ts";
import { storableText } from "../storable-text.ts";
import type { Change } from "../store.ts";
import { milliseconds, type Schema, timestamp } from "./schema.ts";

/** The tasks in the JSON text of parameter `source`; those that are new are in `won`. */
export function insertTasks(schema: Schema, source: string): string {
  return `won as (
    insert into ${schema}.tasks (
      id, flow_name, status, version, current_step, observed_count, input_payload, output_payload, error,
      lease_owner, due_at, priority, wake_seq, parked_reason,
      parent_task_id, parent_step_id, depth, cancelled_after, cancelled_at, created_at, updated_at, finished_at
    )
    select
      id, flow_name, status, version, current_step, observed_count,
      input_payload::json, output_payload::json, error::json,
      lease_owner, ${timestamp("due_at")}, priority, wake_seq, parked_reason,
      parent_task_id, parent_step_id, depth, cancelled_after, ${timestamp("cancelled_at")},
      ${timestamp("created_at")}, ${timestamp("updated_at")}, ${timestamp("finished_at")}
    from json_to_recordset(${source}::text::json) as task (
      id uuid, flow_name text, status text, version bigint, current_step integer, observed_count integer,
      input_payload text, output_payload text, error text, lease_owner uuid, due_at float8, priority smallint,
      wake_seq bigint, parked_reason text, parent_task_id uuid, parent_step_id uuid, depth integer,
      cancelled_after integer, cancelled_at float8, created_at float8, updated_at float8, finished_at float8
    )
    order by id
    on conflict (id) do nothing
    returning id
  )`;
}

/**
 * The changes in the JSON text of parameter `source`: those whose fence holds are in `won`. As a last line behind the
 * engine's table of states, nothing leaves an end and nothing goes back to PLANNED.
 *
 * `c.id = c.task_id` always holds. The planner expects 100 rows of any json_to_recordset, and would rather scan a table
 * of up to 500 pages than look 100 rows up; a condition on two of its columns brings its expectation to one row.
 */
export function updateTasks(
  schema: Schema,
  source: string,
  { lone, afterLocks }: { readonly lone: boolean; readonly afterLocks: boolean },
): string {
  const changes = `json_to_recordset(${source}::text::json) as c (
      id uuid, task_id uuid, expected_version bigint, expected_owner uuid,
      status text, version bigint, current_step integer, observed_count integer, output_payload text, error text,
      lease_owner uuid, due_at float8, priority smallint, parked_reason text, wake_seq bigint, reopens boolean, cancelled_after integer, cancelled_at float8,
      updated_at float8, finished_at float8, changed_steps integer, changed_calls integer
    )`;
  const fence = `t.id = c.id and c.id = c.task_id
    and t.version = c.expected_version and t.lease_owner is not distinct from c.expected_owner
    and (t.finished_at is null or (c.reopens and t.status = 'FAILED')) and (c.status <> 'PLANNED' or t.status = 'PLANNED')`;
  const update = `won as (
    update ${schema}.tasks t set
      status = c.status, version = c.version, current_step = c.current_step, observed_count = c.observed_count,
      output_payload = c.output_payload::json, error = c.error::json, lease_owner = c.lease_owner,
      due_at = case
        when t.wake_seq = c.wake_seq or c.finished_at is not null or c.parked_reason is not null
          then ${timestamp("c.due_at")}
        else now()
      end,
      cancelled_after = c.cancelled_after, cancelled_at = ${timestamp("c.cancelled_at")}, priority = c.priority, parked_reason = c.parked_reason,
      updated_at = ${timestamp("c.updated_at")}, finished_at = ${timestamp("c.finished_at")}`;
  const returning = "returning t.id, c.changed_steps, c.changed_calls";

  if (lone && !afterLocks) return `${update} from ${changes} where ${fence} ${returning})`;
  // Lock order: rows of `tasks`, by id. `locked` has each of them before `won` writes it; rows of steps and calls are
  // written by who holds their task. One row needs no order.
  return `locked as materialized (
    select c.* from ${changes} join ${schema}.tasks t on ${fence}
    ${afterLocks ? "where (select count(*) from ordered) >= 0" : ""}
    order by t.id
    for no key update of t
  ), ${update} from locked c where t.id = c.id ${returning})`;
}

/**
 * Locks the tasks in the JSON text of parameter `source`, by id, before `updateTasks` (`afterLocks`) and `insertPosts`
 * write to them: a parent that cancels its child, and the child that tells its end, would else lock each other's rows
 * in opposite orders.
 */
export function lockTasks(schema: Schema, source: string): string {
  return `ordered as materialized (
    select t.id from ${schema}.tasks t
    where t.id in (select c.id from json_to_recordset(${source}::text::json) as c (id uuid))
    order by t.id
    for no key update
  )`;
}

/** A row of `source` in `insertTasks`. */
export function taskInsert(task: TaskRow): object {
  return { ...task, parked_reason: storableText(task.parked_reason) };
}

/** A row of `source` in `updateTasks`. */
export function taskUpdate({
  taskId,
  expectedVersion,
  expectedOwner,
  task,
  reopens,
  changedSteps,
  changedCalls,
}: Change): object {
  return {
    id: task.id,
    task_id: taskId,
    expected_version: expectedVersion,
    expected_owner: expectedOwner,
    status: task.status,
    version: task.version,
    current_step: task.current_step,
    observed_count: task.observed_count,
    output_payload: task.output_payload,
    error: task.error,
    lease_owner: task.lease_owner,
    due_at: task.due_at,
    priority: task.priority,
    parked_reason: storableText(task.parked_reason),
    wake_seq: task.wake_seq,
    reopens,
    cancelled_after: task.cancelled_after,
    cancelled_at: task.cancelled_at,
    updated_at: task.updated_at,
    finished_at: task.finished_at,
    changed_steps: changedSteps.length,
    changed_calls: changedCalls.length,
  };
}

/** The columns of a TaskRow. */
export function taskColumns(t: string): string {
  return `
    ${t}.id, ${t}.flow_name, ${t}.status, ${t}.version, ${t}.current_step, ${t}.observed_count,
    ${t}.input_payload::text, ${t}.output_payload::text, ${t}.error::text, ${t}.lease_owner,
    ${milliseconds(`${t}.due_at`)} as due_at, ${t}.priority, ${t}.wake_seq, ${t}.parked_reason,
    ${t}.parent_task_id, ${t}.parent_step_id, ${t}.depth, ${t}.cancelled_after,
    ${milliseconds(`${t}.cancelled_at`)} as cancelled_at,
    ${milliseconds(`${t}.created_at`)} as created_at, ${milliseconds(`${t}.updated_at`)} as updated_at,
    ${milliseconds(`${t}.finished_at`)} as finished_at`;
}
