// Workers are killed at random for a minute, by SIGKILL, while thousands of tasks of every kind pass through them. When
// it is over everything must be as if nobody had disturbed it. CHAOS_SECONDS and CHAOS_SEED: another length, another run.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Worker } from "../../src/core/api/worker.ts";
import { DIALECTS, openPlace } from "../e2e/place.ts";
import { Random } from "../sim/random.ts";
import { Crew, killAtRandom } from "./crew.ts";
import { effectsEnv } from "./effects.ts";
import { Outsider, wishes } from "./outsider.ts";
import { findBreaches, settle } from "./reckoning.ts";
import { runUndisturbed, type Expected } from "./undisturbed.ts";
import { waitFor } from "./wait-for.ts";

const SECONDS = Number(process.env["CHAOS_SECONDS"] ?? 60);
const SEED = Number(process.env["CHAOS_SEED"] ?? Date.now() % 1_000_000);
const TASKS = 2000;

setDefaultTimeout((SECONDS + 180) * 1000);

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
    const overMs = SECONDS * 1000;
    const [, failed] = await Promise.all([
      killAtRandom(crew, random, { forMs: overMs, pauseMs: [300, 2000] }),
      // they are spread, so that there is work until the last kill
      outsider.ask(wishes(TASKS), { random: new Random(SEED + 1), overMs: 0.9 * overMs }).then(
        () => undefined,
        (error: unknown) => error,
      ),
    ]);
    expect(failed).toBeUndefined();

    const kills = crew.restarts;
    const settled = await settle(place, outsider, 60_000);
    expect(await findBreaches(place, expected, TASKS)).toEqual([]);
    // three deaths in a row while just this step ran: bad luck that few tasks have
    expect(settled.parked).toBeLessThan(TASKS / 100);
    notes.push(`${dialect}, seed ${SEED}: ${kills} kills, ${settled.doubts} in doubt, ${settled.parked} parked`);

    // nobody is taken for a worker that is none any more
    expect((await crew.stop()).map(({ exit }) => exit)).toEqual([0, 0, 0]);
    place.start(["work"], { env: effectsEnv(place) });
    await waitFor("the workers that were killed are forgotten", async () => {
      const { stdout } = await place.run(["workers", "--json"]);
      return (JSON.parse(stdout) as Worker[]).every(({ state }) => state === "alive");
    });
  });
});
