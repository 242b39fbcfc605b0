import { expect, test } from "bun:test";
import { watchStalls } from "./stalls.ts";

test("a loop that does not turn is a stall, also where it goes on when the watch ends", () => {
  let now = 1000;
  const watch = watchStalls(() => now);
  now += 45;
  expect(watch.end()).toBe(40);
});

test("a loop that turns in time has none", () => {
  let now = 1000;
  const watch = watchStalls(() => now);
  now += 4;
  expect(watch.end()).toBe(0);
});
