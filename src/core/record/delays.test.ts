import { expect, test } from "bun:test";
import fc from "fast-check";
import { DELAY_BOUNDS_MS, DELAY_RANGES, delayAt, delayRange } from "./delays.ts";

test("a delay is in the range whose bound it does not exceed", () => {
  expect([0, 1, 1.5, 2, 86_400_000, 86_400_001].map(delayRange)).toEqual([
    0,
    0,
    1,
    1,
    DELAY_RANGES - 2,
    DELAY_RANGES - 1,
  ]);
});

test("what a share did not exceed is in the range of the delay itself", () => {
  const delays = fc.array(fc.integer({ min: 0, max: 86_400_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(delays, fc.constantFrom(0.5, 0.95, 1), (all, share) => {
      const counts = Array.from({ length: DELAY_RANGES }, () => 0);
      for (const ms of all) counts[delayRange(ms)] = (counts[delayRange(ms)] ?? 0) + 1;
      const exact = all.toSorted((a, b) => a - b)[Math.ceil(share * all.length) - 1] ?? 0;
      const told = delayAt(counts, share) ?? -1;
      const range = delayRange(exact);
      expect(told).toBeGreaterThanOrEqual(DELAY_BOUNDS_MS[range - 1] ?? 0);
      expect(told).toBeLessThanOrEqual(DELAY_BOUNDS_MS[range] ?? Number.POSITIVE_INFINITY);
    }),
  );
});

test("of no delays nothing is told, and of what is above all bounds the last bound", () => {
  const none = Array.from({ length: DELAY_RANGES }, () => 0);
  expect(delayAt(none, 0.5)).toBeNull();
  expect(delayAt(none.with(DELAY_RANGES - 1, 3), 0.5)).toBe(86_400_000);
});
