// The table `tasks`: parts of the statements in `commit.ts` and `read.ts`.

import type { TaskRow } from "../../core/record/record.ts";
import { storableTask } from "../storable-text.ts";
import type { Change } from "../store.ts";
import { TASKS } from "../tables.ts";
import { assignments, changeFieldsOf, columnList, type Fields, fieldsOf, type Part, type Rows } from "./fields.ts";
import { EVENT_COLUMNS } from "./events.ts";
import { quoteText, type Schema } from "./schema.ts";

/** `due_at` depends on what an outsider did meanwhile. */
export const CHANGED: Fields<TaskChange> = {
  ...changeFieldsOf(TASKS),
  expected_version: "bigint",
  expected_owner: "uuid",
  from_status: "text",
  due_at: "time",
  wake_seq: "bigint",
  reopens: "boolean",
  changed_steps: "integer",
  changed_calls: "integer",
};

/**
 * New tasks whose unique keys are free are in `won`; `condition`: about a row `t`. If another transaction is just
 * inserting the same key or id, an insert waits for it: so there is one order, keys before ids.
 */
export function taskInserts(condition = "true"): Part<TaskRow> {
  return {
    fields: fieldsOf(TASKS),
    read: (schema, rows) => `won as (
      insert into ${schema}.tasks as t (${columnList(TASKS)})
      select ${columnList(TASKS, "t")} from ${rows("t")} where ${condition} order by t.unique_key, t.flow_name, t.id
      on conflict do nothing
      returning ${EVENT_COLUMNS}
    )`,
  };
}

/**
 * The changes: those whose fence holds are in `won`. As a last check behind the engine's table of states, nothing
 * leaves an end and nothing goes back to PLANNED.
 */
export function updateTasks(
  schema: Schema,
  rows: Rows,
  { lone, after }: { readonly lone: boolean; readonly after: Locks },
): string {
  const fence = `t.id = c.id
    and t.version = c.expected_version and t.lease_owner is not distinct from c.expected_owner
    and (t.finished_at is null or (c.reopens and t.status = 'FAILED')) and (c.status <> 'PLANNED' or t.status = 'PLANNED')`;
  const update = `won as (
    update ${schema}.tasks t set
      ${assignments(TASKS, "c")},
      limited = t.limited and c.lease_owner is not null,
      limit_begun = t.limit_begun or (t.limit_key is not null and c.status <> 'PLANNED'),
      deaths = case
        when t.status = c.status and t.observed_count = c.observed_count and t.parked_reason is null then t.deaths
        else 0
      end,
      due_at = case
        when t.wake_seq = c.wake_seq or c.finished_at is not null or c.parked_reason is not null then c.due_at
        else now()
      end`;
  const returning = `returning ${EVENT_COLUMNS}, c.from_status, c.changed_steps, c.changed_calls`;

  if (lone && !after.rows) return `${update} from ${rows("c")} where ${comesAfter(after)} and ${fence} ${returning})`;
  // Lock order: after the locks of `lockUnleased`, rows of `tasks`, by id. `locked` has each row before `won` writes
  // it; only the holder of a task writes rows of its steps and calls. One row needs no order.
  return `locked as materialized (
    select c.* from ${rows("c")} join ${schema}.tasks t on ${fence}
    where ${comesAfter(after)}
    order by t.id
    for no key update of t
  ), ${update} from locked c where t.id = c.id ${returning})`;
}

/** What a statement locks before it writes to tasks. */
export interface Locks {
  /** By `lockUnleased`. */
  readonly unleased: boolean;
  /** By `lockRows`. */
  readonly rows: boolean;
}

/** A condition that always holds, but is known only after the locks are taken. */
function comesAfter({ unleased, rows }: Locks): string {
  const parts = [...(unleased ? ["entered"] : []), ...(rows ? ["ordered"] : [])];
  return parts.map((part) => `(select count(*) from ${part}) >= 0`).join(" and ") || "true";
}

/**
 * A caller that drives an unleased task by hand writes under its advisory lock, which ends with the statement: of
 * writers from many processes only one is in it at a time, in the order of arrival. Their versions decide, as
 * everywhere. Lock order: these locks by their numbers, and before any row.
 */
export function lockUnleased(schema: Schema, rows: Rows): string {
  return `entered as materialized (
    select pg_advisory_xact_lock(task.key) from (
      select ${taskKey(schema, "c.id::text")} as key from ${rows("c")} order by key
    ) task
  )`;
}

/** The number of a task's advisory lock, from its id as SQL. */
export function taskKey(schema: Schema, id: string): string {
  return `hashtextextended('taskonaut:task:' || ${quoteText(schema)} || ':' || ${id}, 0)`;
}

/**
 * Locks the tasks, by id, before `updateTasks` and `insertPosts` write to them: otherwise a parent that cancels its
 * child, and the child that reports its end, would lock each other's rows in opposite orders.
 */
export function lockRows(schema: Schema, rows: Rows, after: Locks): string {
  return `ordered as materialized (
    select t.id from ${schema}.tasks t
    where ${comesAfter({ ...after, rows: false })} and t.id in (select c.id from ${rows("c")})
    order by t.id
    for no key update
  )`;
}

interface TaskChange extends TaskRow {
  readonly expected_version: number;
  readonly expected_owner: string | null;
  readonly from_status: string;
  readonly reopens: boolean;
  readonly changed_steps: number;
  readonly changed_calls: number;
}

/** The parameters of `updateTasks`; `task` is the row to be written. */
export function toTaskChange(change: Change, task: TaskRow): TaskChange {
  return {
    ...storableTask(task),
    expected_version: change.expectedVersion,
    expected_owner: change.expectedOwner,
    from_status: change.fromStatus,
    reopens: change.reopens,
    changed_steps: change.changedSteps.length,
    changed_calls: change.changedCalls.length,
  };
}
