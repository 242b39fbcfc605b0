// Workers are killed at random, by SIGKILL, while many tasks of every kind pass through them. When it is over everything
// must be as if nobody had disturbed it. CHAOS_KILLS and CHAOS_SEED: another length, another run.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Worker } from "../../src/core/api/worker.ts";
import { DIALECTS, openPlace } from "../e2e/place.ts";
import { Random } from "../sim/random.ts";
import { Crew, killAtRandom } from "./crew.ts";
import { effectsEnv } from "./effects.ts";
import { Outsider, wishes } from "./outsider.ts";
import { findBreaches, settle } from "./reckoning.ts";
import { runUndisturbed, type Expected } from "./undisturbed.ts";
import { until } from "../support/until.ts";
import { effort } from "../support/effort.ts";

const KILLS = Number(process.env["CHAOS_KILLS"] ?? effort({ check: 8, long: 46 }));
const SEED = Number(process.env["CHAOS_SEED"] ?? Date.now() % 1_000_000);

/** There is enough to do for all kills, and for a while after. */
const TASKS = Math.ceil((2000 * KILLS) / 46);
/** What is not due at once starts within this time. */
const OVER_MS = 150 * KILLS;

setDefaultTimeout(180_000 + KILLS * 2_000);

let expected: Expected;
beforeAll(async () => {
  expected = await runUndisturbed(SEED);
});

const notes: string[] = [];
afterAll(() => {
  process.stderr.write(`${notes.join("\n")}\n`);
});

describe.each(DIALECTS)("%s", (dialect) => {
  test(`${TASKS} tasks end as in an undisturbed run, however often their workers are killed (seed ${SEED})`, async () => {
    await using place = await openPlace(dialect, { TASKONAUT_LEASE_MS: "3000" });
    const random = new Random(SEED);
    const server = await place.serve(["--no-worker"], { env: { ...effectsEnv(place), LOG_LEVEL: "info" } });
    const outsider = new Outsider(server.url);
    await using crew = new Crew(place, { size: 3, concurrency: 15 });
    const [, failed] = await Promise.all([
      killAtRandom(crew, random, KILLS),
      outsider.ask(wishes(TASKS), { random: new Random(SEED + 1), overMs: OVER_MS }).then(
        () => undefined,
        (error: unknown) => error,
      ),
    ]);
    expect(failed).toBeUndefined();

    const settled = await settle(place, outsider);
    expect(await findBreaches(place, expected, TASKS)).toEqual([]);
    // three deaths in a row while just this step ran: bad luck that few tasks have
    expect(settled.parked).toBeLessThan(TASKS / 100);
    notes.push(
      `${dialect}, seed ${SEED}: ${crew.restarts} kills, ${settled.doubts} in doubt, ${settled.parked} parked`,
    );

    // nobody is taken for a worker that is none any more
    expect((await crew.stop()).map(({ exit }) => exit)).toEqual([0, 0, 0]);
    place.start(["work"], { env: effectsEnv(place) });
    await until(async () => {
      const { stdout } = await place.run(["workers", "--json"]);
      return (JSON.parse(stdout) as Worker[]).every(({ state }) => state === "alive");
    }, "the workers that were killed are forgotten");
  });
});
