// The real engine in a simulated world, seed by seed. `SIM_SEEDS=5000 SIM_SEED=77000 bun run test test/sim/sim.test.ts`
// runs that many seeds from that one on; a failure tells how to see just its own again.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { outputOf } from "./at-end.ts";
import { simFlows } from "./sim-flows.ts";
import { simulate } from "./simulate.ts";
import { startWatchdog } from "./watchdog.ts";
import type { World } from "./world.ts";
import { effort } from "../support/effort.ts";

const FIRST = Number(process.env["SIM_SEED"] ?? 1);
const SEEDS = Number(process.env["SIM_SEEDS"] ?? effort({ check: 150, long: 1000 }));
/** Of one test: each stays well below its time limit. */
const PORTION = 50;

const flows = simFlows(() => {
  throw new Error("Only their names are of interest.");
}).map(({ name }) => name);

const watchdog = startWatchdog();
afterEach(() => watchdog.end());
afterAll(() => watchdog.stop());

/** What each flow gives where nobody disturbs it. */
let expected: ReadonlyMap<string, string | undefined> | undefined;

function run(seed: number): Promise<World> {
  watchdog.begin(seed);
  return simulate({ seed, flows, expected, onEvent: () => watchdog.tick() });
}

beforeAll(async () => {
  const { database } = await run(0);
  const tasks = database.everyTask.filter(({ task }) => task.parent_task_id === null);
  expected = new Map(tasks.map((stored) => [stored.task.flow_name, outputOf(stored)]));
});

test("without trouble every flow gives its output", () => {
  expect([...(expected?.keys() ?? [])].toSorted()).toEqual(flows.toSorted());
  expect([...(expected?.values() ?? [])].filter((output) => output === undefined)).toEqual([]);
});

test("a seed always goes the same way, event by event", async () => {
  const [first, second] = [await run(FIRST), await run(FIRST)];
  expect(first.trace.events.length).toBeGreaterThan(10);
  expect(second.trace.events).toEqual(first.trace.events);
});

describe("whatever happens, every task ends as it should, and nothing is done that must not be", () => {
  for (let first = FIRST; first < FIRST + SEEDS; first += PORTION) {
    const last = Math.min(first + PORTION, FIRST + SEEDS) - 1;
    test(`seeds ${first} to ${last}`, async () => {
      for (let seed = first; seed <= last; seed++) await run(seed);
    });
  }
});
