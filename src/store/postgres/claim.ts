// Claims due tasks. Every task that a worker drives comes through here, so it is one statement, which leases the tasks
// and returns them whole.
//
// PQ1. Rows are locked one by one as the statement walks the queue, and rows that another claim has locked are skipped:
//      claims never wait for each other, nor for a commit, and so they cannot deadlock.
// PQ2. A leased task stays in the index of the queue: no indexed column changes, so that the claim is a HOT update.
// PQ3. A limit over all workers is counted after the flow's own lock was taken, by a statement that begins after that:
//      a statement that waits for the lock itself would count the old state. Both go in one message, in which the
//      driver prepares nothing; planning each time took 16 ms of a claim's 18.
// PQ4. If a row was written between the statement's snapshot and its lock, the row is locked in its new state, but its
//      steps and calls would be read in the old one: it is left to the next claim, which its writer announces.
// PQ5. The statement is prepared. Its plan may come from a time when the tables were empty, and be kept when they are
//      large. So the statement allows only plans that look rows up one by one: `offset 0` keeps the planner from
//      joining whole tables; `d.id = d.task_id`, which always holds, makes it expect one row, as in `row-encoding.ts`.
//      The expected number stays small as well, whatever the statistics say: a limit that the planner cannot see counts
//      as a tenth of all rows, which made the estimate of a large queue so high that each claim was compiled (JIT), for
//      80 ms.
// PQ6. In a busy store the walk begins where the last ones ended (`frontier.ts`), for each flow and priority; so
//      released tasks may come a little after tasks that became due later.

import { hasCode } from "../../core/errors.ts";
import type { StepRow, TaskRow, ToolCallRow } from "../../core/record/record.ts";
import { fillRecords } from "../records.ts";
import { LARGE_BYTES, TOGETHER_BYTES } from "../sizes.ts";
import { KeyTurns } from "../key-turns.ts";
import { type Claim, CLAIM_MAX, type ClaimedTask, type ClaimFlow, type ClaimRequest, isLimited } from "../store.ts";
import { TASK_STEPS, TASKS, TOOL_CALLS } from "../tables.ts";
import { writeArray } from "./row-encoding.ts";
import {
  flowParameters,
  KEYS_ARE_CUT,
  limitedCandidates,
  limitedFlow,
  limitedFlows,
  limitedStarts,
  VISITS,
} from "./claim-limited.ts";
import { aggregateColumns, type Columns, columnsOf, toRows } from "./columns.ts";
import type { PostgresClient } from "./connection.ts";
import { noteEvents } from "./events.ts";
import { isPaused, selectPauses, toPauses } from "./pauses.ts";
import { recordReader } from "./read.ts";
import type { Places } from "./frontier.ts";
import { milliseconds, quoteText, type Schema, timestamp } from "./schema.ts";
import { workerNotRegistered } from "../worker-not-registered.ts";

/** `places`: see `frontier.ts`; `turns`: the turns among the keys of flows that have some. */
export async function claimTasks(
  client: PostgresClient,
  schema: Schema,
  request: ClaimRequest,
  { places, turns = new KeyTurns() }: { readonly places?: Places; readonly turns?: KeyTurns } = {},
): Promise<Claim> {
  const { workerId, limit, flows } = request;
  const names = writeArray(flows.map((flow) => flow.name));
  const limits = writeArray(flows.map((flow) => flow.limit));
  const common = [workerId, writeArray(request.deadOwners), limit, writeArray(places ?? [])];
  const [row] = flows.some(isLimited)
    ? await client.queryAfter<ClaimRow>(lockFlows(schema, flows), {
        text: claimStatement(schema, limited(schema)),
        parameters: [...common, ...flowParameters(flows, ({ name, limit: most }) => turns.placeOf(name, most))],
      })
    : await client.query<ClaimRow>(claimStatement(schema, unlimited(schema)), [...common, names, limits]);
  if (!row) throw new Error("A claim gives one row.");
  if (!row.is_registered) throw workerNotRegistered(request.workerId);
  for (const [flow, last, keys] of JSON.parse(row.visits ?? "[]") as [string, string, number][]) {
    turns.note(flow, { last, keys });
  }
  const tasks = await filled(client, schema, toTasks(row));
  const pauses = toPauses(row.pauses);
  return { tasks, nextDueAt: row.next_due_at, now: row.now, pauses, ...(row.is_cut && { isCut: true }) };
}

