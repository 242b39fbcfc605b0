import { describe, expect, test } from "bun:test";
import { FakeClock, turn } from "../../../test/support/fake-clock.ts";
import { Pause } from "./pause.ts";

describe("a pause", () => {
  test("is over when its time is", async () => {
    const clock = new FakeClock();
    const pause = new Pause(clock);
    const isOver = pause.take(100);
    await clock.advance(99);
    expect(Bun.peek.status(isOver)).toBe("pending");
    await clock.advance(1);
    expect(await isOver).toBe(true);
  });

  test("that is cut short leaves no timer behind", async () => {
    const clock = new FakeClock();
    const pause = new Pause(clock);
    const isOver = pause.take(100);
    pause.cut();
    expect(await isOver).toBe(false);
    expect(clock.sleeping).toBe(0);
  });

  test("without an end lasts until it is cut short", async () => {
    const pause = new Pause(new FakeClock());
    const isOver = pause.take(undefined);
    await turn();
    expect(Bun.peek.status(isOver)).toBe("pending");
    pause.cut();
    expect(await isOver).toBe(false);
  });

  test("is not made where something has cut it since it was armed", async () => {
    const clock = new FakeClock();
    const pause = new Pause(clock);
    pause.arm();
    pause.cut();
    expect(await pause.take(100)).toBe(false);
    pause.arm();
    const isOver = pause.take(100);
    await clock.advance(100);
    expect(await isOver).toBe(true);
  });
});
