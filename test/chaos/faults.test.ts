// What else may happen to workers than their end: a database that falls, a process that stands still for longer than its
// lease and then goes on, an answer that is lost. CHAOS_SEED: another run.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Database } from "bun:sqlite";
import { join } from "node:path";
import type { Task } from "../../src/core/api/task.ts";
import { taskOf } from "../e2e/tasks.ts";
import { DIALECTS, openPlace, openPlaceOn, type Place } from "../e2e/place.ts";
import type { Started } from "../e2e/served.ts";
import { Random } from "../sim/random.ts";
import { ownServer } from "../support/postgres.ts";
import { Crew, kill, killAtRandom } from "./crew.ts";
import { effectsEnv, readEffects } from "./effects.ts";
import { openLosingRelay } from "./lost-answers.ts";
import { Outsider, wishes } from "./outsider.ts";
import { findBreaches, settle } from "./reckoning.ts";
import { runUndisturbed, type Expected } from "./undisturbed.ts";
import { waitFor } from "./wait-for.ts";

const SEED = Number(process.env["CHAOS_SEED"] ?? Date.now() % 1_000_000);
const LEASE_MS = 1500;
const LEASE = { TASKONAUT_LEASE_MS: String(LEASE_MS) };
const TASKS = 300;
const OVER_MS = 10_000;

setDefaultTimeout(120_000);

let expected: Expected;
beforeAll(async () => {
  expected = await runUndisturbed(SEED);
});

const notes: string[] = [];
afterAll(() => {
  process.stderr.write(`${notes.join("\n")}\n`);
});

async function openServer(place: Place): Promise<Outsider> {
  const server = await place.serve(["--no-worker"], { env: { ...effectsEnv(place), LOG_LEVEL: "info" } });
  return new Outsider(server.url);
}

/** Lets the fault have its way with a crew that works, and looks at what came of it. */
async function endure(place: Place, crew: Crew, fault: (outsider: Outsider) => Promise<void>): Promise<void> {
  const outsider = await openServer(place);
  const asked = outsider.ask(wishes(TASKS), { random: new Random(SEED + 1), overMs: 0.9 * OVER_MS });
  await Promise.all([asked, fault(outsider)]);
  const settled = await settle(place, outsider, 60_000);
  expect(await findBreaches(place, expected, TASKS)).toEqual([]);
  notes.push(`seed ${SEED}: ${crew.restarts} restarts, ${settled.doubts} in doubt, ${settled.parked} parked`);
}

test(`a PostgreSQL that crashes and comes back, while workers are killed too (seed ${SEED})`, async () => {
  const database = await ownServer();
  await using place = await openPlaceOn({ url: database.url, drop: () => database.dispose() }, LEASE);
  await using crew = new Crew(place, { size: 2, concurrency: 15 });
  await endure(place, crew, async () => {
    const random = new Random(SEED);
    for (let crash = 0; crash < 3; crash++) {
      await killAtRandom(crew, random, { forMs: 2500, pauseMs: [300, 1500] });
      await database.kill();
      await Bun.sleep(random.int(0, 1000));
      await database.start();
    }
  });
});

test(`answers to writes that are lost (seed ${SEED})`, async () => {
  await using place = await openPlace("postgres", LEASE);
  using relay = await openLosingRelay(place.url, { random: new Random(SEED), chance: 0.02 });
  await using crew = new Crew(place, { size: 2, concurrency: 15, env: { DATABASE_URL: relay.url } });
  await endure(place, crew, async () => {
    await Bun.sleep(OVER_MS);
    relay.heal();
  });
  notes.push(`${relay.lost} answers lost`);
  expect(relay.lost).toBeGreaterThan(10);
});

/** Stops a process where it holds up nobody: on SQLite, not in a transaction. */
async function freeze(place: Place, pid: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    kill(pid, "SIGSTOP");
    if (canWrite(place)) return;
    kill(pid, "SIGCONT");
    await Bun.sleep(20);
  }
  throw new Error("The process was never found between two transactions.");
}

function canWrite({ dialect, url }: Place): boolean {
  if (dialect === "postgres") return true;
  using database = new Database(url.slice("sqlite:".length), { readwrite: true });
  // others write as well, but none of them for so long
  database.run("pragma busy_timeout = 500");
  try {
    database.run("begin immediate; rollback");
    return true;
  } catch {
    return false;
  }
}

describe.each(DIALECTS)("%s", (dialect) => {
  test(`workers that stand still past their lease, and go on (seed ${SEED})`, async () => {
    await using place = await openPlace(dialect, LEASE);
    await using crew = new Crew(place, { size: 3, concurrency: 15 });
    await endure(place, crew, async () => {
      const random = new Random(SEED);
      for (const end = performance.now() + OVER_MS; performance.now() < end;) {
        await Bun.sleep(random.int(100, 500));
        const { pid } = random.pick(crew.members);
        await freeze(place, pid);
        await Bun.sleep(LEASE_MS + random.int(200, 1500));
        kill(pid, "SIGCONT");
      }
    });
  });

  test("what a worker has to say that stood still past its lease is refused", async () => {
    await using place = await openPlace(dialect, LEASE);
    const outsider = await openServer(place);
    const gate = join(place.folder, "gate");
    const { id } = await outsider.post("/flows/holds/tasks?start=now", { until: gate });
    // one task at a time: what else there is to do is left to the other one
    const start = (): Started => place.start(["work", "--concurrency", "1"], { env: effectsEnv(place) });
    const count = (tool: string, { pid }: Started): number =>
      readEffects(place).filter((effect) => effect.tool === tool && effect.pid === pid).length;
    const completed = (taskId: string): Promise<Task> =>
      waitFor("the task ends", async () => {
        const task = taskOf(await place.run(["get-task", taskId, "--json"], { env: effectsEnv(place) }));
        return task.status === "COMPLETED" && task;
      });

    const slow = start();
    await waitFor("it has the task", () => count("hold", slow) === 1);
    // else it would have rows to insert that another has inserted by then
    await waitFor("that is recorded", async () => (await place.query("select id from task_steps")).length === 1);
    await freeze(place, slow.pid);
    const quick = start();
    await waitFor("another takes it over", () => count("hold", quick) === 1);

    kill(slow.pid, "SIGCONT");
    await Bun.write(`${gate}.${slow.pid}`, "");
    await waitFor("the first one has its outcome", () => count("held", slow) === 1);
    // its writes are in order: when it has ended another task, it has said all that it had to say of this one
    const other = await outsider.post("/flows/chained/tasks?start=now", { n: 1 });
    await completed(other.id);
    expect(count("work", slow)).toBe(2);
    await Bun.write(gate, "");
    expect((await completed(id)).output_payload).toEqual({ pid: quick.pid });
  });
});
