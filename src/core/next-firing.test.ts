import { describe, expect, test } from "bun:test";
import { Cron } from "croner";
import fc from "fast-check";
import { faultOfCron, findZone, firstFiring, isClockChangeDay, nextFiring, wallTime } from "./next-firing.ts";

/** The next times after `from`, as the wall of the zone shows them. */
function walls(cron: string, timeZone: string, from: string, count: number): readonly string[] {
  const times: string[] = [];
  let at: number | undefined = Date.parse(from);
  for (let i = 0; i < count; i++) {
    at = nextFiring({ cron, everyMs: null, timeZone }, at);
    if (at === undefined) break;
    times.push(wallTime(at, timeZone));
  }
  return times;
}

describe("a time that does not exist", () => {
  test("fires once, shifted by the gap", () => {
    expect(walls("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2)).toEqual([
      "2026-03-29T03:30:00+02:00",
      "2026-03-30T02:30:00+02:00",
    ]);
  });

  test("each of several fires, in the order of the shifted times", () => {
    expect(walls("*/20 2 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 4)).toEqual([
      "2026-03-29T03:00:00+02:00",
      "2026-03-29T03:20:00+02:00",
      "2026-03-29T03:40:00+02:00",
      "2026-03-30T02:00:00+02:00",
    ]);
  });

  test("that comes to be the same as another one fires once, and one after the gap is not overtaken", () => {
    expect(walls("30 2 29 3 *", "Europe/Berlin", "2026-03-29T00:00:00Z", 1)).toEqual(["2026-03-29T03:30:00+02:00"]);
    expect(walls("0,30 2,3 29 3 *", "Europe/Berlin", "2026-03-29T00:00:00Z", 3)).toEqual([
      "2026-03-29T03:00:00+02:00",
      "2026-03-29T03:30:00+02:00",
      "2027-03-29T02:00:00+02:00",
    ]);
  });

  test("is shifted by half an hour where the gap is one, and by a day where that is left out", () => {
    expect(walls("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", 1)).toEqual([
      "2026-10-04T02:45:00+11:00",
    ]);
    expect(walls("0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", 1)).toEqual(["2011-12-31T12:00:00+14:00"]);
  });
});

describe("a time that comes twice", () => {
  test("fires the first time", () => {
    expect(walls("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2)).toEqual([
      "2026-10-25T02:30:00+02:00",
      "2026-10-26T02:30:00+01:00",
    ]);
    // also for who asks in the second of the two hours
    expect(walls("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", 1)).toEqual(["2026-10-26T02:30:00+01:00"]);
  });

  test("fires both times where the expression is for every hour", () => {
    for (const cron of ["30 * * * *", "30 0-23 * * *", "30 */1 * * *"]) {
      expect(walls(cron, "Europe/Berlin", "2026-10-24T23:40:00Z", 3)).toEqual([
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T02:30:00+01:00",
        "2026-10-25T03:30:00+01:00",
      ]);
    }
    expect(walls("@hourly", "Europe/Berlin", "2026-10-24T23:40:00Z", 2)).toEqual([
      "2026-10-25T02:00:00+02:00",
      "2026-10-25T02:00:00+01:00",
    ]);
  });
});

test("an interval keeps its rhythm, whatever clocks do", () => {
  const timing = { cron: null, everyMs: 900_000, timeZone: "Europe/Berlin" };
  expect(nextFiring(timing, Date.UTC(2026, 2, 29, 0, 59))).toBe(Date.UTC(2026, 2, 29, 1, 0));
  expect(nextFiring(timing, Date.UTC(2026, 2, 29, 1, 0))).toBe(Date.UTC(2026, 2, 29, 1, 15));
  expect(firstFiring(timing, Date.UTC(2026, 2, 29, 1, 0))).toBe(Date.UTC(2026, 2, 29, 1, 0));
});

test("the day on which the clock is set is known, and no other", () => {
  const changes = (day: string): boolean => isClockChangeDay(Date.parse(day), "Europe/Berlin");
  expect(
    ["2026-03-28T22:59:00Z", "2026-03-28T23:00:00Z", "2026-03-29T21:59:00Z", "2026-03-29T22:00:00Z"].map(changes),
  ).toEqual([false, true, true, false]);
});

