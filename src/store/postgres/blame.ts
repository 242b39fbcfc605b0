import {
  type Blame,
  blamedOf,
  type BlamedStep,
  blameOfDead,
  DEATHS_MAX,
  tellBlame,
  tellBlameOfSchedule,
} from "../blame.ts";
import { type Parameter, PostgresClient } from "./connection.ts";
import { EVENT_COLUMNS, noteEvents } from "./events.ts";
import { quoteSchema, type Schema } from "./schema.ts";

type Query = <Row>(text: string, parameters?: readonly Parameter[]) => Promise<Row[]>;

/** Of the task that is to blame, or of the schedule. */
interface Told extends Nullable<BlamedStep> {
  readonly flow_name: string | null;
}

type Nullable<Row> = { readonly [Column in keyof Row]: Row[Column] | null };

/** Before this process is killed by its own watchdog. */
export async function blameOnPostgres(
  { url, schema }: { readonly url: string; readonly schema: string },
  blame: Blame,
  deadlineMs: number,
): Promise<void> {
  const client = new PostgresClient({ url, connectionsMax: 1, deadlineMs });
  try {
    await putDown(client.query.bind(client), quoteSchema(schema), blame, null);
  } finally {
    await client.close();
  }
}

/** For a worker that was found dead, from the note in its row: whoever comes first records it. */
export async function blameDead(
  query: Query,
  schema: Schema,
  { id, cause }: { readonly id: string; readonly cause: string },
): Promise<void> {
  await putDown(query, schema, blameOfDead(id, cause), cause);
}

/**
 * No other task of the worker is a suspect, nor is another step of this task, which goes back to the queue. Rows are
 * locked by id, as everywhere, after the schedule. `noted`: only if the worker's lease has passed, and its row still has this note. A
 * second caller waits for that.
 */
async function putDown(query: Query, schema: Schema, blame: Blame, noted: string | null): Promise<void> {
  const { workerId } = blame;
  const { taskId, stepId, schedule } = blamedOf(blame);
  const [told] = await query<Told>(
    `select coalesce(t.flow_name, (select c.flow_name from ${schema}.schedules c where c.name = $3)) as flow_name,
       s.step_index, s.step_name, s.kind
     from (select $1::uuid as id) w left join ${schema}.tasks t on t.id = w.id
       left join ${schema}.task_steps s on s.task_id = t.id and s.id::text = $2`,
    [taskId, stepId, schedule],
  );
  const { step_index = null, step_name = null, kind = null } = told ?? {};
  const flow = told?.flow_name ?? "";
  const step = step_index === null || step_name === null || kind === null ? undefined : { step_index, step_name, kind };
  const reason =
    schedule === null ? tellBlame(blame, flow, step) : tellBlameOfSchedule(blame, { name: schedule, flow });
  await query(
    `with taken as materialized (
      update ${schema}.workers set cause = null
      where id = $1::uuid and cause is not null and ($5::text is null or (cause = $5::text and lease_until <= now()))
      returning 1
    ), stopped as materialized (
      update ${schema}.schedules c set
        deaths = c.deaths + 1, version = c.version + 1, updated_at = greatest(c.updated_at, now()),
        paused_at = case when c.deaths + 1 >= $3::integer then now() end,
        pause_reason = case when c.deaths + 1 >= $3::integer then $4 end,
        next_at = case when c.deaths + 1 >= $3::integer then null else c.next_at end
      where ($5::text is null or exists (select from taken)) and c.name = $7 and c.paused_at is null
      returning 1
    ), held as materialized (
      select t.id, t.id = $2::uuid as is_to_blame, t.id = $2::uuid and t.deaths + 1 >= $3::integer as is_over
      from ${schema}.tasks t
      where ($5::text is null or exists (select from taken)) and (select count(*) from stopped) >= 0
        and t.finished_at is null
        and (t.lease_owner = $1::uuid and t.due_at is not null
          or t.id = $2::uuid and (t.lease_owner is null or t.lease_owner = $1::uuid))
      order by t.id for no key update
    ), cleared as (
      update ${schema}.task_steps set starts = 0
      where starts > 0 and task_id = any (array(select id from held))
        and (task_id <> $2::uuid or id::text <> $6::text)
    ), blamed as (
    update ${schema}.tasks t set
      deaths = t.deaths + held.is_to_blame::integer, lease_owner = null, limited = false,
      version = t.version + 1, updated_at = greatest(t.updated_at, now()),
      parked_reason = case when held.is_over then $4 else t.parked_reason end,
      parked_code = case when held.is_over then t.flow_code else t.parked_code end,
      due_at = case when held.is_over then null else t.due_at end
    from held where t.id = held.id returning ${EVENT_COLUMNS}
    ), ${noteEvents(schema, "changed", "blamed")} select from blamed`,
    [workerId, taskId, DEATHS_MAX, reason, noted, stepId, schedule],
  );
}
