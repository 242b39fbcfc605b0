import { afterEach, describe, expect, mock, spyOn, test } from "bun:test";
import { systemClock } from "./system-clock.ts";

const TIMER_MAX = 2_147_483_647;

afterEach(() => {
  mock.restore();
});

/** Timers that run only when the test says so. */
function holdTimers(): { delays: number[]; fire: () => void; cleared: unknown[] } {
  const delays: number[] = [];
  const cleared: unknown[] = [];
  let next = (): void => {};
  spyOn(globalThis, "setTimeout").mockImplementation(((callback: () => void, ms: number) => {
    next = callback;
    return delays.push(ms);
  }) as unknown as typeof setTimeout);
  spyOn(globalThis, "clearTimeout").mockImplementation((timer) => {
    cleared.push(timer);
  });
  return { delays, fire: () => next(), cleared };
}

describe("a sleep of the system's clock", () => {
  test("longer than a timer counts is slept in slices, to its end", async () => {
    const { delays, fire } = holdTimers();
    const slept = systemClock.sleep(2 * TIMER_MAX + 5);
    for (let slice = 1; slice <= 3; slice++) {
      expect(Bun.peek.status(slept)).toBe("pending");
      fire();
    }
    await slept;
    expect(delays).toEqual([TIMER_MAX, TIMER_MAX, 5]);
  });

  test("ends in any slice when its signal aborts", async () => {
    const { delays, fire, cleared } = holdTimers();
    const leave = new AbortController();
    const slept = systemClock.sleep(2 * TIMER_MAX, leave.signal);
    fire();
    leave.abort(new Error("leave"));
    expect(await slept.catch((error: unknown) => error)).toEqual(new Error("leave"));
    expect([delays.length, cleared]).toEqual([2, [2]]);
  });

  test("of no time ends", async () => {
    await systemClock.sleep(0);
  });
});
