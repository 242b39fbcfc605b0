// Flows and rows for tests of schedules, and what became of them.

import { expect } from "bun:test";
import * as v from "valibot";
import { defineFlow, type Flow } from "../../src/core/flow/flow.ts";
import { waitForSignal } from "../../src/core/flow/operation.ts";
import type { ScheduleRow } from "../../src/core/record/schedule.ts";
import type { ScheduleDefinition } from "../../src/core/flow/schedule.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import type { Store } from "../../src/store/store.ts";
import { scheduleRow } from "../contract/rows.ts";

export const HOUR_MS = 3_600_000;

/** A flow of a file, which waits for a signal. Each test has flows and schedules of its own. */
export function flowOfFile(
  name: string,
  code: string,
  schedules: readonly ScheduleDefinition<{ readonly n: number }>[],
): Flow {
  const flow = defineFlow({
    name,
    input: v.object({ n: v.number() }),
    signals: { go: v.unknown() },
    schedules,
    *run() {
      yield* waitForSignal("go");
    },
  });
  return { ...flow, file: `/flows/${name}.ts`, code };
}

export const unique = (): string => `n${crypto.randomUUID().replaceAll("-", "")}`;
export const YEARLY = { cron: "0 0 1 1 *", input: { n: 1 } } as const;

export const namesOf = async (store: Store, flow: string): Promise<readonly string[]> =>
  (await store.schedules.list({ limit: 1000 })).filter((row) => row.flow_name === flow).map(({ name }) => name);

/** Ids of the tasks that a schedule has made, whatever became of them. */
export const firedBy = async (store: Store, name: string): Promise<number> =>
  (await store.schedules.read(name))?.fired_count ?? 0;

/** A schedule of the flow that is due, or was some time ago. */
export async function dueSince(
  store: Store,
  flow: string,
  ms: number,
  over: Partial<ScheduleRow>,
): Promise<ScheduleRow> {
  const every = over.every_ms ?? 24 * HOUR_MS;
  const at = Math.floor(((await store.now()) - ms) / every) * every;
  const row = scheduleRow({ name: unique(), flow_name: flow, input: '{"n":1}', every_ms: every, ...over });
  const made = { ...row, nominal_at: at, next_at: at };
  expect(await store.schedules.insert(made)).toBe(true);
  return made;
}

export const end = (engine: Engine, id: string): Promise<unknown> =>
  engine.signalTask(id, { name: "go", payload: null });
