import { expect, test } from "bun:test";
import { HearingWatch } from "./hearing.ts";
import type { Hearing } from "./signal-actions.ts";

const BEAT_MS = 20;
const DEAF_MS = 200;

/** A loop of a process at a terminal, or not, and what becomes of signals. */
function watch(isAtTerminal: boolean) {
  const ended: string[] = [];
  let hearing: Hearing = "loop";
  let isReceived = false;
  let isListening = true;
  const actions = {
    set: (to: Hearing) => {
      if (to !== hearing) isReceived = false;
      hearing = to;
    },
    received: () => (hearing === "once" && isReceived ? ("SIGINT" as const) : undefined),
  };
  const watched = new HearingWatch({ deafMs: DEAF_MS, isAtTerminal }, actions, (signal) => ended.push(signal));
  let now = 0;
  return {
    ended,
    /** A person presses Ctrl-C: either the process ends, or the loop will see it when it turns. */
    press() {
      if (hearing === "plain" || isReceived) ended.push("SIGINT");
      else if (hearing === "once") isReceived = true;
    },
    /** The process stops listening: the system's action for the signal is what it is after a signal. */
    leave() {
      isListening = false;
      isReceived = true;
    },
    look(stuckMs: number, isLeaving = false): Hearing {
      watched.look({ stuckMs, isLeaving, isListening: () => isListening }, (now += BEAT_MS));
      return hearing;
    },
  };
}

test("HH1. signals end a process whose loop is stuck for long, and belong to the loop as soon as it turns again", () => {
  const loop = watch(false);
  expect([0, 50, 199, 200, 0].map((stuckMs) => loop.look(stuckMs))).toEqual(["loop", "loop", "loop", "plain", "loop"]);
});

test("HH2. two presses end it at a terminal, whenever they come while the loop is stuck", () => {
  for (let first = 0; first <= 300; first += BEAT_MS) {
    for (let second = first + 4 * BEAT_MS; second <= 400; second += BEAT_MS) {
      const loop = watch(true);
      for (let stuckMs = 0; stuckMs <= 500; stuckMs += BEAT_MS) {
        if (stuckMs === first || stuckMs === second) loop.press();
        loop.look(stuckMs);
      }
      expect({ first, second, ended: loop.ended[0] }).toEqual({ first, second, ended: "SIGINT" });
    }
  }
});

test("HH2. the second press ends it, too, if the loop heard the first and then got stuck", () => {
  const loop = watch(true);
  for (let turn = 0; turn < 8; turn++) loop.look(0, true);
  expect(loop.look(0, true)).toBe("once");
  loop.press();
  for (let stuckMs = 0; stuckMs <= DEAF_MS; stuckMs += BEAT_MS) loop.look(stuckMs, true);
  expect(loop.ended).toEqual(["SIGINT"]);
});

test("HH2. a signal that comes twice at once is one for a loop that turns", () => {
  const loop = watch(true);
  expect([0, 20].map((stuckMs) => loop.look(stuckMs, true))).toEqual(["loop", "loop"]);
});

test("HH2. nobody presses Ctrl-C elsewhere: what the loop has not taken after a short while is still the loop's", () => {
  expect(watch(false).look(150, true)).toBe("loop");
});

test("HH3. a listener that goes just before the loop gets stuck is no signal", () => {
  const loop = watch(true);
  for (const stuckMs of [0, 40, 60]) loop.look(stuckMs);
  loop.leave();
  for (let stuckMs = 80; stuckMs <= 2 * DEAF_MS; stuckMs += BEAT_MS) loop.look(stuckMs);
  expect(loop.ended).toEqual([]);
});
