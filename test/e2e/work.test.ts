// `work` as a process: what it drains, how it leaves, and what it does when a tool keeps the event loop to itself.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { Task } from "../../src/core/api/task.ts";
import { insist } from "../support/insist.ts";
import { kill } from "../chaos/crew.ts";
import { effectsEnv, readEffects } from "../chaos/effects.ts";
import { until } from "../support/until.ts";
import { DIALECTS, openPlace, type Place } from "./place.ts";
import type { Ended, Started } from "./served.ts";
import { taskOf } from "./tasks.ts";

setDefaultTimeout(120_000);

/** Who is told of work is there at once; who is not looks by itself every 20 s, and others' leases end after 15 s. */
const TOLD_MS_MAX = 14_000;

type Variables = Readonly<Record<string, string>>;

function run(place: Place, ...args: readonly string[]): Promise<Ended> {
  return place.run(args, { env: effectsEnv(place) });
}

async function enqueue(place: Place, flow: string, input: unknown, ...more: readonly string[]): Promise<string> {
  const task = await run(place, "run-flow", flow, "--input", JSON.stringify(input), "--mode", "enqueue", ...more);
  return taskOf(task).id;
}

function launchWorker(place: Place, args: readonly string[] = [], env: Variables = {}): Started {
  return place.start(["work", ...args], { env: { ...effectsEnv(place), LOG_LEVEL: "info", ...env } });
}

async function startWorker(place: Place, args: readonly string[] = [], env: Variables = {}): Promise<Started> {
  const worker = launchWorker(place, args, env);
  await worker.see("Worker started");
  return worker;
}

async function readTask(place: Place, id: string): Promise<Task> {
  return taskOf(await run(place, "get-task", id));
}

/** The task, once it is as it should be. */
function taskWhen(place: Place, id: string, holds: (task: Task) => boolean, msMax?: number): Promise<Task> {
  const read = async (): Promise<Task | false> => {
    const task = await readTask(place, id);
    return holds(task) && task;
  };
  return until(read, `task ${id} comes as far`, msMax);
}

const isCompleted = ({ status }: Task): boolean => status === "COMPLETED";
const isInDoubt = ({ waiting_for }: Task): boolean => waiting_for.some(({ kind }) => kind === "doubt");

/** Ids of the processes that carried the tool out, in order. */
function pidsOf(place: Place, tool: string): number[] {
  return readEffects(place)
    .filter((effect) => effect.tool === tool)
    .map(({ pid }) => pid);
}

function sees(place: Place, tool: string, count = 1): Promise<unknown> {
  return until(() => pidsOf(place, tool).length >= count, `${tool} is carried out`);
}

