import { expect, test } from "bun:test";
import type { Duration } from "../record/duration.ts";
import { toMilliseconds } from "./duration.ts";

test.each<[Duration, number]>([
  [0, 0],
  [1, 1],
  [1.4, 1],
  ["250ms", 250],
  ["30s", 30_000],
  ["1.5h", 5_400_000],
  ["2m", 120_000],
  ["2d", 172_800_000],
  ["1w", 604_800_000],
  ["0s", 0],
  ["0.0004s", 0],
  ["36525d", 3_155_760_000_000],
])("%p is %d ms", (duration, ms) => {
  expect(toMilliseconds(duration)).toBe(ms);
});

const text = ["", "5", "s", "1 s", "1S", "-1s", "1e3s", "1h30m", ".5s", "5.s", "5y", "40000d"];
const others = [-1, Number.NaN, Infinity, 3.2e12, null, undefined, {}, [], true, 5n];

test("what is no duration is told what is one", () => {
  for (const duration of [...text, ...others]) {
    expect(() => toMilliseconds(duration as Duration)).toThrow(/is not a valid duration; write "30s"/);
  }
});