describe("an expression that is none", () => {
  test.each([
    ["* * * * * *", "more than five fields"],
    ["* * *", "five fields"],
    ["", "five fields"],
    ["0 0 L * *", "L, which is not supported"],
    ["0 0 * * 5L", "5L, which is not supported"],
    ["0 0 15W * *", "15W, which is not supported"],
    ["0 0 * * 1#2", "1#2, which is not supported"],
    ["61 * * * *", "not a cron expression"],
    ["@reboot", "@hourly, @daily"],
    ["0 0 30 2 *", "no such day"],
  ])("%s is refused with what is wrong", (cron, why) => {
    expect(faultOfCron(cron)).toContain(why);
  });

  test.each(["0 9 * jul mon-fri", "@daily", "*/5 1,2 1-15 * *", "0 0 29 2 *", "  0 0 * * 7 "])(
    "%s is none of them",
    (cron) => {
      expect(faultOfCron(cron)).toBeUndefined();
    },
  );
});

test("zones are those of the tz database, by their names, in any letter case", () => {
  expect(["Europe/Berlin", "europe/berlin", "UTC"].map(findZone)).toEqual(["Europe/Berlin", "Europe/Berlin", "UTC"]);
  expect(["Mars/Olympus", "+02:00", "", "Berlin"].map(findZone)).toEqual([undefined, undefined, undefined, undefined]);
});

describe("beside croner", () => {
  const ZONES = Intl.supportedValuesOf("timeZone");
  const FROM = Date.UTC(2000, 0, 1);
  const UNTIL = Date.UTC(2035, 0, 1);
  const HOUR_MS = 3_600_000;

  /** Whether the clock of the zone is set between the two, or some hours before or after. */
  const isNearChange = (timeZone: string, from: number, until: number): boolean => {
    const zoned = (at: number) => Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone);
    const next = zoned(from - 26 * HOUR_MS).getTimeZoneTransition("next");
    return next !== null && next.epochMilliseconds <= until + 26 * HOUR_MS;
  };

  const field = (min: number, max: number) =>
    fc.oneof(
      { weight: 3, arbitrary: fc.constant("*") },
      fc.integer({ min, max }).map(String),
      fc.uniqueArray(fc.integer({ min, max }), { minLength: 2, maxLength: 4 }).map((list) => list.join(",")),
      fc
        .tuple(fc.integer({ min, max }), fc.integer({ min, max }))
        .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
      fc.integer({ min: 2, max: Math.max(2, Math.floor(max / 2)) }).map((step) => `*/${step}`),
    );
  const expressions = fc
    .tuple(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6))
    .map((fields) => fields.join(" "));

  const theirs = (cron: string, timeZone: string, from: number): number =>
    new Cron(cron, { timezone: timeZone }).nextRun(new Date(from))?.getTime() ?? Number.NaN;

  test("the next time is the same in every zone, where no clock is set", () => {
    let compared = 0;
    for (const timeZone of ZONES) {
      fc.assert(
        fc.property(expressions, fc.integer({ min: FROM, max: UNTIL }), (cron, from) => {
          const ours = nextFiring({ cron, everyMs: null, timeZone }, from);
          if (ours === undefined || isNearChange(timeZone, from, from) || isNearChange(timeZone, ours, ours)) return;
          compared += 1;
          expect({ cron, timeZone, from, next: ours }).toEqual({
            cron,
            timeZone,
            from,
            next: theirs(cron, timeZone, from),
          });
        }),
        { numRuns: 5 },
      );
    }
    expect(compared).toBeGreaterThan(ZONES.length);
  });

  test("around every change of every clock it is the same, but within a gap and the second of two hours", () => {
    let compared = 0;
    for (const timeZone of ZONES) {
      const zoned = (at: number) => Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone);
      let change = zoned(Date.UTC(2024, 0, 1)).getTimeZoneTransition("next");
      for (let i = 0; i < 2 && change !== null; i++) {
        const at = change.epochMilliseconds;
        const shift = (change.offsetNanoseconds - zoned(at - 1).offsetNanoseconds) / 1e6;
        for (const cron of [
          "30 2 * * *",
          "0 3 * * *",
          "15 1 * * *",
          "45 * * * *",
          "*/10 * * * *",
          "0 0 * * *",
          "5 12 * * *",
        ]) {
          for (const hours of [20, 2, 0.25]) {
            const from = at - hours * HOUR_MS;
            const ours = nextFiring({ cron, everyMs: null, timeZone }, from);
            if (ours === undefined) throw new Error("It always comes again.");
            // in the gap the rule is ours: what is there is shifted to just behind it
            if (shift > 0 && ours >= at && ours < at + shift) continue;
            // from within the hour that comes twice croner tells the second one as well
            if (shift < 0 && from > at + shift) continue;
            compared += 1;
            expect({ cron, timeZone, from, next: ours }).toEqual({
              cron,
              timeZone,
              from,
              next: theirs(cron, timeZone, from),
            });
          }
        }
        change = change.getTimeZoneTransition("next");
      }
    }
    expect(compared).toBeGreaterThan(1000);
  });
});
