import { expect, test } from "bun:test";

import { RemovalPortion } from "./removal-portion.ts";
import { portionsOf, REMOVED_MAX } from "./removal-store.ts";

test("a portion is what goes in a moment: fewer tasks where they have many rows, more by and by where they have few", () => {
  const portion = new RemovalPortion();
  const first = portion.tasks;
  portion.note(first, 1000);
  expect(portion.tasks).toBeLessThan(first);
  portion.note(1, 500);
  expect(portion.tasks).toBe(1);
  portion.note(1, 0);
  expect(portion.tasks).toBe(2);
  for (let times = 0; times < 20; times++) portion.note(portion.tasks, 0.01);
  expect(portion.tasks).toBe(REMOVED_MAX);
  // a removal of nothing tells nothing
  portion.note(0, 1000);
  expect(portion.tasks).toBe(REMOVED_MAX);
});

test("each portion is as large as the store says by then, and nothing is left out", () => {
  const sizes = [2, 1, 3];
  const removal = { portion: () => sizes.shift() ?? 1 };
  expect([...portionsOf(["a", "b", "c", "d", "e", "f", "g"], removal)]).toEqual([
    ["a", "b"],
    ["c"],
    ["d", "e", "f"],
    ["g"],
  ]);
});
