import { describe, expect, test } from "bun:test";
import { Watchdog } from "./watchdog.ts";

const PERIOD_MS = 100;

/** The watchdog's results, one per check: [turns, milliseconds since the last check]. */
function looks(...each: readonly (readonly [turns: number, sinceMs: number])[]): number[] {
  let now = 5000;
  const watchdog = new Watchdog(PERIOD_MS, now);
  return each.map(([turns, sinceMs]) => watchdog.look(turns, (now += sinceMs)));
}

describe("the watchdog", () => {
  test("says nothing of a loop that turns", () => {
    expect(looks([0, 100], [1, 100], [2, 100], [4, 100])).toEqual([0, 0, 0, 0]);
  });

  test("counts the time since the loop last turned", () => {
    expect(looks([7, 100], [7, 100], [7, 110], [7, 90])).toEqual([0, 100, 210, 300]);
  });

  test("starts anew when the loop turns again", () => {
    expect(looks([0, 100], [0, 100], [1, 100], [1, 100])).toEqual([0, 100, 0, 100]);
  });

  test("counts no time in which it was itself not run", () => {
    expect(looks([0, 100], [0, 100], [0, 60_000], [0, 100])).toEqual([0, 100, 100, 200]);
  });

  test("counts a look that is a little late in full, as every thread is on a busy machine", () => {
    expect(looks([0, 100], [0, 150])).toEqual([0, 150]);
    expect(looks([0, 100], [0, 450], [0, 500])).toEqual([0, 450, 450]);
  });
});
