import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readInstant } from "./instant.ts";

function read(text: string): string {
  const result = readInstant(text);
  return result.ok ? new Date(result.ms).toISOString() : result.message;
}

describe("a point in time", () => {
  test.each([
    ["2026-11-24T08:00:00Z", "2026-11-24T08:00:00.000Z"],
    ["2026-11-24T09:00:00+01:00", "2026-11-24T08:00:00.000Z"],
    ["2026-11-23T21:30:00.1239-1030", "2026-11-24T08:00:00.123Z"],
    ["2026-11-24 08:00z", "2026-11-24T08:00:00.000Z"],
    ["2028-02-29T00:00:00Z", "2028-02-29T00:00:00.000Z"],
    ["0050-01-01T00:00:00Z", "0050-01-01T00:00:00.000Z"],
  ])("%s is %s", (text, instant) => {
    expect(read(text)).toBe(instant);
  });

  test("is read back from every text that a Date gives", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date("0000-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }),
        (date) => {
          expect(readInstant(date.toISOString())).toEqual({ ok: true, ms: date.getTime() });
        },
      ),
    );
  });

  test.each(["2026-11-24T08:00:00", "2026-11-24 08:00"])("%s wants a zone, and shows one", (text) => {
    expect(read(text)).toBe(
      `"${text}" has no time zone: write 2026-11-24T08:00:00Z, or with an offset such as 2026-11-24T09:00:00+01:00`,
    );
  });

  test.each([
    "2026-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-11-24T24:00:00Z",
    "2026-11-24T08:60:00Z",
    "2026-11-24T08:00:00+24:00",
  ])("%s is not there", (text) => {
    expect(read(text)).toBe(`there is no such time: "${text}"`);
  });

  test.each(["", "tomorrow", "2026-11-24", "1764000000000", "2026-11-24T08:00:00Z ", "Tue, 24 Nov 2026 08:00:00 GMT"])(
    "%p is none",
    (text) => {
      expect(read(text)).toStartWith("expected a time like 2026-11-24T08:00:00Z");
    },
  );
});
