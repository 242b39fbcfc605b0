import { afterEach, expect, test } from "bun:test";
import fc from "fast-check";
import { hasZone } from "./dates.ts";

const { TZ } = process.env;
afterEach(() => {
  if (TZ === undefined) delete process.env.TZ;
  else process.env.TZ = TZ;
});

function parsedIn(zone: string, text: string): number {
  process.env.TZ = zone;
  return Date.parse(text);
}

const part = (...parts: string[]): fc.Arbitrary<string> => fc.constantFrom(...parts);
const day = part(
  "2026-01-02",
  "2026-01",
  "2026",
  "+012026-01-02",
  "01-02-2020",
  "1/2/2020",
  "25-Dec-2020",
  "12345",
  "1 Jan 2026",
  "Thu, 01 Jan 2026",
  "Jan 1, 2026",
  "Thu Jan 01 2026",
  "20260102",
);
const time = part("", "T03:04", "T03:04:05", "T03:04:05.678", " 03:04", " 03:04:05", " 3:04 PM", " 12:00 am");
const zone = part(
  "",
  "Z",
  " Z",
  "+01:00",
  "-0330",
  " +0100",
  " GMT",
  " UTC",
  " GMT+0100",
  " GMT-0500 (Some Time)",
  " (comment)",
  "+01",
  " EST",
  "-2020",
);

test("a text that is said to have a zone is the same instant wherever it is read", () => {
  let zoned = 0;
  fc.assert(
    fc.property(day, time, zone, (...parts) => {
      const text = parts.join("");
      if (!hasZone(text)) return;
      zoned++;
      expect([text, parsedIn("America/New_York", text)]).toEqual([text, parsedIn("Asia/Kolkata", text)]);
    }),
    { numRuns: 1_500 },
  );
  expect(zoned).toBeGreaterThan(200);
  // shows that the test can tell them apart: this text has no zone
  expect(parsedIn("America/New_York", "01-02-2020")).not.toBe(parsedIn("Asia/Kolkata", "01-02-2020"));
});
