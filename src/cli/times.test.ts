import { expect, test } from "bun:test";
import { describeAhead, roughly } from "../core/times.ts";
import { describeAge } from "./times.ts";

const NOW = Date.parse("2026-11-23T12:00:00.000Z");
const at = (ms: number): string => new Date(NOW + ms).toISOString();

test.each([
  [0, "just now"],
  [-999, "just now"],
  [-1000, "1 s ago"],
  [-59_999, "59 s ago"],
  [-180_000, "3 min ago"],
  [-3_600_000, "1 h ago"],
  [-47 * 3_600_000, "47 h ago"],
  [-3 * 86_400_000, "3 d ago"],
  [-31 * 86_400_000, "2026-10-23"],
  // the store's clock is a little ahead of ours
  [30_000, "just now"],
  [120_000, "2026-11-23"],
])("what is %p ms from now is told as %s", (ms, told) => {
  expect(describeAge(at(ms), NOW)).toBe(told);
});

test("what is to come is told by how long it takes", () => {
  expect([at(-1), at(500), at(90_000), at(3 * 86_400_000)].map((time) => describeAhead(time, NOW))).toEqual([
    "now",
    "in 500 ms",
    "in 2 min",
    "in 3 d",
  ]);
  // a moment after it was set
  expect([59_900, 7_199_000, 10_799_000, 3 * 86_400_000 - 1].map((ms) => describeAhead(at(ms), NOW))).toEqual([
    "in 1 min",
    "in 2 h",
    "in 3 h",
    "in 3 d",
  ]);
});

test("a server's word that is no time is shown as it is, without its controls", () => {
  expect(describeAge("\u001b]0;x", NOW)).toBe("\\x1b]0;x");
  expect(describeAhead("soon", NOW)).toBe("");
});

test("a duration is told to its largest unit", () => {
  expect([0, 999, 1000, 60_000, 7_200_000, 172_800_000].map(roughly)).toEqual([
    "0 ms",
    "999 ms",
    "1 s",
    "1 min",
    "2 h",
    "2 d",
  ]);
});
