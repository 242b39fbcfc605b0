// What processes count, minute by minute.

import { describe, expect, test } from "bun:test";

import { DELAY_RANGES } from "../../src/core/record/delays.ts";
import type { CountsQuery, FlowMinute } from "../../src/store/counter-store.ts";
import type { Place } from "./place.ts";
import { taskBench } from "./task-bench.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NO_DELAYS: readonly number[] = Array.from({ length: DELAY_RANGES }, () => 0);

function minuteOf(over: Partial<FlowMinute> = {}): FlowMinute {
  const counts = { created: 0, completed: 0, failed: 0, cancelled: 0, delays: NO_DELAYS };
  return { flow_name: "order", begins_at: null, ...counts, ...over };
}

export function counterContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: counters`, () => {
    const bench = taskBench(create);
    const at = (ms: number): string => (dialect === "sqlite" ? String(ms) : `to_timestamp(${ms} / 1000.0)`);
    /** Rows that others have left, `created` of each. */
    const leave = async (
      rows: readonly { minutes?: 1 | 60; at: number; writer: string; created: number }[],
    ): Promise<void> => {
      for (const { minutes = 1, at: ms, writer, created } of rows)
        await bench.place.execute(
          `insert into counters (minutes, begins_at, flow_name, writer, created, completed, failed, cancelled, delay_5)
           values (${minutes}, ${at(ms)}, 'order', '${writer}', ${created}, 0, 0, 0, 2)`,
        );
    };
    const read = async (over: Partial<CountsQuery> = {}) =>
      bench.store.counters.read({ from: 0, until: 9e12, stepMs: MINUTE, flow: null, ...over });
    const minuteNow = async (): Promise<number> => Math.floor((await bench.store.now()) / MINUTE) * MINUTE;

    test("what a process has counted of a minute takes the place of what it wrote of it before", async () => {
      const { counters } = bench.store;
      const minute = await minuteNow();
      const first = minuteOf({ begins_at: minute, created: 1, failed: 9, delays: NO_DELAYS.with(3, 1) });
      expect(Math.abs((await counters.write("a", [first])) - (await bench.store.now()))).toBeLessThan(60_000);
      const second = minuteOf({ begins_at: minute, created: 5, completed: 2, failed: 1, delays: NO_DELAYS.with(3, 4) });
      for (let times = 0; times < 2; times++) await counters.write("a", [second]);
      await counters.write("b", [minuteOf({ begins_at: minute, created: 10, cancelled: 3 })]);
      await counters.write("b", [minuteOf({ flow_name: "other", begins_at: minute, created: 100 })]);
      const counts = { completed: 2, failed: 1, cancelled: 3, delays: NO_DELAYS.with(3, 4) };
      expect(await read({ flow: "order" })).toEqual([{ at: minute, created: 15, ...counts }]);
      expect(await read()).toEqual([{ at: minute, created: 115, ...counts }]);
      expect(await read({ until: minute })).toEqual([]);
    });

    test("what comes without a minute is added to the minute that it is", async () => {
      const { counters } = bench.store;
      await counters.write("a", [minuteOf({ created: 1, delays: NO_DELAYS.with(1, 1) })]);
      await counters.write("b", [minuteOf({ created: 2, delays: NO_DELAYS.with(1, 3) })]);
      const [step, next] = await read();
      expect((step?.created ?? 0) + (next?.created ?? 0)).toBe(3); // a minute may have ended between
      expect((step?.delays[1] ?? 0) + (next?.delays[1] ?? 0)).toBe(4);
      expect(Math.abs((step?.at ?? 0) - (await minuteNow()))).toBeLessThanOrEqual(MINUTE);
    });

    test("what comes more than five minutes late is not written", async () => {
      const minute = await minuteNow();
      await bench.store.counters.write("a", [
        minuteOf({ begins_at: minute - 6 * MINUTE, created: 1 }),
        minuteOf({ begins_at: minute - 3 * MINUTE, created: 2 }),
      ]);
      expect((await read()).map(({ created }) => created)).toEqual([2]);
    });

    test("rows of processes are put together after ten minutes, each once, however many do so at once", async () => {
      const minute = await minuteNow();
      const old = minute - 12 * MINUTE;
      await leave([
        { at: old, writer: "a", created: 1 },
        { at: old, writer: "b", created: 2 },
        { at: old, writer: "", created: 4 },
        { at: old + MINUTE, writer: "a", created: 8 },
        { at: minute - 8 * MINUTE, writer: "a", created: 16 },
        { at: minute - 8 * MINUTE, writer: "b", created: 32 },
      ]);
      const before = await read();
      await Promise.all([1, 2, 3].map(() => bench.store.counters.fold()));
      expect(await read()).toEqual(before);
      expect(before.map(({ created, delays }) => [created, delays[2]])).toEqual([
        [7, 6],
        [8, 2],
        [48, 4],
      ]);
      expect(await bench.place.count("counters")).toBe(4);
    });

    test("minutes become hours after two days, and hours are removed after ninety", async () => {
      const hour = Math.floor((await bench.store.now()) / HOUR) * HOUR;
      const old = hour - 3 * DAY;
      await leave([
        { at: old, writer: "", created: 1 },
        { at: old + 59 * MINUTE, writer: "", created: 2 },
        { at: old + HOUR, writer: "", created: 4 },
        { minutes: 60, at: old, writer: "", created: 8 },
        { at: hour - DAY, writer: "", created: 16 },
        { minutes: 60, at: hour - 89 * DAY, writer: "", created: 32 },
        { minutes: 60, at: hour - 91 * DAY, writer: "", created: 64 },
      ]);
      await Promise.all([1, 2].map(() => bench.store.counters.fold()));
      expect((await read({ stepMs: HOUR })).map(({ at: begins, created }) => [begins, created])).toEqual([
        [hour - 89 * DAY, 32],
        [old, 11],
        [old + HOUR, 4],
        [hour - DAY, 16],
      ]);
      expect(await bench.place.count("counters")).toBe(4);
      expect((await read({ stepMs: DAY })).reduce((sum, { created }) => sum + created, 0)).toBe(63);
    });
  });
}
