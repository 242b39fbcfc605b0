import {
  type Blame,
  blamedOf,
  type BlamedStep,
  blameOfDead,
  DEATHS_MAX,
  tellBlame,
  tellBlameOfSchedule,
} from "../blame.ts";
import { openConnection, type SqliteConnection } from "./connection.ts";
import { NOTED_COLUMNS, type NotedTask, noteEvents } from "./events.ts";

const FLOW = "select flow_name from tasks where id = $taskId";

const STEP = "select step_index, step_name, kind from task_steps where task_id = $taskId and id = $stepId";

const BLAME = `
  update tasks set
    deaths = deaths + 1, lease_owner = null, limited = 0, version = version + 1,
    updated_at = max(updated_at, $now),
    parked_reason = case when deaths + 1 >= ${DEATHS_MAX} then $reason else parked_reason end,
    parked_code = case when deaths + 1 >= ${DEATHS_MAX} then flow_code else parked_code end,
    due_at = case when deaths + 1 >= ${DEATHS_MAX} then null else due_at end
  where id = $taskId and finished_at is null and (lease_owner is null or lease_owner = $workerId)
  returning ${NOTED_COLUMNS}`;

const FLOW_OF_SCHEDULE = "select flow_name from schedules where name = $schedule";

const BLAME_SCHEDULE = `
  update schedules set
    deaths = deaths + 1, version = version + 1, updated_at = max(updated_at, $now),
    paused_at = case when deaths + 1 >= ${DEATHS_MAX} then $now end,
    pause_reason = case when deaths + 1 >= ${DEATHS_MAX} then $reason end,
    next_at = case when deaths + 1 >= ${DEATHS_MAX} then null else next_at end
  where name = $schedule and paused_at is null`;

/** No other task of the worker is a suspect any more. */
const CLEAR = `
  update task_steps set starts = 0
  where starts > 0 and task_id in (select id from tasks indexed by tasks_held where lease_owner = $workerId)`;

/** Nor is another step of this task: the cause of its process's death is known. */
const CLEAR_BESIDE = "update task_steps set starts = 0 where starts > 0 and task_id = $taskId and id <> $stepId";

/** The task goes back to the queue. */
const RELEASE = `
  update tasks indexed by tasks_held set
    lease_owner = null, limited = 0, version = version + 1, updated_at = max(updated_at, $now)
  where lease_owner = $workerId
  returning ${NOTED_COLUMNS}`;

const TAKE_CAUSE = "update workers set cause = null where id = $workerId and cause is not null";

const READ_CAUSE = "select cause from workers where id = $workerId";

export async function blameOnSqlite(path: string, blame: Blame, deadlineMs: number): Promise<void> {
  const connection = await openConnection({ path, deadlineMs });
  try {
    await connection.write(() => blameWithin(connection, blame));
  } finally {
    connection.close();
  }
}

/** For a worker that was found dead: whoever comes first records the cause. Within a write. */
export function blameDead(connection: SqliteConnection, workerId: string): void {
  const cause = connection.prepare<{ cause: string | null }>(READ_CAUSE).get({ workerId })?.cause ?? null;
  if (cause !== null) blameWithin(connection, blameOfDead(workerId, cause));
}

function blameWithin(connection: SqliteConnection, blame: Blame): void {
  const { workerId } = blame;
  const { taskId, stepId, schedule } = blamedOf(blame);
  const now = Date.now();
  if (schedule !== null) {
    const of = connection.prepare<{ flow_name: string }>(FLOW_OF_SCHEDULE).get({ schedule })?.flow_name ?? "";
    const why = tellBlameOfSchedule(blame, { name: schedule, flow: of });
    connection.prepare(BLAME_SCHEDULE).run({ schedule, now, reason: why });
  }
  const flow = connection.prepare<{ flow_name: string }>(FLOW).get({ taskId })?.flow_name ?? "";
  const step = connection.prepare<BlamedStep>(STEP).get({ taskId, stepId }) ?? undefined;
  const reason = tellBlame(blame, flow, step);
  const blamed = connection.prepare<NotedTask>(BLAME).all({ taskId, workerId, now, reason });
  connection.prepare(CLEAR).run({ workerId });
  if (blamed.length > 0) connection.prepare(CLEAR_BESIDE).run({ taskId, stepId });
  const released = connection.prepare<NotedTask>(RELEASE).all({ workerId, now });
  noteEvents(connection, "changed", [...blamed, ...released], now);
  connection.prepare(TAKE_CAUSE).run({ workerId });
}
