// Schedules of flows that have one open task per key, and inputs that say the time of their firing: on both stores.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow, type Flow } from "../../src/core/flow/flow.ts";
import { waitForSignal } from "../../src/core/flow/operation.ts";
import type { OnConflict } from "../../src/core/flow/unique.ts";
import { keyedTaskId } from "../../src/core/record/ids.ts";
import { firingKey, type Overlap, type ScheduleRow } from "../../src/core/record/schedule.ts";
import type { Store } from "../../src/store/store.ts";
import { plannedRecord, scheduleRow } from "../contract/rows.ts";
import { DATABASES } from "../support/databases.ts";
import { rejection } from "../support/rejection.ts";
import { until } from "../support/until.ts";
import { workerBench } from "./worker-bench.ts";

const DAY_MS = 86_400_000;

const unique = (): string => `n${crypto.randomUUID().replaceAll("-", "")}`;

/** It waits for `go`; its key is what the input says. */
const flowOf = (onConflict: OnConflict = "refuse"): Flow =>
  defineFlow({
    name: unique(),
    input: v.object({ customer: v.string(), day: v.optional(v.pipe(v.string(), v.isoDate())) }),
    unique: { key: ({ customer }) => customer, onConflict },
    signals: { go: v.unknown() },
    *run() {
      yield* waitForSignal("go");
    },
  });

