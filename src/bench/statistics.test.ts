import { expect, test } from "bun:test";
import { percentile, spreadOf } from "./statistics.ts";

test("a percentile is the smallest value that so many do not exceed", () => {
  const values = Array.from({ length: 300 }, (_, index) => 300 - index);
  expect(percentile(values, 50)).toBe(150);
  expect(percentile(values, 95)).toBe(285);
  expect(percentile(values, 99)).toBe(297);
  expect(percentile([7], 99)).toBe(7);
  expect(() => percentile([], 50)).toThrow("nothing");
});

test("a spread is the median between the extremes", () => {
  expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
});
