// Schedules over both stores: what workers make of them, and what comes of it when they die.

import { describe, expect, test } from "bun:test";
import { keyedTaskId } from "../../src/core/record/ids.ts";
import { firingKey, type ScheduleRow } from "../../src/core/record/schedule.ts";
import { isTerminal } from "../../src/core/record/status.ts";
import { scheduleRow } from "../contract/rows.ts";
import { DATABASES } from "../support/databases.ts";
import { rejection } from "../support/rejection.ts";
import { until } from "../support/until.ts";
import { workerBench } from "./worker-bench.ts";
import { HOUR_MS, flowOfFile, unique, firedBy, dueSince, end } from "./schedules-world.ts";

describe.each(DATABASES)("schedules on %s", (_, create) => {
  const { bench, working } = workerBench(create);

  test("whose input is too large for this process are left for one that can make their tasks", async () => {
    const flow = flowOfFile(unique(), "one", []);
    const store = await bench.openStore();
    const { name, nominal_at, next_at } = await dueSince(store, flow.name, 0, { catch_up: "last" });
    const { worker } = await working({ flows: [flow], limits: { inputBytes: 3 } });
    await until(async () => ((await store.schedules.read(name))?.next_at ?? 0) > (next_at ?? 0));
    expect(await store.schedules.read(name)).toMatchObject({ nominal_at, fired_count: 0 });
    expect(await store.schedules.readSkips(name)).toEqual([]);
    await worker.stop();
  });

  describe("when workers were away for an hour", () => {
    const flow = flowOfFile(unique(), "code", []);

    test.each([
      ["none", null, 0, 1],
      ["last", null, 1, 0],
      ["within", 2 * HOUR_MS, 1, 0],
      ["within", HOUR_MS / 2, 0, 1],
    ] as const)("%s %p makes up for %i, and puts the rest down", async (catch_up, catch_up_ms, fired, skipped) => {
      const store = await bench.openStore();
      const every = 24 * HOUR_MS;
      const at = (await store.now()) - HOUR_MS;
      const row = scheduleRow({
        name: unique(),
        flow_name: flow.name,
        input: '{"n":1}',
        every_ms: every,
        catch_up,
        catch_up_ms,
      });
      await store.schedules.insert({ ...row, nominal_at: at, next_at: at });
      await working({ flows: [flow] });
      await until(async () => (await store.schedules.read(row.name))?.version === 2);
      const after = await store.schedules.read(row.name);
      expect(after).toMatchObject({ fired_count: fired, skipped_count: skipped });
      expect(after?.next_at).toBeGreaterThan(await store.now());
      const task = await store.readTaskRow(keyedTaskId(firingKey(row.name, at)));
      expect(task === undefined).toBe(fired === 0);
      expect((await store.schedules.readSkips(row.name)).map(({ kind, count }) => [kind, count])).toEqual(
        skipped === 0 ? [] : [["missed", skipped]],
      );
    });

    test("within makes up for each of many times, once and under its key", async () => {
      const store = await bench.openStore();
      const row = await dueSince(store, flow.name, HOUR_MS, {
        every_ms: 60_000,
        overlap: "all",
        priority: 2,
        catch_up: "within",
        catch_up_ms: 2 * HOUR_MS,
      });
      await Promise.all([working({ flows: [flow] }), working({ flows: [flow] }), working({ flows: [flow] })]);
      await until(async () => ((await store.schedules.read(row.name))?.next_at ?? 0) > (await store.now()));
      const after = (await store.schedules.read(row.name)) as ScheduleRow;
      expect(after.skipped_count).toBe(0);
      const first = row.nominal_at ?? 0;
      const count = ((after.nominal_at ?? 0) - first) / 60_000;
      expect(after.fired_count).toBe(count);
      for (let i = 0; i < count; i++) {
        const id = keyedTaskId(firingKey(row.name, first + i * 60_000));
        expect(await store.readTaskRow(id)).toMatchObject({
          schedule: row.name,
          priority: 2,
          input_payload: '{"n":1}',
        });
      }
    });
  });

  describe("while a task of it has not ended", () => {
    const flow = flowOfFile(unique(), "code", []);

    test("queue makes the one that waits when that task ends, whoever ends it", async () => {
      const store = await bench.openStore();
      const { engine } = await working({ flows: [flow] });
      const row = scheduleRow({
        name: unique(),
        flow_name: flow.name,
        input: '{"n":1}',
        overlap: "queue",
        every_ms: HOUR_MS,
      });
      await store.schedules.insert(row); // it has no next time yet
      const { id } = await engine.schedules.trigger(row.name, {});
      const at = (await store.now()) - 1;
      await store.schedules.fire([{ row: { ...row, version: 2, nominal_at: at, next_at: at }, tasks: [], skips: [] }]);
      await store.announce();
      await until(async () => (await engine.schedules.get(row.name)).queued_at !== null);
      expect(await firedBy(store, row.name)).toBe(0);
      await end(engine, id);
      await until(async () => (await firedBy(store, row.name)) === 1);
      expect(await engine.schedules.get(row.name)).toMatchObject({ queued_at: null, skipped_count: 0 });
      expect(await store.readTaskRow(keyedTaskId(firingKey(row.name, at)))).toMatchObject({ schedule: row.name });
    });

    test("cancel-running cancels it, and makes the next", async () => {
      const store = await bench.openStore();
      const engine = await bench.openEngine({ flows: [flow] });
      const row = await dueSince(store, flow.name, 0, {
        overlap: "cancel-running",
        every_ms: 24 * HOUR_MS,
        catch_up: "last",
      });
      const { id } = await engine.schedules.trigger(row.name, {});
      await engine.startWorker({ concurrency: 5 });
      await until(async () => (await firedBy(store, row.name)) === 1);
      await until(async () => isTerminal((await engine.getTask(id)).status));
      expect(await engine.getTask(id)).toMatchObject({ status: "CANCELLED" });
      const made = keyedTaskId(firingKey(row.name, row.nominal_at ?? 0));
      expect(isTerminal((await engine.getTask(made)).status)).toBe(false);
    });
  });

  test("a firing whose input the flow refuses by now is put down, and the next one is made when it comes", async () => {
    const flow = flowOfFile(unique(), "code", []);
    const store = await bench.openStore();
    const row = await dueSince(store, flow.name, 0, { input: '{"n":"no number"}' });
    await working({ flows: [flow] });
    await until(async () => (await store.schedules.read(row.name))?.version === 2);
    const [skip] = await store.schedules.readSkips(row.name);
    expect(skip).toMatchObject({ kind: "refused", reason: expect.stringContaining("n: expected a number") });
  });

  test.each([
    ["a cron expression", { every_ms: null, cron: "0 * * * *" }],
    ["an interval", { every_ms: HOUR_MS, input: '{"n":1,"day":"{{firing.date}}"}' }],
  ])(
    "one of %s whose zone this machine does not know is left to others, and stands in nobody's way",
    async (_how, over) => {
      const flow = flowOfFile(unique(), "code", []);
      const store = await bench.openStore();
      const at = (await store.now()) - 1000;
      const odd = scheduleRow({ name: unique(), flow_name: flow.name, time_zone: "Mars/X", ...over });
      await store.schedules.insert({ ...odd, nominal_at: at, next_at: at });
      const row = await dueSince(store, flow.name, 0, {});
      const { engine } = await working({ flows: [flow] });
      await until(async () => (await firedBy(store, row.name)) === 1);
      await until(async () => (await store.schedules.read(odd.name))?.version === 2);
      const left = await store.schedules.read(odd.name);
      expect(left).toMatchObject({ nominal_at: at, fired_count: 0, skipped_count: 0 });
      expect(left?.next_at).toBeGreaterThan(at + 30_000);
      const unknown = {
        code: "record_damaged",
        message: expect.stringContaining('"Mars/X", which this taskonaut does not know'),
      };
      const { schedules } = engine;
      for (const asked of [
        () => schedules.get(odd.name),
        () => schedules.preview(odd.name, { count: 1 }),
        () => schedules.backfill(odd.name, { from: new Date(at).toISOString(), dryRun: true }),
        () => schedules.trigger(odd.name, {}),
      ])
        expect(await rejection(asked())).toMatchObject(unknown);
      await schedules.remove(odd.name);
    },
  );

  test("pause, resume, trigger and backfill do what they say", async () => {
    const flow = flowOfFile(unique(), "code", []);
    const store = await bench.openStore();
    const { engine } = await working({ flows: [flow] });
    const name = unique();
    const added = await engine.schedules.add({ name, flow: flow.name, cron: "0 * * * *", input: { n: 3 } });
    expect(added).toMatchObject({ owner: "command", time_zone: "UTC", overlap: "skip", catch_up: "last" });
    expect(
      await rejection(engine.schedules.add({ name, flow: flow.name, every: "1m", input: { n: 3 } })),
    ).toMatchObject({
      code: "schedule_exists",
    });
    for (const reason of ["", "a\0", "\ud800"])
      expect(await rejection(engine.schedules.pause(name, { reason }))).toMatchObject({ code: "input_invalid" });
    await engine.schedules.pause(name, { reason: "the bank is down" });
    expect(await engine.schedules.get(name)).toMatchObject({ next_at: null, pause_reason: "the bank is down" });
    const row = (await store.schedules.read(name)) as ScheduleRow;
    const hoursAgo = (row.nominal_at ?? 0) - 3 * HOUR_MS;
    await store.schedules.fire([
      { row: { ...row, version: row.version + 1, nominal_at: hoursAgo }, tasks: [], skips: [] },
    ]);
    expect(await engine.schedules.resume(name)).toMatchObject({
      paused_at: null,
      next_at: added.next_at,
      skipped_count: 3,
    });
    expect((await engine.schedules.get(name)).skips).toMatchObject([
      { kind: "paused", count: 3, from: new Date(hoursAgo).toISOString() },
    ]);
    const triggered = await engine.schedules.trigger(name, { idempotencyKey: `${name} once` });
    expect((await engine.schedules.trigger(name, { idempotencyKey: `${name} once` })).id).toBe(triggered.id);
    const range = { from: new Date((await store.now()) - 5 * HOUR_MS).toISOString() };
    const planned = await engine.schedules.backfill(name, { ...range, dryRun: true });
    expect(planned.map(({ exists }) => exists)).toEqual([false, false, false, false, false]);
    const made = await engine.schedules.backfill(name, { ...range, dryRun: false });
    expect(made).toEqual(planned);
    const again = await engine.schedules.backfill(name, { ...range, dryRun: false });
    expect(again.map(({ exists, task_id }) => [exists, task_id])).toEqual(
      planned.map(({ task_id }) => [true, task_id]),
    );
    expect(await store.readTaskRow(planned[0]?.task_id ?? "")).toMatchObject({
      schedule: name,
      input_payload: '{"n":3}',
    });
    await engine.schedules.remove(name);
    expect(await rejection(engine.schedules.get(name))).toMatchObject({ code: "schedule_not_found" });
  });

  test("what is wrong with a new one is told all at once, by option", async () => {
    const flow = flowOfFile(unique(), "code", []);
    const engine = await bench.openEngine({ flows: [flow] });
    const wrong = {
      name: "1st",
      flow: flow.name,
      cron: "0 0 30 2 *",
      timeZone: "Mars",
      overlap: "skp",
      catchUp: "all",
      jitter: "2d",
    };
    const error = await rejection(engine.schedules.add(wrong));
    expect(error).toMatchObject({ code: "input_invalid" });
    const { errors } = error as { errors?: readonly { path: string; message: string }[] };
    expect(errors?.map(({ path }) => path).toSorted()).toEqual([
      "catchUp",
      "cron",
      "jitter",
      "name",
      "overlap",
      "timeZone",
    ]);
    expect(
      await rejection(engine.schedules.add({ name: unique(), flow: flow.name, every: "1m", input: {} })),
    ).toMatchObject({
      code: "input_invalid",
      errors: [{ path: "input.n", message: "required" }],
    });
    expect(await rejection(engine.schedules.add({ name: unique(), flow: "nothing", every: "1m" }))).toMatchObject({
      code: "flow_not_found",
    });
  });
});