describe.each(DATABASES)("schedules and keys on %s", (_, create) => {
  const { bench, working } = workerBench(create);

  /** A schedule of the flow that is due now. */
  async function due(store: Store, flow: Flow, input: object, overlap: Overlap = "all"): Promise<ScheduleRow> {
    const at = (await store.now()) - 1000;
    const over = { flow_name: flow.name, input: JSON.stringify(input), every_ms: DAY_MS, overlap } as const;
    const row = { ...scheduleRow({ name: unique(), ...over }), nominal_at: at, next_at: at };
    expect(await store.schedules.insert(row)).toBe(true);
    return row;
  }
  const idOf = ({ name, nominal_at }: ScheduleRow): string => keyedTaskId(firingKey(name, nominal_at ?? 0));

  test("a firing whose key another open task has is put down as skipped, with that task", async () => {
    const flow = flowOf();
    const store = await bench.openStore();
    const engine = await bench.openEngine({ flows: [flow] });
    const { task } = await engine.createTask({ flow: flow.name, input: { customer: "c1" } });
    const [taken, free] = [await due(store, flow, { customer: "c1" }), await due(store, flow, { customer: "c2" })];
    await working({ flows: [flow] });
    await until(async () => (await store.schedules.read(taken.name))?.version === 2);
    await until(async () => (await store.schedules.read(free.name))?.version === 2);
    expect(await store.schedules.read(taken.name)).toMatchObject({
      fired_count: 0,
      skipped_count: 1,
      last_task_id: null,
    });
    expect(await store.schedules.readSkips(taken.name)).toMatchObject([
      { kind: "unique", count: 1, reason: `an open task has its key "c1": ${task.id}` },
    ]);
    expect(await store.readTaskRow(idOf(taken))).toBeUndefined();
    expect(await store.readTaskRow(idOf(free))).toMatchObject({ unique_key: "c2", schedule: free.name });
  });

  test("several times that are due at once, of one key, make their tasks one after the other", async () => {
    const flow = defineFlow({ name: unique(), input: v.object({}), unique: { key: () => "one" }, *run() {} });
    const store = await bench.openStore();
    // intervals count from 1970
    const begin = Math.floor(((await store.now()) - 35_000) / 10_000) * 10_000;
    const row = {
      ...scheduleRow({ name: unique(), flow_name: flow.name, input: "{}", every_ms: 10_000, overlap: "all" }),
      nominal_at: begin,
      next_at: begin,
    };
    expect(await store.schedules.insert(row)).toBe(true);
    await working({ flows: [flow] });
    const ids = [0, 1, 2, 3].map((n) => idOf({ ...row, nominal_at: begin + n * 10_000 }));
    await until(async () => (await store.readTaskRow(ids.at(-1) ?? ""))?.status === "COMPLETED");
    const rows = await Promise.all(ids.map((id) => store.readTaskRow(id)));
    expect(rows.map((task) => task?.status)).toEqual(["COMPLETED", "COMPLETED", "COMPLETED", "COMPLETED"]);
    expect(await store.schedules.readSkips(row.name)).toEqual([]);
  });

  test("a flow that replaces has the other cancelled, and its firing comes when that has ended", async () => {
    const flow = flowOf("replace");
    const store = await bench.openStore();
    const engine = await bench.openEngine({ flows: [flow] });
    const { task } = await engine.createTask({ flow: flow.name, input: { customer: "c1" } });
    const row = await due(store, flow, { customer: "c1" });
    await working({ flows: [flow] });
    await until(async () => (await store.schedules.read(row.name))?.fired_count === 1);
    expect(await engine.getTask(task.id)).toMatchObject({ status: "CANCELLED" });
    expect(await store.readTaskRow(idOf(row))).toMatchObject({ unique_key: "c1", finished_at: null });
    expect(await store.schedules.read(row.name)).toMatchObject({ queued_at: null, skipped_count: 0 });
  });

  test("cancel-running comes to its next task although the one before has the key", async () => {
    const flow = flowOf();
    const store = await bench.openStore();
    const engine = await bench.openEngine({ flows: [flow] });
    const row = await due(store, flow, { customer: "c1" }, "cancel-running");
    const { id } = await engine.schedules.trigger(row.name, {});
    await working({ flows: [flow] });
    await until(async () => (await store.schedules.read(row.name))?.fired_count === 1);
    expect(await engine.getTask(id)).toMatchObject({ status: "CANCELLED" });
    expect(await store.readTaskRow(idOf(row))).toMatchObject({ finished_at: null });
  });

  test("a firing whose key was taken just now is not written at all, also beside others", async () => {
    const flow = flowOf();
    const store = await bench.openStore();
    const [a, b] = [await due(store, flow, {}), await due(store, flow, {})];
    await store.insertTasks([plannedRecord({ flow_name: flow.name, unique_key: "taken" })]);
    const firing = (row: ScheduleRow, unique_key: string) => ({
      row: { ...row, version: 2, fired_count: 1 },
      tasks: [plannedRecord({ id: idOf(row), flow_name: flow.name, schedule: row.name, unique_key })],
      skips: [],
    });
    expect(await store.schedules.fire([firing(a, "taken"), firing(b, "free")])).toEqual([false, true]);
    expect(await store.schedules.read(a.name)).toMatchObject({ version: 1, fired_count: 0 });
    expect(await store.schedules.read(b.name)).toMatchObject({ version: 2, fired_count: 1 });
    expect(await store.readTaskRow(idOf(a))).toBeUndefined();
    // one that is there already is what the firing is to make
    const again = firing({ ...b, version: 2 }, "free");
    expect(await store.schedules.fire([{ ...again, row: { ...again.row, version: 3 } }])).toEqual([true]);
  });

  test("a backfill makes what it can, and says of the rest why there is no task", async () => {
    const flow = flowOf();
    const engine = await bench.openEngine({ flows: [flow] });
    const name = unique();
    await engine.schedules.add({ name, flow: flow.name, cron: "0 0 * * *", input: { customer: "c1" } });
    const from = new Date(Date.now() - 2.5 * DAY_MS).toISOString();
    const made = await engine.schedules.backfill(name, { from, dryRun: false });
    const [first, ...rest] = made;
    expect(first?.refused).toBeUndefined();
    expect(rest.length).toBeGreaterThan(0);
    for (const { refused } of rest)
      expect(refused).toStartWith(`Task ${first?.task_id} of flow ${flow.name} has the key "c1"`);
  });

  test("an input says the time of its firing, for a firing, a trigger and a backfill alike", async () => {
    const flow = flowOf();
    const store = await bench.openStore();
    const engine = await bench.openEngine({ flows: [flow] });
    const input = { customer: "at {{firing.time}} and {{other}}", day: "{{ firing.date }}" };
    const row = await due(store, flow, input);
    const name = unique();
    await engine.schedules.add({ name, flow: flow.name, cron: "30 23 * * *", timeZone: "Asia/Tokyo", input });
    await working({ flows: [flow] });
    await until(async () => (await store.schedules.read(row.name))?.fired_count === 1);
    const time = new Date(row.nominal_at ?? 0).toISOString();
    expect((await engine.getTask(idOf(row))).input_payload).toEqual({
      customer: `at ${time} and {{other}}`,
      day: time.slice(0, 10),
    });
    const [first] = await engine.schedules.backfill(name, {
      from: "2026-03-01T00:00:00Z",
      until: "2026-03-01T23:00:00Z",
      dryRun: false,
    });
    expect((await engine.getTask(first?.task_id ?? "")).input_payload).toEqual({
      customer: "at 2026-03-01T14:30:00.000Z and {{other}}",
      day: "2026-03-01",
    });
    const triggered = (await engine.schedules.trigger(name, {})).input_payload as { readonly customer: string };
    expect(triggered.customer).toMatch(/^at 20\d\d-.*Z and/);
    const refusal = await rejection(
      engine.schedules.add({ name: unique(), flow: flow.name, every: "1h", input: { customer: "{{firing.tme}}" } }),
    );
    expect(refusal).toMatchObject({ code: "input_invalid", message: expect.stringContaining("did you mean time?") });
  });
});