/** The first parameters of the statement. */
const PARAMETERS = {
  workerId: "$1",
  /** An array of ids. */
  deadOwners: "$2",
  limit: "$3",
  /** An array of times: ten for each flow, for its priorities. Empty, or null: from the start. */
  from: "$4",
  /** If no flow has a limit, two arrays: the name of each flow, and how many of its tasks may come. */
  names: "$5",
  limits: "$6",
} as const;

/** The number of parameters in every case. */
const COMMON = 4;

interface ClaimRow {
  readonly tasks: string;
  readonly steps: string;
  readonly calls: string;
  readonly is_registered: boolean;
  readonly is_cut: boolean;
  readonly next_due_at: number | null;
  readonly now: number;
  /** See `VISITS`; unset if no flow has a limit. */
  readonly visits?: string;
  readonly pauses: string;
}

type LockedTask = TaskRow & { readonly taken_from: string | null };

const TASK: Columns<LockedTask> = { ...columnsOf(TASKS, "t"), taken_from: "t.taken_from" };
const STEP = columnsOf(TASK_STEPS, "s");
const CALL = columnsOf(TOOL_CALLS, "c");

/** The parts that depend on whether a flow of the claim has limits. */
interface Parts {
  /** Relation `flow`. */
  readonly flow: string;
  /** Relations that `due` reads, with a comma after them. */
  readonly candidates: string;
  /** Tasks that may be claimed, locked, in order. `place`: where the walk begins. */
  readonly due: string;
  /** What a claim writes besides the tasks' owner, and what it returns for each. */
  readonly claims: string;
  readonly returns: string;
  /** Relations that read `claimed`, with a comma before them. */
  readonly after: string;
  readonly isCut: string;
  /** Further times that may be the next at which something is due, as rows (due_at). */
  readonly times: string;
  readonly columns: string;
}

/** Where the walk begins, for flow f and a priority. */
function walkFrom(): string {
  return timestamp(`(${PARAMETERS.from}::float8[])[10 * (f.place - 1) + level.priority + 1]`);
}

function unlimited(schema: Schema): Parts {
  const { names, limits } = PARAMETERS;
  // PQ5. A subquery hides the length of the arrays from the planner: it expects ten elements, however many come.
  const arrays = [`${names}::text[]`, `${limits}::integer[]`].map((array) => `(select ${array})`);
  return {
    flow: `select f.name, f.place, f."limit" as most
      from unnest(${arrays.join(", ")}) with ordinality as f (name, "limit", place)
      where (select is_registered from worker)`,
    candidates: "",
    due: `
      select t.* from flow f cross join lateral (
        select t.* from generate_series(0, 9) as level (priority) cross join lateral (
          select t.id, t.id as task_id, t.lease_owner, t.version, t.recorded_bytes from ${schema}.tasks t
          where t.flow_name = f.name and t.priority = level.priority and t.due_at <= now()
            and t.due_at >= coalesce(${walkFrom()}, '-infinity')
            and (t.lease_owner is null or t.lease_owner in (select id from dead))
          order by t.due_at limit ${CLAIM_MAX}
          for no key update skip locked
        ) t limit f.most
      ) t`,
    claims: "limited = false",
    returns: "",
    after: "",
    isCut: "false",
    times: "",
    columns: "",
  };
}

function limited(schema: Schema): Parts {
  return {
    flow: limitedFlow(schema, limitedFlows(COMMON)),
    candidates: `${limitedCandidates(schema, walkFrom())},`,
    due: `
      select t.* from (
        select id, task_id, lease_owner, version, recorded_bytes, is_limited, is_start, flow_place, nr from plain
        union all
        select id, task_id, lease_owner, version, recorded_bytes, is_limited, is_start, flow_place, nr from keyed
      ) t order by t.flow_place, t.nr`,
    claims: "limited = d.is_limited, limit_begun = t.limit_begun or (d.is_limited and t.limit_key is not null)",
    returns: ", d.is_start",
    after: `, ${limitedStarts(schema)}`,
    isCut: KEYS_ARE_CUT,
    times: "union all select f.next_at from flow f where f.next_at is not null",
    columns: `, ${VISITS} as visits`,
  };
}

/** PQ3. One message of two statements is one transaction; its locks end with it. */
function lockFlows(schema: Schema, flows: readonly ClaimFlow[]): string {
  const names = flows.filter(isLimited).map(({ name }) => name);
  return `
    select pg_advisory_xact_lock(keys.key) from (
      select distinct hashtextextended('taskonaut:flow:' || ${quoteText(schema)} || ':' || f.name, 0) as key
      from unnest((select ${quoteText(writeArray(names))}::text[])) as f (name) order by key
    ) keys`;
}

