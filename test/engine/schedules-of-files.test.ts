// What files say of schedules, and what becomes of it when a file changes.

import { describe, expect, test } from "bun:test";
import type { ScheduleRow } from "../../src/core/record/schedule.ts";
import { SILENT } from "../../src/core/log.ts";
import { scheduleRow } from "../contract/rows.ts";
import { DATABASES } from "../support/databases.ts";
import { rejection } from "../support/rejection.ts";
import { until } from "../support/until.ts";
import { workerBench } from "./worker-bench.ts";
import { HOUR_MS, flowOfFile, unique, YEARLY, namesOf, firedBy, end } from "./schedules-world.ts";

describe.each(DATABASES)("schedules of a file on %s", (_, create) => {
  const { bench, working } = workerBench(create);

  test("become rows when a worker starts, and are those of the new file when one with that starts", async () => {
    const [flow, a, b, c, other] = [unique(), unique(), unique(), unique(), unique()];
    const store = await bench.openStore();
    const one = flowOfFile(flow, "one", [
      { name: a, ...YEARLY },
      { name: b, ...YEARLY, jitter: "1h" },
    ]);
    const { worker } = await working({ flows: [one] });
    await store.schedules.insert(scheduleRow({ name: other, flow_name: flow }));
    expect((await namesOf(store, flow)).toSorted()).toEqual([a, b, other].toSorted());
    const before = await store.schedules.read(b);
    const two = flowOfFile(flow, "two", [
      { name: b, ...YEARLY, jitter: "1h", input: { n: 2 } },
      { name: c, ...YEARLY },
    ]);
    await working({ flows: [two] });
    expect((await namesOf(store, flow)).toSorted()).toEqual([b, c, other].toSorted());
    // its times are the same: so is the next one
    expect(await store.schedules.read(b)).toMatchObject({
      input: '{"n":2}',
      next_at: before?.next_at ?? 0,
      version: 2,
    });
    await worker.stop();
  });

  test("are not taken back by an older worker that starts again, nor does that fire them", async () => {
    const [flow, name] = [unique(), unique()];
    const store = await bench.openStore();
    const old = flowOfFile(flow, "old", [{ name, ...YEARLY }]);
    const first = await working({ flows: [old] });
    await working({ flows: [flowOfFile(flow, "new", [{ name, every: "1s", input: { n: 7 } }])] });
    const again = await bench.openEngine({ flows: [old] });
    await again.startWorker({ concurrency: 1 });
    await until(async () => (await firedBy(store, name)) > 0);
    expect(await store.schedules.read(name)).toMatchObject({ every_ms: 1000, input: '{"n":7}' });
    expect((await store.schedules.listSources()).find((each) => each.flow_name === flow)?.code).toBe("new");
    await first.worker.stop();
  });

  test("are those of the old file again when nobody has had the new one for a while", async () => {
    const [flow, name] = [unique(), unique()];
    const store = await bench.openStore();
    const old = flowOfFile(flow, "old", [{ name, ...YEARLY }]);
    for (const each of [old, flowOfFile(flow, "new", [])]) {
      const engine = await bench.openEngine({ flows: [each] });
      await (await engine.startWorker({ concurrency: 1 })).stop();
    }
    expect(await namesOf(store, flow)).toEqual([]);
    const source = (await store.schedules.listSources()).find((each) => each.flow_name === flow);
    if (!source) throw new Error("There is one.");
    // as if the last worker that had it had left three minutes ago
    const confirmed_at = (await store.now()) - 180_000;
    await store.schedules.declare({
      source: { ...source, version: source.version + 1, confirmed_at },
      rows: [],
      names: [],
    });
    await working({ flows: [old] });
    expect(await namesOf(store, flow)).toEqual([name]);
  });

  test("a worker confirms the code that it has, so that an older worker does not take it for gone", async () => {
    const [flow, name] = [unique(), unique()];
    const store = await bench.openStore();
    const old = flowOfFile(flow, "one", [{ name, ...YEARLY }]);
    await working({ flows: [old] });
    const file = flowOfFile(flow, "two", [{ name, every: "365d", input: { n: 1 } }]);
    await working({ flows: [file] });
    const source = (await store.schedules.listSources()).find((each) => each.flow_name === flow);
    if (!source) throw new Error("There is one.");
    const stale = { ...source, version: source.version + 1, confirmed_at: (await store.now()) - 180_000 };
    await store.schedules.declare({ source: stale, rows: [], names: [name] });
    await working({ flows: [file] });
    await working({ flows: [old] });
    expect(await store.schedules.read(name)).toMatchObject({ cron: null, every_ms: 365 * 24 * HOUR_MS });
  });

  test("a paused one stays paused when the file changes", async () => {
    const [flow, name] = [unique(), unique()];
    const store = await bench.openStore();
    const { engine } = await working({ flows: [flowOfFile(flow, "one", [{ name, ...YEARLY }])] });
    await engine.schedules.pause(name, { reason: "no" });
    await working({ flows: [flowOfFile(flow, "two", [{ name, every: "1s", input: { n: 1 } }])] });
    expect(await store.schedules.read(name)).toMatchObject({ every_ms: 1000, next_at: null, pause_reason: "no" });
    await engine.schedules.resume(name);
    await until(async () => (await firedBy(store, name)) > 0);
  });

  test("a firing that waits for an end comes after that end, though the file has other times since", async () => {
    const [flow, name] = [unique(), unique()];
    const store = await bench.openStore();
    const often = { name, every: "1s", overlap: "queue", input: { n: 1 } } as const;
    const old = await working({ flows: [flowOfFile(flow, "one", [often])] });
    const waiting = async (): Promise<ScheduleRow | undefined> => {
      const row = await store.schedules.read(name);
      return row?.queued_at ? row : undefined;
    };
    await until(async () => (await waiting()) !== undefined);
    await old.worker.stop();
    const row = await waiting();
    // nobody looks any more when the schedule hears of the end
    await end(old.engine, row?.last_task_id ?? "");
    await old.engine.runTask(row?.last_task_id ?? "");
    await working({ flows: [flowOfFile(flow, "two", [{ ...often, every: "365d" }])] });
    await until(async () => (await firedBy(store, name)) === (row?.fired_count ?? 0) + 1);
    expect(await store.schedules.read(name)).toMatchObject({ queued_at: null, fired_at: row?.queued_at });
  });

  test("a firing that is due is made, though the file says another jitter since", async () => {
    const [flow, name] = [unique(), unique()];
    const store = await bench.openStore();
    const { worker } = await working({ flows: [flowOfFile(flow, "one", [{ name, ...YEARLY }])] });
    await worker.stop();
    const row = (await store.schedules.read(name)) as ScheduleRow;
    const at = (await store.now()) - HOUR_MS;
    const due = { ...row, version: row.version + 1, nominal_at: at, next_at: at };
    expect(await store.schedules.fire([{ row: due, tasks: [], skips: [] }])).toEqual([true]);
    await working({ flows: [flowOfFile(flow, "two", [{ name, ...YEARLY, jitter: "1s" }])] });
    await until(async () => (await firedBy(store, name)) === 1);
    expect(await store.schedules.read(name)).toMatchObject({ fired_at: at, jitter_ms: 1000 });
  });

  test("cannot be removed while a worker has the file, and can be when nobody has it any more", async () => {
    const [flow, name] = [unique(), unique()];
    const store = await bench.openStore();
    const { engine } = await working({ flows: [flowOfFile(flow, "one", [{ name, ...YEARLY }])] });
    expect(await rejection(engine.schedules.remove(name))).toMatchObject({ code: "schedule_of_flow" });
    const source = (await store.schedules.listSources()).find((each) => each.flow_name === flow);
    if (!source) throw new Error("There is one.");
    const stale = { ...source, version: source.version + 1, confirmed_at: (await store.now()) - 180_000 };
    await store.schedules.declare({ source: stale, rows: [], names: [name] });
    await engine.schedules.remove(name);
    expect(await store.schedules.read(name)).toBeUndefined();
  });

  test("one that moves to another flow of the same files is there, and a name that is taken stays", async () => {
    const [from, to, name, taken] = [`z${unique()}`, unique(), unique(), unique()];
    const store = await bench.openStore();
    await store.schedules.insert(scheduleRow({ name: taken, flow_name: "echo_add" }));
    await working({ flows: [flowOfFile(from, "one", [{ name, ...YEARLY }]), flowOfFile(to, "one", [])] });
    const told: unknown[] = [];
    await working({
      log: { ...SILENT, warn: (message, fields) => told.push([message, fields]) },
      flows: [
        flowOfFile(from, "two", []),
        flowOfFile(to, "two", [
          { name, ...YEARLY },
          { name: taken, ...YEARLY },
        ]),
      ],
    });
    expect(told).toEqual([
      [
        "a schedule's name is taken by another schedule, which stays",
        { schedule: taken, flow: to, taken_by: "a command, for flow echo_add" },
      ],
    ]);
    expect((await store.schedules.read(name))?.flow_name).toBe(to);
    expect(await store.schedules.read(taken)).toMatchObject({ flow_name: "echo_add", owner: "command", version: 1 });
  });
});
