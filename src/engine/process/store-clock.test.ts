import { describe, expect, test } from "bun:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { StoreClock } from "./store-clock.ts";

const FRESH_MS = 5_000;
const HOUR_MS = 3_600_000;

/** The store's clock is an hour behind the process's. */
function clocks(now?: () => Promise<number>): { storeClock: StoreClock; clock: FakeClock; asked: () => number } {
  const clock = new FakeClock(10 * HOUR_MS);
  let asked = 0;
  const store = {
    now: () => {
      asked += 1;
      return now?.() ?? Promise.resolve(clock.now() - HOUR_MS);
    },
  };
  return { storeClock: new StoreClock(store, clock), clock, asked: () => asked };
}

describe("the store's clock", () => {
  test("is taken to be the process's own before the store was heard of", () => {
    const { storeClock, clock, asked } = clocks();
    expect(storeClock.guess()).toBe(clock.now());
    expect(asked()).toBe(0);
  });

  test("is known without asking once the store has told, and goes on with the process's", async () => {
    const { storeClock, clock, asked } = clocks();
    storeClock.note(clock.now() - HOUR_MS, clock.elapsed());
    await clock.advance(1_000);
    expect(storeClock.guess()).toBe(clock.now() - HOUR_MS);
    expect(storeClock.recent()).toBe(clock.now() - HOUR_MS);
    expect(asked()).toBe(0);
  });

  test("is asked for each time by who needs it exactly, and the others know it as well", async () => {
    const { storeClock, clock, asked } = clocks();
    expect([await storeClock.read(), await storeClock.read()]).toEqual([9 * HOUR_MS, 9 * HOUR_MS]);
    expect(asked()).toBe(2);
    expect(storeClock.guess()).toBe(clock.now() - HOUR_MS);
  });

  test("is asked for anew after a while, and where the process's was set back", async () => {
    const { storeClock, clock, asked } = clocks();
    await storeClock.recent();
    await clock.advance(FRESH_MS);
    await storeClock.recent();
    expect(asked()).toBe(1);
    await clock.advance(1);
    expect(await storeClock.recent()).toBe(clock.now() - HOUR_MS);
    expect(asked()).toBe(2);
    clock.jump(-HOUR_MS);
    expect(await storeClock.recent()).toBe(clock.now() - HOUR_MS);
    expect(asked()).toBe(3);
  });

  test("is asked for once by any number who need it at the same time, and never runs ahead of the store's", async () => {
    const answer = Promise.withResolvers<number>();
    const { storeClock, clock, asked } = clocks(() => answer.promise);
    const times = [storeClock.recent(), storeClock.recent(), storeClock.recent()];
    answer.resolve(clock.now() - HOUR_MS);
    for (const time of times) expect(await time).toBeLessThanOrEqual(clock.now() - HOUR_MS);
    expect(asked()).toBe(1);
  });

  test("does not go back when an answer comes late, and comes closer with one that comes soon", async () => {
    const { storeClock, clock } = clocks();
    /** Asks the store, which answers at once; the answer takes `ms`. */
    const ask = async (ms: number): Promise<void> => {
      const [askedAt, storeNow] = [clock.elapsed(), clock.now() - HOUR_MS];
      await clock.advance(ms);
      storeClock.note(storeNow, askedAt);
    };
    await ask(50);
    expect(storeClock.guess()).toBe(clock.now() - HOUR_MS - 50);
    await ask(2);
    expect(storeClock.guess()).toBe(clock.now() - HOUR_MS - 2);
    await ask(50);
    expect(storeClock.guess()).toBe(clock.now() - HOUR_MS - 2);
  });

  test("follows a store's clock that was set back, or forward", async () => {
    const { storeClock, clock } = clocks();
    for (const behindMs of [HOUR_MS, 2 * HOUR_MS, HOUR_MS / 2]) {
      const askedAt = clock.elapsed();
      await clock.advance(3);
      storeClock.note(clock.now() - behindMs, askedAt);
      expect(storeClock.guess()).toBe(clock.now() - behindMs);
    }
  });

  test("is asked for again after the store could not be reached", async () => {
    let isAway = true;
    const { storeClock, clock, asked } = clocks(async () => {
      if (isAway) throw new Error("away");
      return 9 * HOUR_MS;
    });
    expect(await Promise.resolve(storeClock.recent()).catch(String)).toBe("Error: away");
    isAway = false;
    expect(await storeClock.recent()).toBe(clock.now() - HOUR_MS);
    expect(asked()).toBe(2);
  });
});
