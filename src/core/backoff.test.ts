import { expect, test } from "bun:test";
import { nextWait } from "./backoff.ts";

test("waits double from the shortest to the longest", () => {
  const waits: number[] = [];
  for (let waitMs = nextWait({ minMs: 50, maxMs: 1_000 }); waits.length < 7;) {
    waits.push(waitMs);
    waitMs = nextWait({ minMs: 50, maxMs: 1_000 }, waitMs);
  }
  expect(waits).toEqual([50, 100, 200, 400, 800, 1_000, 1_000]);
});

test("a wait is no longer than what holds for this failure, and doubles from there where more holds for the next", () => {
  expect(nextWait({ minMs: 50, maxMs: 1_000 }, 8_000)).toBe(1_000);
  expect(nextWait({ minMs: 50, maxMs: 10_000 }, 1_000)).toBe(2_000);
});
