import { expect, test } from "bun:test";
import { Attempts } from "./attempts.ts";

let now = 0;

function attempts(): Attempts {
  now = 1_000_000;
  return new Attempts(() => now);
}

test("a few wrong attempts cost nothing, and then each one waits twice as long, up to a minute", () => {
  const all = attempts();
  const waits = Array.from({ length: 14 }, () => {
    all.noteWrong("a");
    return all.waitMs("a");
  });
  expect(waits).toEqual([0, 0, 0, 0, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000, 60_000]);
  expect(all.waitMs("b")).toBe(0);
  now += 59_000;
  expect(all.waitMs("a")).toBe(1000);
  now += 1000;
  expect(all.waitMs("a")).toBe(0);
});

test("they are forgotten after a while, and when a right one came", () => {
  const all = attempts();
  for (let times = 0; times < 10; times++) all.noteWrong("a");
  now += 16 * 60_000;
  all.noteWrong("a");
  expect(all.waitMs("a")).toBe(0);
  for (let times = 0; times < 10; times++) all.noteWrong("a");
  all.noteRight("a");
  expect([all.waitMs("a"), all.size]).toEqual([0, 0]);
});

test("what is remembered is bounded: those that were quiet for longest go first", () => {
  const all = attempts();
  for (let times = 0; times < 6; times++) all.noteWrong("first");
  for (let number = 0; number < 9999; number++) all.noteWrong(`address ${number}`);
  expect(all.waitMs("first")).toBeGreaterThan(0);
  all.noteWrong("one more");
  expect([all.size, all.waitMs("first")]).toEqual([10_000, 0]);
});

test.each([
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::1", true],
  ["2001:db8:1:2::", "2001:db8:1:3::", false],
  ["::1", "::2", true],
  ["::ffff:192.0.2.1", "192.0.2.1", true],
  ["192.0.2.1", "192.0.2.2", false],
])("%p and %p are one network: %p", (one, other, isOne) => {
  const all = attempts();
  for (let times = 0; times < 6; times++) all.noteWrong(one);
  expect(all.waitMs(other) > 0).toBe(isOne);
});
