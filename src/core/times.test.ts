import { expect, test } from "bun:test";
import { toMs } from "./record/duration.ts";
import { exactly, roughlyAhead } from "./times.ts";

test.each([
  ["15m", "15 min"],
  ["90m", "90 min"],
  ["36h", "36 h"],
  ["30d", "30 d"],
  ["90s", "90 s"],
  ["1.5s", "1500 ms"],
  ["0.5h", "30 min"],
  [0, "0 ms"],
] as const)("what was set to %p is told as %p, with nothing rounded away", (set, told) => {
  expect(exactly(toMs(set) ?? Number.NaN)).toBe(told);
});

test("time ahead is told to the nearest unit", () => {
  expect(roughlyAhead(116_000)).toBe("2 min");
  expect(roughlyAhead(89_000)).toBe("1 min");
});
