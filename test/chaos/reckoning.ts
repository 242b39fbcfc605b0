// When the faults are over: a person settles what is in doubt and resumes what is parked, and every task must end; then
// everything that must hold is looked at.

import type { Place } from "../e2e/place.ts";
import { readEffects } from "./effects.ts";
import type { Outsider } from "./outsider.ts";
import { countOpen, describeOpen, endOf, kindOf, readTasks, type Expected } from "./undisturbed.ts";
import { until } from "../support/until.ts";

export interface Settled {
  readonly doubts: number;
  readonly parked: number;
}

/** Of settling, and of a task that was parked because its workers died three times in a row. */
const ROUNDS_MAX = 20;

/** Resolves when every task has ended. Whoever is asked about a doubt looks at the effects, and tells the truth. */
export async function settle(place: Place, outsider: Outsider): Promise<Settled> {
  let [doubts, parked] = [0, 0];
  for (let round = 0; round < ROUNDS_MAX; round++) {
    await waitUntilQuiet(place);
    const open = await readDoubts(place);
    const effects = new Set(readEffects(place).map(({ key }) => key));
    for (const { task_id, step_index, idempotency_key, input } of open) {
      const happened = effects.has(idempotency_key);
      const how = happened ? { output: `paid ${JSON.parse(input) as string}` } : { retry: true };
      await outsider.post(`/tasks/${task_id}/resolve`, { step: step_index, ...how });
    }
    const stopped = await place.query<{ id: string }>("select id from tasks where parked_reason is not null");
    for (const { id } of stopped) await outsider.post(`/tasks/${id}/resume`, {});
    doubts += open.length;
    parked += stopped.length;
    if (open.length + stopped.length > 0) continue;
    if ((await countOpen(place)) === 0) return { doubts, parked };
    throw new Error(`Tasks are stuck:\n${await describeOpen(place)}`);
  }
  throw new Error(`After ${ROUNDS_MAX} rounds tasks are still in doubt or parked:\n${await describeOpen(place)}`);
}

/** No worker has anything to do: nothing is due, nothing is held. That takes as long as it takes, while tasks move. */
async function waitUntilQuiet(place: Place): Promise<void> {
  try {
    for (let last = await readActivity(place); Number(last.busy) > 0;) {
      const { busy, moves } = last;
      last = await until(async () => {
        const now = await readActivity(place);
        return (now.busy !== busy || now.moves !== moves) && now;
      }, "tasks that are due or held are driven");
    }
  } catch (error) {
    throw new Error(`Tasks are not driven to an end:\n${await describeOpen(place)}`, { cause: error });
  }
}

interface Activity {
  readonly busy: number | string;
  /** Changes with every change of a task. */
  readonly moves: number | string;
}

async function readActivity(place: Place): Promise<Activity> {
  const [activity] = await place.query<Activity>(
    `select coalesce(sum(case when due_at is not null or lease_owner is not null then 1 else 0 end), 0) as busy,
       coalesce(sum(version), 0) as moves from tasks`,
  );
  return activity ?? { busy: 0, moves: 0 };
}

interface Doubt {
  readonly task_id: string;
  readonly step_index: number;
  readonly idempotency_key: string;
  readonly input: string;
}

function readDoubts(place: Place): Promise<Doubt[]> {
  return place.query<Doubt>(
    `select s.task_id, s.step_index, c.idempotency_key, cast(s.input_payload as text) as input
     from task_steps s join tool_calls c on c.task_id = s.task_id and c.task_step_id = s.id where s.doubt is not null`,
  );
}

/** What is broken, as sentences: at most so many of a kind. */
export async function findBreaches(place: Place, expected: Expected, count: number): Promise<readonly string[]> {
  const tasks = await readTasks(place);
  const roots = await place.query<{ count: unknown }>(
    "select count(*) as count from tasks where parent_task_id is null",
  );
  const breaches: string[] = [];
  if (Number(roots[0]?.count) !== count)
    breaches.push(`There are ${String(roots[0]?.count)} tasks instead of ${count}.`);
  for (const task of tasks) {
    const wanted = expected.get(kindOf(task));
    if (endOf(task) === wanted) continue;
    breaches.push(`Task ${task.id} (${kindOf(task)}) ended with ${endOf(task)}, undisturbed with ${wanted}.`);
  }
  breaches.push(...(await findStepBreaches(place)));
  return breaches.slice(0, BREACHES_MAX);
}

const BREACHES_MAX = 20;

async function findStepBreaches(place: Place): Promise<string[]> {
  const effects = new Map<string, number>();
  for (const { key } of readEffects(place)) effects.set(key, (effects.get(key) ?? 0) + 1);
  const steps = await place.query<StepCalls>(
    `select s.task_id, s.step_index, s.target, s.status, t.status as task, count(c.id) as calls,
       min(c.idempotency_key) as key, min(c.status) as call
     from task_steps s join tasks t on t.id = s.task_id
       left join tool_calls c on c.task_id = s.task_id and c.task_step_id = s.id
     where s.kind = 'tool' group by s.task_id, s.step_index, s.target, s.status, t.status`,
  );
  const breaches: string[] = [];
  const known = new Set<string>();
  for (const { task_id, step_index, target, status, calls, key, call } of steps) {
    const where = `Step ${step_index} (${target}, ${status}) of task ${task_id}`;
    const made = effects.get(key ?? "") ?? 0;
    if (key !== null) known.add(key);
    const isEnded = status === "COMPLETED" || status === "FAILED";
    if (isEnded && (Number(calls) !== 1 || call !== status))
      breaches.push(`${where} has ${String(calls)} tool calls, ${call}.`);
    if (Number(calls) > 1) breaches.push(`${where} has ${String(calls)} tool calls.`);
    if (status === "PLANNED" || status === "RUNNING") breaches.push(`${where} never ended.`);
    if (target === "pay" && made > 1) breaches.push(`${where} was carried out ${made} times.`);
    if (isEnded && made === 0) breaches.push(`${where} was never carried out.`);
  }
  // where a cancel came in between, a step that nobody remembers may have run
  const cancelled = new Set(
    (await readTasks(place)).filter(({ status }) => status === "CANCELLED").map(({ id }) => id),
  );
  for (const key of effects.keys()) {
    const [taskId = ""] = key.split(":");
    if (!known.has(key) && !cancelled.has(taskId)) breaches.push(`Nothing is recorded of the effect ${key}.`);
  }
  return breaches;
}

interface StepCalls {
  readonly task_id: string;
  readonly step_index: number;
  readonly target: string;
  readonly status: string;
  readonly task: string;
  readonly calls: number | string;
  readonly key: string | null;
  readonly call: string | null;
}
