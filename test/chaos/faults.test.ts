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
import { until } from "../support/until.ts";
import { effort } from "../support/effort.ts";

const SEED = Number(process.env["CHAOS_SEED"] ?? Date.now() % 1_000_000);
const LEASE_MS = 1000;
const LEASE = { TASKONAUT_LEASE_MS: String(LEASE_MS) };

const CRASHES = effort({ check: 1, long: 3 });
const KILLS_PER_CRASH = 3;
/** Answers, at least. */
const LOST = effort({ check: 8, long: 20 });
const STOPS = effort({ check: 2, long: 5 });

/** Of one round of questions. */
const TASKS = effort({ check: 60, long: 250 });
/** What is not due at once starts within this time. */
const OVER_MS = 5_000;

setDefaultTimeout(180_000);

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

/** Lets the fault have its way with a crew that works on what it asks for, and looks at what came of it. */
async function endure(place: Place, crew: Crew, fault: (ask: () => Promise<void>) => Promise<unknown>): Promise<void> {
  const outsider = await openServer(place);
  let tasks = 0;
  await fault(() => {
    tasks += TASKS;
    return outsider.ask(wishes(TASKS), { random: new Random(SEED + tasks), overMs: OVER_MS });
  });
  const settled = await settle(place, outsider);
  expect(await findBreaches(place, expected, tasks)).toEqual([]);
  notes.push(`seed ${SEED}: ${crew.restarts} restarts, ${settled.doubts} in doubt, ${settled.parked} parked`);
}

test(`a PostgreSQL that crashes and comes back, while workers are killed too (seed ${SEED})`, async () => {
  const database = await ownServer();
  await using place = await openPlaceOn({ url: database.url, drop: () => database.dispose() }, LEASE);
  await using crew = new Crew(place, { size: 2, concurrency: 15 });
  const random = new Random(SEED);
  const crash = async (): Promise<void> => {
    for (let crashes = 0; crashes < CRASHES; crashes++) {
      await killAtRandom(crew, random, KILLS_PER_CRASH);
      await database.kill();
      await Bun.sleep(random.int(0, 1000));
      await database.start();
    }
  };
  await endure(place, crew, (ask) => Promise.all([ask(), crash()]));
});

test(`answers to writes that are lost (seed ${SEED})`, async () => {
  await using place = await openPlace("postgres", LEASE);
  using relay = await openLosingRelay(place.url, { random: new Random(SEED), chance: 0.05 });
  await using crew = new Crew(place, { size: 2, concurrency: 15, env: { DATABASE_URL: relay.url } });
  await endure(place, crew, async (ask) => {
    do await ask();
    while (relay.lost < LOST);
    relay.heal();
  });
  notes.push(`${relay.lost} answers lost`);
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
    const random = new Random(SEED);
    const stopOneByOne = async (): Promise<void> => {
      for (let stops = 0; stops < STOPS; stops++) {
        await Bun.sleep(random.int(100, 500));
        const { pid } = random.pick(crew.members);
        await freeze(place, pid);
        await Bun.sleep(LEASE_MS + random.int(200, 1500));
        kill(pid, "SIGCONT");
      }
    };
    await endure(place, crew, (ask) => Promise.all([ask(), stopOneByOne()]));
  });

  test("what a worker has to say that stood still past its lease is refused", async () => {
    await using place = await openPlace(dialect, LEASE);
    const outsider = await openServer(place);
    const gate = join(place.folder, "gate");
    const { id } = await outsider.post("/flows/holds/tasks?start=now", { until: gate });
    // one task at a time: what else there is to do is left to the other one
    const start = (env: Readonly<Record<string, string>> = {}): Started =>
      place.start(["work", "--concurrency", "1"], { env: { ...effectsEnv(place), ...env } });
    const count = (tool: string, { pid }: Started): number =>
      readEffects(place).filter((effect) => effect.tool === tool && effect.pid === pid).length;
    const completed = (taskId: string): Promise<Task> =>
      until(async () => {
        const task = taskOf(await place.run(["get-task", taskId, "--json"], { env: effectsEnv(place) }));
        return task.status === "COMPLETED" && task;
      }, "the task ends");

    const slow = start();
    await until(() => count("hold", slow) > 0, "it has the task");
    // else it would have rows to insert that another has inserted by then
    await until(async () => (await place.query("select id from task_steps")).length === 1, "that is recorded");
    await freeze(place, slow.pid);
    // its lease is longer than any stall of a busy machine: else the first one, which is idle then, rightly takes it back
    const quick = start({ TASKONAUT_LEASE_MS: "600000" });
    await until(() => count("hold", quick) > 0, "another takes it over");

    kill(slow.pid, "SIGCONT");
    await Bun.write(`${gate}.${slow.pid}`, "");
    await until(() => count("held", slow) === count("hold", slow), "the first one has its outcome");
    // its writes are in order: when it has ended another task, it has said all that it had to say of this one
    const other = await outsider.post("/flows/chained/tasks?start=now", { n: 1 });
    await completed(other.id);
    expect(count("work", quick)).toBe(0);
    await Bun.write(gate, "");
    expect((await completed(id)).output_payload).toEqual({ pid: quick.pid });
  });
});