function claimStatement(schema: Schema, parts: Parts): string {
  const { workerId, deadOwners, limit } = PARAMETERS;
  return `
  with worker as materialized (
    select count(*) > 0 as is_registered
    from (select from ${schema}.workers where id = ${workerId}::uuid for key share) registered
  ), dead as materialized (
    select id from unnest((select ${deadOwners}::uuid[])) as owner (id)
  ), flow as materialized (
    select f.* from (${parts.flow}) f where not ${isPaused(schema, "f.name")}
  ), ${parts.candidates} due as materialized (
    select t.*, row_number() over () as place from (
      ${parts.due} limit (select ${limit}::integer)
    ) t
    where t.version = (select seen.version from ${schema}.tasks seen where seen.id = t.id)
  ), fitting as materialized (
    select d.*, d.place > 1 and sum(d.recorded_bytes) over (order by d.place) > ${TOGETHER_BYTES} as is_beyond from due d
  ), claimed as (
    update ${schema}.tasks t set
      lease_owner = ${workerId}::uuid, ${parts.claims}, version = t.version + 1,
      updated_at = greatest(t.updated_at, now())
    from fitting d where t.id = d.id and d.id = d.task_id and not d.is_beyond
    returning t.*, d.lease_owner as taken_from, d.place${parts.returns}
  ), ${noteEvents(schema, "changed", "claimed")}${parts.after}
  select
    (select ${aggregateColumns(TASK)} from (select * from claimed order by place) t) as tasks,
    (
      select ${aggregateColumns(STEP)} from (
        select s.* from claimed t cross join lateral (
          select s.* from ${schema}.task_steps s where s.task_id = t.id offset 0
        ) s where t.recorded_bytes <= ${LARGE_BYTES} order by s.step_index
      ) s
    ) as steps,
    (
      select ${aggregateColumns(CALL)} from (
        select c.* from claimed t cross join lateral (
          select c.*, (
            select s.step_index from ${schema}.task_steps s where s.task_id = c.task_id and s.id = c.task_step_id
          ) as step_index
          from ${schema}.tool_calls c where c.task_id = t.id offset 0
        ) c where t.recorded_bytes <= ${LARGE_BYTES} order by c.created_at, c.step_index, c.id
      ) c
    ) as calls,
    (select is_registered from worker),
    exists (select from fitting where is_beyond) or ${parts.isCut} as is_cut,
    case when not exists (select from claimed) then (
      select ceil(extract(epoch from min(n.due_at)) * 1000)::bigint from (
        select n.due_at
        from flow f cross join generate_series(0, 9) as level (priority) cross join lateral (
          select t.due_at from ${schema}.tasks t
          where t.flow_name = f.name and t.priority = level.priority and t.due_at > now() order by t.due_at limit 1
        ) n ${parts.times}
      ) n
    ) end as next_due_at,
    ${milliseconds("now()")} as now,
    ${selectPauses(schema)} as pauses${parts.columns}`;
}

function toTasks({ tasks, steps, calls }: ClaimRow): ClaimedTask[] {
  const stepsOf = Map.groupBy(toRows<StepRow>(STEP, steps), (step) => step.task_id);
  const callsOf = Map.groupBy(toRows<ToolCallRow>(CALL, calls), (call) => call.task_id);
  return toRows<LockedTask>(TASK, tasks).map(({ taken_from: takenFrom, ...task }) => ({
    record: { task, steps: stepsOf.get(task.id) ?? [], calls: callsOf.get(task.id) ?? [] },
    takenFrom,
    ...(task.recorded_bytes > LARGE_BYTES && { isBare: true }),
  }));
}

/** A task with damaged texts is returned bare: a separate read finds the damage. */
async function filled(
  client: PostgresClient,
  schema: Schema,
  tasks: readonly ClaimedTask[],
): Promise<readonly ClaimedTask[]> {
  try {
    await fillRecords(
      tasks.map(({ record }) => record),
      recordReader(client, schema),
    );
    return tasks;
  } catch (error) {
    if (!hasCode(error, "record_damaged")) throw error;
    return tasks.map(({ record, takenFrom }) => ({
      record: { task: record.task, steps: [], calls: [] },
      takenFrom,
      isBare: true,
    }));
  }
}
