// What every flow gives for every input where nobody disturbs it: one process, one run.

import { openPlace, type Place } from "../e2e/place.ts";
import { Random } from "../sim/random.ts";
import { effectsEnv } from "./effects.ts";
import { KINDS, Outsider, wishes } from "./outsider.ts";
import { until } from "../support/until.ts";

/** How a task ended, by its flow and input. */
export type Expected = ReadonlyMap<string, string>;

export interface EndedTask {
  readonly id: string;
  readonly flow_name: string;
  readonly input_payload: string;
  readonly status: string;
  readonly output_payload: string | null;
  readonly error: string | null;
}

const ENDED = "('COMPLETED', 'FAILED', 'CANCELLED')";

export async function runUndisturbed(seed: number): Promise<Expected> {
  await using place = await openPlace("sqlite");
  const { url } = await place.serve(["--concurrency", "50"], { env: { ...effectsEnv(place), LOG_LEVEL: "info" } });
  await new Outsider(url).ask(wishes(KINDS), { random: new Random(seed), overMs: 500 });
  await until(async () => (await countOpen(place)) === 0).catch(async (error: unknown) => {
    throw new Error(`Left open:\n${await describeOpen(place)}`, { cause: error });
  });
  const expected = new Map<string, string>();
  for (const task of await readTasks(place)) {
    const end = endOf(task);
    const other = expected.get(kindOf(task));
    if (other !== undefined && other !== end) throw new Error(`${kindOf(task)} gives ${other}, and ${end} as well.`);
    expected.set(kindOf(task), end);
  }
  return expected;
}

export async function countOpen(place: Place): Promise<number> {
  const [row] = await place.query<{ count: number | string }>(
    `select count(*) as count from tasks where status not in ${ENDED}`,
  );
  return Number(row?.count);
}

export async function describeOpen(place: Place): Promise<string> {
  const rows = await place.query(
    `select t.id, t.flow_name, t.status, t.version, t.due_at, t.lease_owner, t.parked_reason, t.wake_seq, s.step_index,
       s.step_name, s.status as step, s.starts, s.doubt, s.due_at as step_due
     from tasks t left join task_steps s on s.task_id = t.id and s.status in ('PLANNED', 'RUNNING')
     where t.status not in ${ENDED} limit 20`,
  );
  return rows.map((row) => JSON.stringify(row)).join("\n");
}

export function readTasks(place: Place): Promise<EndedTask[]> {
  return place.query<EndedTask>(
    `select id, flow_name, status, cast(input_payload as text) as input_payload,
       cast(output_payload as text) as output_payload, cast(error as text) as error from tasks`,
  );
}

/** Tasks of one kind must end alike. */
export function kindOf({ flow_name, input_payload }: EndedTask): string {
  return `${flow_name} ${input_payload}`;
}

export function endOf({ status, output_payload, error }: EndedTask): string {
  return `${status} ${output_payload ?? error ?? ""}`;
}
