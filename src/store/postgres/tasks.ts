// The table `tasks`: parts of the statements in `commit.ts` and `read.ts`.

import type { TaskRow } from "../../core/record/record.ts";
import { storableText } from "../storable-text.ts";
import type { Change } from "../store.ts";
import type { Columns } from "./columns.ts";
import { assignments, columnList, type Fields, type FieldType, type Part, type Rows } from "./fields.ts";
import { milliseconds, type Schema } from "./schema.ts";

const INSERTED = {
  id: "uuid",
  flow_name: "text",
  status: "text",
  version: "bigint",
  current_step: "integer",
  observed_count: "integer",
  input_payload: "json",
  output_payload: "json",
  error: "json",
  lease_owner: "uuid",
  due_at: "time",
  priority: "smallint",
  wake_seq: "bigint",
  parked_reason: "text",
  parked_code: "text",
  flow_code: "text",
  parent_task_id: "uuid",
  parent_step_id: "uuid",
  depth: "integer",
  cancelled_after: "integer",
  cancelled_at: "time",
  left_undone: "json",
  recorded_bytes: "bigint",
  created_at: "time",
  updated_at: "time",
  finished_at: "time",
} as const satisfies Record<keyof TaskRow, FieldType>;

/** What a change writes as it stands; `due_at` depends on what an outsider did meanwhile. */
const WRITTEN = {
  status: "text",
  version: "bigint",
  current_step: "integer",
  observed_count: "integer",
  output_payload: "json",
  error: "json",
  lease_owner: "uuid",
  cancelled_after: "integer",
  cancelled_at: "time",
  left_undone: "json",
  priority: "smallint",
  parked_reason: "text",
  parked_code: "text",
  flow_code: "text",
  recorded_bytes: "bigint",
  updated_at: "time",
  finished_at: "time",
} as const satisfies Fields<TaskRow>;

export const CHANGED = {
  id: "uuid",
  ...WRITTEN,
  expected_version: "bigint",
  expected_owner: "uuid",
  due_at: "time",
  wake_seq: "bigint",
  reopens: "boolean",
  changed_steps: "integer",
  changed_calls: "integer",
} as const satisfies Record<keyof TaskChange, FieldType>;

/** Those that are new are in `won`. */
export const taskInserts: Part<TaskRow> = {
  fields: INSERTED,
  read: (schema, rows) => `won as (
    insert into ${schema}.tasks (${columnList(INSERTED)})
    select ${columnList(INSERTED, "t")} from ${rows("t")} order by t.id
    on conflict (id) do nothing
    returning id
  )`,
};

/**
 * The changes: those whose fence holds are in `won`. As a last line behind the engine's table of states,
 * nothing leaves an end and nothing goes back to PLANNED.
 */
export function updateTasks(
  schema: Schema,
  rows: Rows,
  { lone, afterLocks }: { readonly lone: boolean; readonly afterLocks: boolean },
): string {
  const fence = `t.id = c.id
    and t.version = c.expected_version and t.lease_owner is not distinct from c.expected_owner
    and (t.finished_at is null or (c.reopens and t.status = 'FAILED')) and (c.status <> 'PLANNED' or t.status = 'PLANNED')`;
  const update = `won as (
    update ${schema}.tasks t set
      ${assignments(WRITTEN, "c", [])},
      limited = t.limited and c.lease_owner is not null,
      deaths = case
        when t.status = c.status and t.observed_count = c.observed_count and t.parked_reason is null then t.deaths
        else 0
      end,
      due_at = case
        when t.wake_seq = c.wake_seq or c.finished_at is not null or c.parked_reason is not null then c.due_at
        else now()
      end`;
  const returning = "returning t.id, c.changed_steps, c.changed_calls";

  if (lone && !afterLocks) return `${update} from ${rows("c")} where ${fence} ${returning})`;
  // Lock order: rows of `tasks`, by id. `locked` has each of them before `won` writes it; rows of steps and calls are
  // written by who holds their task. One row needs no order.
  return `locked as materialized (
    select c.* from ${rows("c")} join ${schema}.tasks t on ${fence}
    ${afterLocks ? "where (select count(*) from ordered) >= 0" : ""}
    order by t.id
    for no key update of t
  ), ${update} from locked c where t.id = c.id ${returning})`;
}

/**
 * Locks the tasks, by id, before `updateTasks` (`afterLocks`) and `insertPosts` write to them: a parent
 * that cancels its child, and the child that tells its end, would else lock each other's rows in opposite orders.
 */
export function lockTasks(schema: Schema, rows: Rows): string {
  return `ordered as materialized (
    select t.id from ${schema}.tasks t
    where t.id in (select c.id from ${rows("c")})
    order by t.id
    for no key update
  )`;
}

interface TaskChange extends Pick<TaskRow, keyof typeof WRITTEN | "id" | "due_at" | "wake_seq"> {
  readonly expected_version: number;
  readonly expected_owner: string | null;
  readonly reopens: boolean;
  readonly changed_steps: number;
  readonly changed_calls: number;
}

/** What `updateTasks` reads; `task` is the row to be written. */
export function toTaskChange(change: Change, task: TaskRow): TaskChange {
  return {
    ...withStorableReason(task),
    expected_version: change.expectedVersion,
    expected_owner: change.expectedOwner,
    reopens: change.reopens,
    changed_steps: change.changedSteps.length,
    changed_calls: change.changedCalls.length,
  };
}

export function withStorableReason(task: TaskRow): TaskRow {
  return task.parked_reason === null ? task : { ...task, parked_reason: storableText(task.parked_reason) };
}

/** Of a row `t` of the table. */
export function taskColumns(t: string): Columns<TaskRow> {
  return {
    id: `${t}.id`,
    flow_name: `${t}.flow_name`,
    status: `${t}.status`,
    version: `${t}.version`,
    current_step: `${t}.current_step`,
    observed_count: `${t}.observed_count`,
    input_payload: `${t}.input_payload::text`,
    output_payload: `${t}.output_payload::text`,
    error: `${t}.error::text`,
    lease_owner: `${t}.lease_owner`,
    due_at: milliseconds(`${t}.due_at`),
    priority: `${t}.priority`,
    wake_seq: `${t}.wake_seq`,
    parked_reason: `${t}.parked_reason`,
    parked_code: `${t}.parked_code`,
    flow_code: `${t}.flow_code`,
    parent_task_id: `${t}.parent_task_id`,
    parent_step_id: `${t}.parent_step_id`,
    depth: `${t}.depth`,
    cancelled_after: `${t}.cancelled_after`,
    cancelled_at: milliseconds(`${t}.cancelled_at`),
    left_undone: `${t}.left_undone::text`,
    recorded_bytes: `${t}.recorded_bytes`,
    created_at: milliseconds(`${t}.created_at`),
    updated_at: milliseconds(`${t}.updated_at`),
    finished_at: milliseconds(`${t}.finished_at`),
  };
}
