import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { rejection } from "../../../test/support/rejection.ts";
import { backoffMs, DEFAULT_RETRY, lotOf, retry, type RetryPolicy, type RetryTools } from "./retry.ts";

const POLICY: RetryPolicy = { attempts: 4, baseMs: 100, factor: 2, maxMs: 300, jitter: 0 };

function toolsOf(clock: FakeClock, extra: Partial<RetryTools> = {}): RetryTools {
  return { sleep: (ms, signal) => clock.sleep(ms, signal), jitter: () => 0, isRetryable: () => true, ...extra };
}

/** Fails until the attempt `worksAt`. */
function failingUntil(worksAt: number): { attempts: number[]; attempt: (number: number) => string } {
  const attempts: number[] = [];
  return {
    attempts,
    attempt(number) {
      attempts.push(number);
      if (number < worksAt) throw new Error(`attempt ${number}`);
      return `worked at ${number}`;
    },
  };
}

describe("backoff", () => {
  test("doubles from its base and stays at its maximum", () => {
    expect([1, 2, 3, 4, 50, 2000].map((failures) => backoffMs(POLICY, failures, 0.7))).toEqual([
      100, 200, 300, 300, 300, 300,
    ]);
  });

  test("by default waits 100 ms, doubling to at most 1 s, in 3 attempts in all", () => {
    const full = { ...DEFAULT_RETRY, jitter: 0 };
    expect([1, 2, 3, 4, 5].map((failures) => backoffMs(full, failures, 0))).toEqual([100, 200, 400, 800, 1000]);
    expect(DEFAULT_RETRY.attempts).toBe(3);
  });

  test("takes away at most the share that is drawn by lot, and never adds", () => {
    const lot = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), lot, lot, (failures, jitter, drawn) => {
        const full = backoffMs({ ...POLICY, jitter: 0 }, failures, drawn);
        const waited = backoffMs({ ...POLICY, jitter }, failures, drawn);
        expect(waited).toBeLessThanOrEqual(full);
        expect(waited).toBeGreaterThanOrEqual(Math.floor(full * (1 - jitter)));
        expect(waited).toBe(Math.round(full * (1 - jitter * drawn)));
      }),
    );
  });
});

describe("the lot of a text", () => {
  test("is always the same, between 0 and 1", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const lot = lotOf(text);
        expect(lot).toBe(lotOf(text));
        expect(lot >= 0 && lot <= 1).toBe(true);
      }),
    );
  });

  test("spreads neighbours over the whole range", () => {
    const lots = Array.from({ length: 1000 }, (_, i) => lotOf(`key#${i}`));
    for (let tenth = 0; tenth < 10; tenth++) {
      const within = lots.filter((lot) => Math.floor(lot * 10) === tenth).length;
      expect(within).toBeGreaterThan(50);
    }
  });
});

describe("retry", () => {
  test("gives what the first successful attempt gives, after exactly the waits of the policy", async () => {
    const clock = new FakeClock(0);
    const { attempts, attempt } = failingUntil(4);
    const running = retry(attempt, POLICY, toolsOf(clock));
    await clock.advance(99);
    expect(attempts).toEqual([1]);
    await clock.advance(1);
    expect(attempts).toEqual([1, 2]);
    await clock.advance(200);
    expect(attempts).toEqual([1, 2, 3]);
    await clock.advance(299);
    expect(attempts).toEqual([1, 2, 3]);
    await clock.advance(1);
    expect(await running).toBe("worked at 4");
    expect(clock.sleeping).toBe(0);
  });

  test("draws one lot for each wait", async () => {
    const clock = new FakeClock();
    const drawn: number[] = [];
    const jitter = (failures: number): number => {
      drawn.push(failures);
      return failures === 1 ? 1 : 0.5;
    };
    const running = retry(failingUntil(3).attempt, { ...POLICY, jitter: 0.5 }, toolsOf(clock, { jitter }));
    await clock.advance(0);
    expect(clock.waits).toEqual([50]);
    await clock.advance(50);
    expect(clock.waits).toEqual([150]);
    await clock.advance(150);
    await running;
    expect(drawn).toEqual([1, 2]);
  });

  test("throws the last error when the attempts are used up, and tells of every failure", async () => {
    const clock = new FakeClock();
    const told: string[] = [];
    const { attempts, attempt } = failingUntil(Infinity);
    const onFailure = (error: unknown, failures: number): void => {
      told.push(`${failures}: ${(error as Error).message}`);
    };
    const running = retry(attempt, { ...POLICY, attempts: 3 }, toolsOf(clock, { onFailure }));
    const failed = rejection(running);
    await clock.advance(10_000);
    expect((await failed).message).toBe("attempt 3");
    expect(attempts).toEqual([1, 2, 3]);
    expect(told).toEqual(["1: attempt 1", "2: attempt 2", "3: attempt 3"]);
    expect(clock.sleeping).toBe(0);
  });

  test("makes one attempt where one is allowed", async () => {
    const { attempts, attempt } = failingUntil(2);
    expect((await rejection(retry(attempt, { ...POLICY, attempts: 1 }, toolsOf(new FakeClock())))).message).toBe(
      "attempt 1",
    );
    expect(attempts).toEqual([1]);
  });

  test("stops at once at an error that another attempt cannot help", async () => {
    const { attempts, attempt } = failingUntil(3);
    const isRetryable = (error: unknown): boolean => (error as Error).message !== "attempt 1";
    expect((await rejection(retry(attempt, POLICY, toolsOf(new FakeClock(), { isRetryable })))).message).toBe(
      "attempt 1",
    );
    expect(attempts).toEqual([1]);
  });

  test("ends a wait at once when it is aborted, with the signal's reason", async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const { attempts, attempt } = failingUntil(3);
    const running = retry(attempt, POLICY, toolsOf(clock, { signal: stop.signal }));
    await clock.advance(50);
    stop.abort(new Error("leaving"));
    expect((await rejection(running)).message).toBe("leaving");
    await clock.advance(10_000);
    expect(attempts).toEqual([1]);
    expect(clock.sleeping).toBe(0);
  });

  test("makes no attempt after an abort, neither the first nor the next", async () => {
    const stop = new AbortController();
    const attempts: number[] = [];
    const aborting = (number: number): never => {
      attempts.push(number);
      stop.abort(new Error("leaving"));
      throw new Error("in the middle");
    };
    const tools = toolsOf(new FakeClock(), { signal: stop.signal });
    expect((await rejection(retry(aborting, POLICY, tools))).message).toBe("in the middle");
    expect((await rejection(retry(aborting, POLICY, tools))).message).toBe("leaving");
    expect(attempts).toEqual([1]);
  });
});
