// SIGKILL: whatever a process had done by then, the next run completes it, with one tool call per step.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Task } from "../../src/core/api/task.ts";
import { effort } from "../support/effort.ts";
import { openSandbox } from "./harness.ts";
import { Load } from "./load.ts";
import { DIALECTS, openPlace, type Place } from "./place.ts";
import type { Ended } from "./served.ts";
import { expectCompleted, taskOf } from "./tasks.ts";

setDefaultTimeout(120_000);

const KILLS = effort({ check: 10, long: 20 });
const KILLED = 137;

/** Of one command, those that were not killed among them. */
const CALLS_MAX = 20 * KILLS;

/**
 * Calls the command again and again, each time killed a little later, from its start to its end. How long it lives is
 * learnt from each call that came to its end before it was to be killed; it is made again, and killed earlier.
 */
async function killThroughout(
  call: (index: number, options: { readonly timeoutMs?: number }) => Promise<Ended>,
): Promise<void> {
  let lifeMs: number | undefined;
  for (let killed = 0, calls = 0; killed < KILLS; calls++) {
    if (calls === CALLS_MAX) throw new Error(`Of ${calls} calls only ${killed} were killed.`);
    const options = lifeMs === undefined ? {} : { timeoutMs: Math.ceil((lifeMs * (killed + 1)) / KILLS) };
    const started = performance.now();
    const { exit, stderr } = await call(calls, options);
    if (exit === KILLED) {
      killed += 1;
      continue;
    }
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
    lifeMs = Math.min((lifeMs ?? Infinity) * 0.95, performance.now() - started);
  }
}

async function listTasks(place: Place): Promise<Task[]> {
  const { exit, stdout, stderr } = await place.run(["get-tasks"]);
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
  return JSON.parse(stdout) as Task[];
}

describe.each(DIALECTS)("%s", (dialect) => {
  test.each(["create", "advance", "run"])("run-flow --mode %s, killed at moments over its whole life", async (mode) => {
    await using place = await openPlace(dialect);
    await killThroughout((_, options) => place.run(["run-flow", "--mode", mode], options));
    for (const task of await listTasks(place)) expectCompleted(taskOf(await place.run(["run-task", task.id])));
  });

  test("advance-task, killed at moments over its whole life, on tasks at every stage", async () => {
    await using place = await openPlace(dialect);
    const ids: string[] = [];
    for (let stage = 0; stage < 5; stage++) {
      const { id } = taskOf(await place.run(["run-flow", "--mode", "create"]));
      for (let advance = 0; advance < stage; advance++) await place.run(["advance-task", id]);
      ids.push(id);
    }
    await killThroughout((index, options) => place.run(["advance-task", ids[index % ids.length] ?? ""], options));
    for (const id of ids) expectCompleted(taskOf(await place.run(["run-task", id])));
  });

  test("a server under load, killed three times: every acknowledged task is there, and every task completes", async () => {
    await using place = await openPlace(dialect);
    const acknowledged: string[] = [];
    for (const answers of [7, 20, 45]) {
      const server = await place.serve();
      const load = new Load(server.url, { clients: 4, answerMsMax: 10_000 });
      await load.until(answers, ({ status }) => status !== 0);
      process.kill(server.pid, "SIGKILL");
      await load.until(4, ({ status }) => status === 0);
      await load.stop();
      expect((await server.ended()).exit).toBe(KILLED);
      acknowledged.push(...load.acknowledged);
    }
    const ids = (await listTasks(place)).map(({ id }) => id);
    expect(new Set(ids)).toEqual(new Set(ids).union(new Set(acknowledged)));
    const server = await place.serve();
    for (const id of ids) {
      expectCompleted((await (await fetch(`${server.url}/tasks/${id}/run`, { method: "POST" })).json()) as Task);
    }
  });
});

test("the first command on a new file, killed at moments over its whole life", async () => {
  let folder = await openSandbox();
  await killThroughout(async (_, options) => {
    await folder[Symbol.asyncDispose]();
    folder = await openSandbox();
    const ended = await folder.run(["run-flow"], options);
    expectCompleted(taskOf(await folder.run(["run-flow"])));
    return ended;
  });
  await folder[Symbol.asyncDispose]();
});
