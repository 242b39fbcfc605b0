import { expect, test } from "bun:test";
import { scheduleRow } from "../../../test/contract/rows.ts";
import { paused, resumed, withTerms } from "./schedule-row.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;
const NOW = Date.parse("2027-03-01T12:00:30.000Z");
const NEXT = Date.parse("2027-03-01T12:01:00.000Z");
const TERMS = {
  cron: null,
  every_ms: MINUTE_MS,
  time_zone: "UTC",
  overlap: "skip",
  catch_up: "last",
  catch_up_ms: null,
  jitter_ms: 0,
  priority: 5,
} as const;

/** Its last time came when the clock was ahead. */
const ahead = (ms: number): ReturnType<typeof scheduleRow> =>
  scheduleRow({ ...TERMS, fired_at: NEXT + ms - MINUTE_MS, nominal_at: NEXT + ms, next_at: NEXT + ms });

test("no time fires twice because the clock was set back a little, also with other times or after a pause", () => {
  const row = ahead(60 * MINUTE_MS);
  expect(resumed(paused(row, null, NOW), NOW)).toMatchObject({ row: { nominal_at: row.nominal_at }, skips: [] });
  expect(withTerms(row, { ...TERMS, every_ms: 2 * MINUTE_MS }, "{}", NOW)?.nominal_at).toBe(NEXT + 61 * MINUTE_MS);
});

test("a schedule that fired when the clock was far ahead goes on by the right clock with other times or after a pause", () => {
  const row = ahead(365 * DAY_MS);
  expect(resumed(paused(row, null, NOW), NOW)).toMatchObject({ row: { nominal_at: NEXT, next_at: NEXT }, skips: [] });
  expect(withTerms(row, { ...TERMS, every_ms: 2 * MINUTE_MS }, "{}", NOW)?.nominal_at).toBe(NEXT + MINUTE_MS);
  // a time that is far away by its own rule stays
  const yearly = scheduleRow({
    ...TERMS,
    cron: "0 0 1 1 *",
    every_ms: null,
    nominal_at: Date.parse("2028-01-01T00:00Z"),
  });
  expect(resumed(paused(yearly, null, NOW), NOW).row.nominal_at).toBe(yearly.nominal_at);
});

test("a firing that waited before a pause is looked at when the pause is over: its task may have ended meanwhile", () => {
  const row = scheduleRow({ ...TERMS, nominal_at: NEXT, next_at: NOW + 1000, queued_at: NOW - MINUTE_MS });
  const during = paused(row, null, NOW);
  expect(during).toMatchObject({ next_at: null, queued_at: row.queued_at });
  expect(resumed(during, NOW + 5000).row).toMatchObject({ next_at: NOW + 5000, nominal_at: NEXT });
});

test("a schedule that is paused again has been so since the first time, for the last reason", () => {
  const again = paused(paused(scheduleRow(TERMS), "bank", NOW), "other", NOW + MINUTE_MS);
  expect(again).toMatchObject({ paused_at: NOW, pause_reason: "other", version: 3 });
});

test("a time that comes just when a pause ends belongs to the pause", () => {
  const row = scheduleRow({ ...TERMS, nominal_at: NEXT, next_at: NEXT });
  const { row: after, skips } = resumed(paused(row, "bank", NOW), NEXT);
  expect(after).toMatchObject({ nominal_at: NEXT + MINUTE_MS, skipped_count: 1 });
  expect(skips).toMatchObject([{ from_at: NEXT, until_at: NEXT, count: 1, reason: "the schedule was paused: bank" }]);
});

test("with other times a new range of skipped times begins", () => {
  const row = scheduleRow({ ...TERMS, nominal_at: NEXT, next_at: NEXT, skip_from: NOW, skip_kind: "overlap" });
  const changed = withTerms(row, { ...TERMS, every_ms: 2 * MINUTE_MS }, "{}", NOW);
  expect(changed).toMatchObject({ skip_from: null, skip_kind: null });
  expect(withTerms(row, { ...TERMS, priority: 1 }, "{}", NOW)).toMatchObject({ skip_from: NOW, nominal_at: NEXT });
  expect(withTerms(row, TERMS, "{}", NOW)).toBeUndefined();
});
