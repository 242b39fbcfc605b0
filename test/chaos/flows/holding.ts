// Tools that a test holds up by files, and that tell who carried them out.

import { existsSync } from "node:fs";
import { call, defineFlow, defineTool, sleep } from "taskonaut";
import * as v from "valibot";
import { act, work } from "./tools.ts";

const POLL_MS = 20;

/** Ends when the file is there, or one of that name that ends with the process's id. */
const hold = defineTool({
  name: "hold",
  input: v.object({ until: v.string() }),
  output: v.object({ pid: v.number() }),
  timeout: "10m",
  async run({ until }, context) {
    act("hold", "at-least-once", context);
    while (!existsSync(until) && !existsSync(`${until}.${process.pid}`)) await Bun.sleep(POLL_MS);
    act("held", "at-least-once", context);
    return { pid: process.pid };
  },
});

/** The same, with nobody to repeat it. */
const holdOnce = defineTool({
  name: "hold_once",
  input: v.object({ until: v.string() }),
  output: v.object({ pid: v.number() }),
  execution: "at-most-once",
  timeout: "10m",
  async run({ until }, context) {
    act("hold_once", "at-most-once", context);
    while (!existsSync(until)) await Bun.sleep(POLL_MS);
    return { pid: process.pid };
  },
});

/** Keeps its process's event loop to itself. */
const block = defineTool({
  name: "block",
  input: v.object({ ms: v.number() }),
  output: v.object({ pid: v.number() }),
  run({ ms }, context) {
    act("block", "at-least-once", context);
    Bun.sleepSync(ms);
    return { pid: process.pid };
  },
});

/** Blocks for as long as a file is not there; nobody else is blocked by it. */
const stick = defineTool({
  name: "stick",
  input: v.object({ unless: v.string() }),
  output: v.object({ pid: v.number() }),
  run({ unless }, context) {
    const isMended = existsSync(unless);
    act("stick", "at-least-once", context);
    if (!isMended) Bun.sleepSync(600_000);
    return { pid: process.pid };
  },
});

/** Takes its process with it, for as long as a file is not there. */
const poison = defineTool({
  name: "poison",
  input: v.object({ unless: v.string() }),
  output: v.object({ pid: v.number() }),
  run({ unless }, context) {
    act("poison", "at-least-once", context);
    if (!existsSync(unless)) Bun.spawnSync(["kill", "-KILL", String(process.pid)]); // process.kill refuses to end its own process
    return { pid: process.pid };
  },
});

/** Its own code takes so long that its process dies in it. */
export const endless = defineFlow({
  name: "endless",
  input: v.object({ rounds: v.number() }),
  *run({ rounds }) {
    for (let round = 0; round < rounds; round++);
    yield* sleep("1s");
  },
});

/** The key takes so long in one go that nothing can cut it short. */
export const slowKey = defineFlow({
  name: "slow_key",
  input: v.unknown(),
  unique: { key: () => String(/^a*a*a*a*a*a*a*a*b$/.test("a".repeat(500))) },
  *run() {
    yield* sleep("1s");
  },
});

export const holds = defineFlow({
  name: "holds",
  input: v.object({ until: v.string() }),
  *run(input) {
    return yield* call(hold, input);
  },
});

export const holdsOnce = defineFlow({
  name: "holds_once",
  input: v.object({ until: v.string() }),
  *run(input) {
    return yield* call(holdOnce, input);
  },
});

export const blocks = defineFlow({
  name: "blocks",
  input: v.object({ ms: v.number() }),
  *run(input) {
    return yield* call(block, input);
  },
});

export const sticks = defineFlow({
  name: "sticks",
  input: v.object({ unless: v.string() }),
  *run(input) {
    return yield* call(stick, input);
  },
});

export const poisoned = defineFlow({
  name: "poisoned",
  input: v.object({ unless: v.string() }),
  *run(input) {
    return yield* call(poison, input);
  },
});

/** What comes after it is another step, and may be another process's. */
export const holdsThenWorks = defineFlow({
  name: "holds_then_works",
  input: v.object({ until: v.string() }),
  *run(input) {
    const held = yield* call(hold, input);
    return { held: held.pid, worked: yield* call(work, "then") };
  },
});
