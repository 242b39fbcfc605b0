// What every store must hold to (`src/store/schedule-store.ts`), whatever lies beneath: schedules, and what fires them.

import { describe, expect, test } from "bun:test";

import { type ScheduleRow, SKIPS_KEPT, type SkipRow } from "../../src/core/record/schedule.ts";
import { DUE_MAX, type Firing, OPEN_TOLD } from "../../src/store/schedule-store.ts";
import type { Place } from "./place.ts";
import { taskBench } from "./task-bench.ts";
import { changeOf, inStatus, plannedRecord, scheduleRow, T0 } from "./rows.ts";

const FLOWS = [{ name: "echo_add", code: "built-in" }];
const HOUR_MS = 3_600_000;

export function scheduleContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: schedules`, () => {
    const bench = taskBench(create, { hasOther: true });

    const dueRow = async (over: Partial<ScheduleRow> = {}): Promise<ScheduleRow> => {
      const at = (await bench.store.now()) - 1000;
      const row = scheduleRow({ nominal_at: at, next_at: at, ...over });
      expect(await bench.store.schedules.insert(row)).toBe(true);
      return row;
    };

    const moved = (row: ScheduleRow, over: Partial<ScheduleRow> = {}): ScheduleRow => {
      const next = (row.next_at ?? T0) + HOUR_MS;
      return { ...row, version: row.version + 1, nominal_at: next, next_at: next, ...over };
    };

    const firing = (row: ScheduleRow, over: Partial<Firing> = {}): Firing => ({
      row: moved(row),
      tasks: [plannedRecord({ schedule: row.name, due_at: T0 })],
      skips: [],
      ...over,
    });

    const skip = (row: ScheduleRow, over: Partial<SkipRow> = {}): SkipRow => ({
      schedule_name: row.name,
      from_at: T0,
      until_at: T0,
      count: 1,
      kind: "missed",
      reason: "nobody was there",
      recorded_at: T0,
      ...over,
    });

    test("a row comes back as it was written, and a name is taken once", async () => {
      const row = scheduleRow({
        name: "nightly",
        every_ms: null,
        cron: "30 2 * * *",
        catch_up: "within",
        catch_up_ms: 5000,
        input: `{"b":1,"a":"\\u0000"}`,
        paused_at: T0,
        pause_reason: "größe's",
        next_at: null,
        last_task_id: crypto.randomUUID(),
        skip_from: T0 + 7,
        skip_kind: "overlap",
      });
      expect(await bench.store.schedules.insert(row)).toBe(true);
      expect(await bench.other.schedules.read("nightly")).toEqual(row);
      expect(await bench.other.schedules.insert({ ...row, flow_name: "another" })).toBe(false);
      expect(await bench.store.schedules.read("nightly")).toEqual(row);
      expect(await bench.store.schedules.read("nothing")).toBeUndefined();
    });

    test("they are listed by name, page by page, in one order of letters", async () => {
      for (const name of ["b", "A", "a.2", "a-1", "B", "a_3"])
        await bench.store.schedules.insert(scheduleRow({ name }));
      const names = async (page: { limit: number; after?: string }): Promise<readonly string[]> =>
        (await bench.store.schedules.list(page)).map((row) => row.name);
      const all = ["A", "B", "a-1", "a.2", "a_3", "b"];
      expect(await names({ limit: 10 })).toEqual(all);
      expect(await names({ limit: 2 })).toEqual(all.slice(0, 2));
      expect(await names({ limit: 10, after: "B" })).toEqual(all.slice(2));
    });

    test("what is due is told of the flows that are asked for, those that are due for longest first, and when the next is", async () => {
      const now = await bench.store.now();
      const at = (ms: number) => ({ nominal_at: now + ms, next_at: now + ms });
      await bench.store.schedules.insert(scheduleRow({ name: "late", ...at(-1000) }));
      await bench.store.schedules.insert(scheduleRow({ name: "later", ...at(-5000) }));
      await bench.store.schedules.insert(scheduleRow({ name: "soon", ...at(HOUR_MS) }));
      await bench.store.schedules.insert(scheduleRow({ name: "sooner", ...at(HOUR_MS / 2) }));
      await bench.store.schedules.insert(scheduleRow({ name: "foreign", flow_name: "other", ...at(-9000) }));
      await bench.store.schedules.insert(
        scheduleRow({ name: "paused", nominal_at: now, next_at: null, paused_at: now }),
      );
      const { due, nextAt, now: storeNow } = await bench.store.schedules.readDue(FLOWS);
      expect(due.map(({ row }) => row.name)).toEqual(["later", "late"]);
      expect(nextAt).toBe(now + HOUR_MS / 2);
      expect(storeNow).toBeGreaterThanOrEqual(now);
      expect(due[0]?.row).toEqual((await bench.store.schedules.read("later")) as ScheduleRow);
      expect((await bench.store.schedules.readDue([{ name: "nobody's", code: "x" }])).nextAt).toBeNull();
      const both = await bench.store.schedules.readDue([...FLOWS, { name: "other", code: "x" }]);
      expect(both.due.map(({ row }) => row.name)).toEqual(["foreign", "later", "late"]);
    });

    test("one look gives so many at most", async () => {
      const at = (await bench.store.now()) - 1000;
      for (let i = 0; i <= DUE_MAX; i++)
        await bench.store.schedules.insert(scheduleRow({ name: `s${i}`, nominal_at: at + i, next_at: at + i }));
      const { due } = await bench.store.schedules.readDue(FLOWS);
      expect(due.map(({ row }) => row.name)).toEqual(Array.from({ length: DUE_MAX }, (_, i) => `s${i}`));
    });

    test("a firing writes its tasks with their steps and moves the schedule on, in one commit under its version", async () => {
      const row = await dueRow();
      const first = firing(row);
      expect(await bench.store.schedules.fire([first])).toEqual([true]);
      expect(await bench.store.schedules.read(row.name)).toEqual(first.row);
      const [record] = first.tasks;
      expect(await bench.store.readTask(record?.task.id ?? "")).toEqual(record);
      // whoever comes second, with what it had read before, writes nothing
      const second = firing(row);
      expect(await bench.other.schedules.fire([second])).toEqual([false]);
      expect(await bench.store.readTaskRow(second.tasks[0]?.task.id ?? "")).toBeUndefined();
      expect(await bench.store.schedules.read(row.name)).toEqual(first.row);
    });

    test("of a batch each stands for itself, and a task that is there is left as it is", async () => {
      const rows = [await dueRow({ name: "a" }), await dueRow({ name: "b" }), await dueRow({ name: "c" })] as const;
      const there = plannedRecord({ schedule: "b", input_payload: '"first"' });
      await bench.store.insertTasks([there]);
      const again = { ...there, task: { ...there.task, input_payload: '"second"' } };
      const stale = { ...firing(rows[2]), row: { ...moved(rows[2]), version: 9 } };
      const batch = [firing(rows[0]), firing(rows[1], { tasks: [again, plannedRecord({ schedule: "b" })] }), stale];
      expect(await bench.store.schedules.fire(batch)).toEqual([true, true, false]);
      expect((await bench.store.readTaskRow(there.task.id))?.input_payload).toBe('"first"');
      expect(await bench.store.readTaskRow(batch[1]?.tasks[1]?.task.id ?? "")).toBeDefined();
      expect(await bench.store.readTaskRow(stale.tasks[0]?.task.id ?? "")).toBeUndefined();
      expect(await bench.place.count("tasks")).toBe(3);
      expect(await bench.place.count("task_steps")).toBe(6);
    });

    test("of many that fire at once exactly one does, also where batches overlap in opposite orders", async () => {
      const rows = await Promise.all(Array.from({ length: 10 }, (_, i) => dueRow({ name: `s${i}` })));
      const tries = await Promise.all(
        [bench.store, bench.other, bench.store, bench.other, bench.store, bench.other].map((each, i) => {
          const order = i % 2 === 0 ? rows : rows.toReversed();
          return each.schedules
            .fire(order.map((row) => firing(row)))
            .then((won) => (i % 2 === 0 ? won : won.toReversed()));
        }),
      );
      expect(rows.map((_, i) => tries.filter((won) => won[i]).length)).toEqual(rows.map(() => 1));
      expect(await bench.place.count("tasks")).toBe(10);
    });

    test("an input that is long is whole in the task", async () => {
      const input = JSON.stringify("x".repeat(50_000));
      const row = await dueRow({ input });
      const record = plannedRecord({ schedule: row.name, input_payload: input });
      await bench.store.schedules.fire([firing(row, { tasks: [record] })]);
      expect(await bench.other.readTask(record.task.id)).toEqual(record);
      expect((await bench.store.schedules.read(row.name))?.input).toBe(input);
    });

    test("tasks of the schedule that have not ended are told with it", async () => {
      const row = await dueRow();
      const open = plannedRecord({ schedule: row.name });
      const ended = plannedRecord({ schedule: row.name });
      await bench.store.insertTasks([open, ended, plannedRecord({ schedule: "another" }), plannedRecord()]);
      await bench.store.commitChanges([changeOf(ended.task, inStatus("CANCELLED"))]);
      expect((await bench.store.schedules.readDue(FLOWS)).due.map((each) => each.open)).toEqual([[open.task.id]]);
      await bench.store.insertTasks(Array.from({ length: OPEN_TOLD }, () => plannedRecord({ schedule: row.name })));
      expect((await bench.store.schedules.readDue(FLOWS)).due[0]?.open.length).toBe(OPEN_TOLD);
    });

    test("skips are kept, the newest first; a range that is there goes on, and very old ones go", async () => {
      let row = await dueRow();
      const write = async (...skips: readonly SkipRow[]): Promise<void> => {
        expect(await bench.store.schedules.fire([{ row: moved(row), tasks: [], skips }])).toEqual([true]);
        row = moved(row);
      };
      await write(skip(row), skip(row, { from_at: T0 + 1000, kind: "overlap", count: 2, reason: "task x" }));
      await write(skip(row, { from_at: T0 + 1000, until_at: T0 + 3000, kind: "overlap", count: 3, reason: "task y" }));
      const both = [
        { from_at: T0 + 1000, until_at: T0 + 3000, count: 5, reason: "task y", kind: "overlap" },
        { from_at: T0, count: 1 },
      ];
      expect(await bench.other.schedules.readSkips(row.name)).toMatchObject(both);
      expect(await bench.other.schedules.readSkips("another")).toEqual([]);
      for (let i = 0; i < SKIPS_KEPT + 5; i++) await write(skip(row, { from_at: T0 + 10_000 + i }));
      expect((await bench.store.schedules.readSkips(row.name)).length).toBe(SKIPS_KEPT);
      expect(await bench.place.count("schedule_skips")).toBeLessThanOrEqual(SKIPS_KEPT + 1);
      // what was not fired skips nothing
      expect(
        await bench.store.schedules.fire([
          { row: { ...row, version: 1 }, tasks: [], skips: [skip(row, { from_at: 5 })] },
        ]),
      ).toEqual([false]);
      expect((await bench.store.schedules.readSkips(row.name)).at(-1)?.from_at).toBeGreaterThan(T0);
    });

    test("text that no column takes is replaced where it is written, and finds nothing", async () => {
      const row = await dueRow();
      const skips = [skip(row, { reason: "a\0b\ud800" })];
      expect(await bench.store.schedules.fire([{ row: moved(row), tasks: [], skips }])).toEqual([true]);
      expect(await bench.store.schedules.readSkips(row.name)).toMatchObject([{ reason: "a\u2400b\ufffd" }]);
      for (const name of [`${row.name}\0`, "\ud800"]) {
        expect(await bench.store.schedules.read(name)).toBeUndefined();
        expect(await bench.store.schedules.readSkips(name)).toEqual([]);
        expect(await bench.store.schedules.remove(name, 1)).toBe(false);
        expect(await bench.store.schedules.list({ limit: 10, after: name })).toEqual([]);
      }
    });

    test("one is removed under its version, with its skips and without its tasks", async () => {
      const row = await dueRow();
      await bench.store.schedules.fire([firing(row, { skips: [skip(row)] })]);
      expect(await bench.store.schedules.remove(row.name, row.version)).toBe(false);
      expect(await bench.store.schedules.remove(row.name, row.version + 1)).toBe(true);
      expect(await bench.store.schedules.read(row.name)).toBeUndefined();
      expect([await bench.place.count("schedule_skips"), await bench.place.count("tasks")]).toEqual([0, 1]);
    });

    test("a firing that waits for the end of a task is due when it is told of that; others stay", async () => {
      const now = await bench.store.now();
      const later = { nominal_at: now + HOUR_MS, next_at: now + HOUR_MS };
      await bench.store.schedules.insert(scheduleRow({ name: "queued", queued_at: now, ...later }));
      await bench.store.schedules.insert(scheduleRow({ name: "plain", ...later }));
      await bench.store.schedules.insert(
        scheduleRow({ name: "paused", queued_at: now, paused_at: now, next_at: null }),
      );
      expect(await bench.store.schedules.wakeQueued(["queued", "plain", "paused", "nothing"])).toBe(1);
      expect((await bench.store.schedules.readDue(FLOWS)).due.map(({ row }) => row.name)).toEqual(["queued"]);
      expect(await bench.store.schedules.wakeQueued(["queued"])).toBe(0);
    });

    describe("of a flow's file", () => {
      const source = (code: string, version: number) => ({
        flow_name: "echo_add",
        code,
        seen: JSON.stringify([code]),
        version,
        confirmed_at: T0,
      });
      const own = (name: string, over: Partial<ScheduleRow> = {}) => scheduleRow({ name, owner: "flow", ...over });

      test("are added, changed and removed with what the code says, and only those of this flow's files", async () => {
        await bench.store.schedules.insert(scheduleRow({ name: "by-command" }));
        await bench.store.schedules.insert(own("of-another", { flow_name: "another" }));
        const rows = [own("a"), own("b")];
        expect(await bench.store.schedules.declare({ source: source("one", 1), rows, names: ["a", "b"] })).toBe(true);
        const changed = own("b", { version: 2, input: '{"text":"new"}' });
        const next = { source: source("two", 2), rows: [changed, own("c")], names: ["b", "c"] };
        expect(await bench.other.schedules.declare(next)).toBe(true);
        const names = (await bench.store.schedules.list({ limit: 10 })).map(({ name }) => name);
        expect(names).toEqual(["b", "by-command", "c", "of-another"]);
        expect(await bench.store.schedules.read("b")).toEqual({ ...changed, created_at: rows[1]?.created_at ?? 0 });
        expect(await bench.store.schedules.listSources()).toEqual([source("two", 2)]);
      });

      test("are declared once: who comes second with what it has read before writes nothing", async () => {
        const declare = (code: string, version: number, names: readonly string[]) =>
          bench.store.schedules.declare({ source: source(code, version), rows: names.map((name) => own(name)), names });
        expect(await declare("one", 1, ["a"])).toBe(true);
        expect(await declare("two", 1, ["b"])).toBe(false);
        expect(await declare("three", 3, ["b"])).toBe(false);
        expect((await bench.store.schedules.list({ limit: 10 })).map(({ name }) => name)).toEqual(["a"]);
      });

      test("a name that somebody else has stays his, and a row that was written meanwhile stays as it is", async () => {
        const theirs = scheduleRow({ name: "theirs" });
        const foreign = own("foreign", { flow_name: "another" });
        await bench.store.schedules.insert(theirs);
        await bench.store.schedules.insert(foreign);
        await bench.store.schedules.insert(own("fired", { version: 7 }));
        const rows = [own("theirs"), own("foreign", { version: 2 }), own("fired", { version: 7 }), own("theirs2")];
        const names = rows.map(({ name }) => name);
        expect(await bench.store.schedules.declare({ source: source("one", 1), rows, names })).toBe(true);
        expect(await bench.store.schedules.read("theirs")).toEqual(theirs);
        expect(await bench.store.schedules.read("foreign")).toEqual(foreign);
        expect((await bench.store.schedules.read("fired"))?.version).toBe(7);
        expect(await bench.store.schedules.read("theirs2")).toBeDefined();
      });

      test("are due for whoever has the code that says them; what a command made for all", async () => {
        const at = (await bench.store.now()) - 1000;
        const due = { nominal_at: at, next_at: at };
        await bench.store.schedules.declare({ source: source("new", 1), rows: [own("a", due)], names: ["a"] });
        await bench.store.schedules.insert(scheduleRow({ name: "b", ...due }));
        const told = async (code: string): Promise<readonly string[]> =>
          (await bench.store.schedules.readDue([{ name: "echo_add", code }])).due.map(({ row }) => row.name).toSorted();
        expect(await told("new")).toEqual(["a", "b"]);
        expect(await told("old")).toEqual(["b"]);
        const later = own("a", { ...due, version: 2, nominal_at: at + HOUR_MS, next_at: at + HOUR_MS });
        await bench.store.schedules.declare({ source: source("new", 2), rows: [later], names: ["a"] });
        expect((await bench.store.schedules.readDue([{ name: "echo_add", code: "old" }])).nextAt).toBeNull();
        expect((await bench.store.schedules.readDue([{ name: "echo_add", code: "new" }])).nextAt).toBe(at + HOUR_MS);
      });

      test("code that is at work confirms it, and no other does", async () => {
        await bench.store.schedules.declare({ source: source("one", 1), rows: [], names: [] });
        await bench.store.schedules.confirm([
          { name: "echo_add", code: "two" },
          { name: "another", code: "one" },
        ]);
        expect((await bench.store.schedules.listSources()).map((each) => each.confirmed_at)).toEqual([T0]);
        await bench.store.schedules.confirm([{ name: "echo_add", code: "one" }]);
        const [confirmed] = await bench.store.schedules.listSources();
        expect(confirmed?.confirmed_at).toBeGreaterThan(T0);
        expect(confirmed?.version).toBe(1);
      });
    });
  });
}