describe.each(DIALECTS)("%s", (dialect) => {
  test("drains the queue, wakes sleepers, hears signals, and calls again what is to be tried later", async () => {
    await using place = await openPlace(dialect);
    const before = await Promise.all([
      enqueue(place, "planned", { n: 1 }),
      enqueue(place, "sleeping", { n: 1 }, "--priority", "0"),
      enqueue(place, "chained", { n: 1 }, "--at", "1s"),
    ]);
    await startWorker(place);
    const after = await Promise.all([enqueue(place, "retried", { n: 1 }), enqueue(place, "family", { n: 1 })]);
    const waiting = await enqueue(place, "waiting", { n: 1 });
    await taskWhen(place, waiting, ({ waiting_for }) => waiting_for[0]?.name === "go");
    for (let signal = 0; signal < 2; signal++) {
      expect((await run(place, "signal-task", waiting, "go", "--payload", JSON.stringify({ n: 1 }))).exit).toBe(0);
    }
    for (const id of [...before, ...after, waiting]) await taskWhen(place, id, isCompleted, TOLD_MS_MAX);
  });

  test("SIGTERM: takes no more, lets a running tool end, leaves what comes after it to others", async () => {
    await using place = await openPlace(dialect);
    const gate = join(place.folder, "gate");
    const id = await enqueue(place, "holds_then_works", { until: gate });
    const first = await startWorker(place, ["--concurrency", "2"]);
    await sees(place, "hold");
    kill(first.pid, "SIGTERM");
    await first.see("Stopping");
    const later = await enqueue(place, "chained", { n: 1 });
    const second = await startWorker(place);
    await taskWhen(place, later, isCompleted);
    expect(pidsOf(place, "work")).not.toContain(first.pid);
    await Bun.write(gate, "");
    expect((await first.ended()).exit).toBe(0);
    const task = await taskWhen(place, id, isCompleted);
    expect(task.output_payload).toEqual({ held: first.pid, worked: "worked then" });
    expect(pidsOf(place, "hold")).toEqual([first.pid]);
    expect(pidsOf(place, "work").at(-1)).toBe(second.pid);
  });

  test("SIGTERM: what does not end within the grace period is another's, or in doubt", async () => {
    await using place = await openPlace(dialect);
    const gate = join(place.folder, "gate");
    const [repeated, once, again] = await Promise.all([
      enqueue(place, "holds", { until: gate }),
      enqueue(place, "holds_once", { until: gate }),
      enqueue(place, "holds_once", { until: gate }),
    ]);
    const first = await startWorker(place, [], { TASKONAUT_GRACE_MS: "300" });
    await sees(place, "hold");
    await sees(place, "hold_once", 2);
    const second = await startWorker(place);
    expect((await first.stop()).exit).toBe(0);
    await until(() => pidsOf(place, "hold").includes(second.pid), "the other one takes it up", TOLD_MS_MAX);

    for (const id of [once, again]) await taskWhen(place, id, isInDoubt);
    const listed = JSON.parse((await run(place, "get-tasks")).stdout) as Task[];
    expect(
      listed
        .filter(isInDoubt)
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual([once, again].toSorted());
    await Bun.write(gate, "");
    expect((await taskWhen(place, repeated, isCompleted)).output_payload).toEqual({ pid: second.pid });
    expect(pidsOf(place, "hold_once")).toHaveLength(2);

    expect((await run(place, "resolve", once, "--output", '{"pid":7}')).exit).toBe(0);
    expect((await taskWhen(place, once, isCompleted)).output_payload).toEqual({ pid: 7 });
    expect((await run(place, "resolve", again, "--retry")).exit).toBe(0);
    expect((await taskWhen(place, again, isCompleted)).output_payload).toEqual({ pid: second.pid });
    expect(pidsOf(place, "hold_once")).toHaveLength(3);
  });

  test("a second SIGTERM leaves at once, and others go on with what it held", async () => {
    await using place = await openPlace(dialect, { TASKONAUT_LEASE_MS: "2000" });
    const gate = join(place.folder, "gate");
    const id = await enqueue(place, "holds", { until: gate });
    const first = await startWorker(place, [], { TASKONAUT_GRACE_MS: "60000" });
    await sees(place, "hold");
    kill(first.pid, "SIGTERM");
    await first.see("Stopping");
    expect((await insist(() => kill(first.pid, "SIGTERM"), first.ended())).exit).toBe(130);
    const second = await startWorker(place);
    await Bun.write(gate, "");
    expect((await taskWhen(place, id, isCompleted)).output_payload).toEqual({ pid: second.pid });
  });

  test("a tool that blocks the event loop for several leases keeps its task", async () => {
    await using place = await openPlace(dialect, { TASKONAUT_LEASE_MS: "1000" });
    const id = await enqueue(place, "blocks", { ms: 4000 });
    launchWorker(place); // it may be blocked before it says that it has started
    await sees(place, "block");
    await startWorker(place);
    const [pid] = pidsOf(place, "block");
    expect((await taskWhen(place, id, isCompleted)).output_payload).toEqual({ pid: Number(pid) });
    expect(pidsOf(place, "block")).toHaveLength(1);
  });

  test("a worker whose event loop is stuck is killed, and others go on with its tasks", async () => {
    await using place = await openPlace(dialect, { TASKONAUT_LEASE_MS: "1500", TASKONAUT_STUCK_MS: "1500" });
    const unless = join(place.folder, "unstuck");
    const id = await enqueue(place, "sticks", { unless });
    const first = launchWorker(place);
    await sees(place, "stick");
    await Bun.write(unless, "");
    const second = await startWorker(place);
    expect((await first.ended()).exit).not.toBe(0);
    expect((await taskWhen(place, id, isCompleted)).output_payload).toEqual({ pid: second.pid });
  });
});
