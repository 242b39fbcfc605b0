import { describe, expect, test } from "bun:test";
import { FakeClock, turn } from "../../../test/support/fake-clock.ts";
import { SILENT } from "../../core/log.ts";
import { QueueNotifier } from "./queue-notifier.ts";

/** A store whose announcements are counted. */
function notifierOn(announce: () => Promise<void> = async () => {}): {
  readonly notifier: QueueNotifier;
  readonly clock: FakeClock;
  readonly told: readonly number[];
} {
  const told: number[] = [];
  const clock = new FakeClock(1000);
  const store = {
    announce: () => {
      told.push(clock.now());
      return announce();
    },
  };
  return { notifier: new QueueNotifier(store, clock, SILENT), clock, told };
}

describe("the queue notifier", () => {
  test("tells the worker of this process at once, and nobody else where that one takes the task", () => {
    const { notifier, told } = notifierOn();
    let heard = 0;
    notifier.listen(() => {
      heard += 1;
      return true;
    });
    notifier.tellWorkers();
    notifier.tellWorkers();
    expect([heard, told.length]).toEqual([2, 0]);
  });

  test.each([
    ["where the worker here has no room", () => false],
    ["where there is no worker here", undefined],
  ])("tells the others %s", async (_when, listener) => {
    const { notifier, told } = notifierOn();
    notifier.listen(listener);
    notifier.tellWorkers();
    await notifier.settle();
    expect(told).toHaveLength(1);
  });

  test("tells of many tasks once, and of those that came meanwhile once more, a pause later", async () => {
    const { notifier, clock, told } = notifierOn();
    for (let i = 0; i < 100; i++) notifier.tellWorkers();
    await turn();
    await clock.advance(1000);
    expect(told).toEqual([1000, 1020]);
    notifier.tellWorkers();
    await notifier.settle();
    // after a while without news, the next one is announced at once again
    expect(told).toEqual([1000, 1020, 2000]);
    expect(clock.sleeping).toBe(0);
  });

  test("settles without the pause, also where news keeps coming meanwhile", async () => {
    const { notifier, told } = notifierOn(async () => {
      if (told.length < 3) notifier.tellWorkers();
    });
    notifier.tellWorkers();
    await turn(); // it pauses now
    await notifier.settle(); // the clock stands still
    expect(told).toHaveLength(3);
  });

  test("that could not tell of a task is no trouble to anybody, and tells the next time", async () => {
    let isAway = true;
    const { notifier, told } = notifierOn(async () => {
      if (isAway) throw new Error("away");
    });
    notifier.tellWorkers();
    await notifier.settle();
    isAway = false;
    notifier.tellWorkers();
    await notifier.settle();
    expect(told).toHaveLength(2);
  });
});
