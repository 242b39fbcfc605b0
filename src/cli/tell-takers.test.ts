import { expect, test } from "bun:test";
import type { Task } from "../core/api/task.ts";
import type { Worker } from "../core/api/worker.ts";
import { cli } from "../../test/support/cli-in-memory.ts";
import { FakeTaskonaut, TASK_ID } from "../../test/support/fake-taskonaut.ts";

const WORKER: Worker = {
  id: "w1",
  name: "host:1",
  state: "alive",
  concurrency: 10,
  flows: ["echo_add", "free"],
  codes: {},
  tasks: 0,
  started_at: "2026-11-23T03:39:25.130Z",
  lease_until: "2026-11-23T03:39:40.130Z",
};

interface World {
  readonly workers: readonly Worker[];
  readonly task?: Partial<Task>;
  readonly argv?: readonly string[];
  readonly isTTY?: boolean;
}

/** Sends a signal in this world. */
async function signal({
  workers,
  task = {},
  argv = [],
  isTTY = false,
}: World): Promise<{ stdout: string; stderr: string }> {
  const taskonaut = new FakeTaskonaut();
  const { task: made } = await taskonaut.createTask({ flow: "free", input: {} });
  taskonaut.change(made, task);
  taskonaut.workers = workers;
  return cli(["signal-task", TASK_ID, "nudged", ...argv], { taskonaut, isTTY, env: { NO_COLOR: "1" } });
}

const DELIVERED = `Signal nudged is delivered to task ${TASK_ID}.`;

test("a delivered signal says which worker takes the task up", async () => {
  expect((await signal({ workers: [WORKER] })).stderr).toBe(`${DELIVERED} Worker host:1 picks it up.\n`);
  const four = [1, 2, 3, 4].map((n) => ({ ...WORKER, id: `w${n}`, name: `host:${n}` }));
  expect((await signal({ workers: four })).stderr).toBe(
    `${DELIVERED} One of 4 workers (host:1, host:2, host:3, …) picks it up.\n`,
  );
});

test("a delivered signal says which worker drives the task now", async () => {
  const task = { lease_owner: "w2" };
  const caller = { ...WORKER, id: "w2", name: "laptop:9", concurrency: 0 };
  expect((await signal({ workers: [WORKER, caller], task })).stderr).toBe(
    `${DELIVERED} Worker laptop:9 drives the task now.\n`,
  );
  const dead = { ...caller, state: "dead" } as const;
  expect((await signal({ workers: [WORKER, dead], task })).stderr).toBe(`${DELIVERED} Worker host:1 picks it up.\n`);
});

test.each<[string, readonly Worker[], string]>([
  ["there is none", [], "No worker is running."],
  ["all are dead", [{ ...WORKER, state: "dead" }], "No worker is running."],
  ["they run tools for callers alone", [{ ...WORKER, concurrency: 0 }], "No worker is running."],
  ["they have other flows", [{ ...WORKER, flows: ["order"] }], "No worker that has flow free is running."],
])("where %s, it is said that no worker takes the task, and what to run", async (_why, workers, told) => {
  const next = `next: taskonaut run-task ${TASK_ID} --wait\nnext: taskonaut work\n`;
  expect((await signal({ workers })).stderr).toBe(`${DELIVERED} ${told}\n${next}`);
});

test("a person at a terminal finds the commands in the task", async () => {
  const { stdout, stderr } = await signal({ workers: [], isTTY: true });
  expect(stderr).toBe(`${DELIVERED} No worker is running.\n`);
  expect(stdout).toContain(`next     taskonaut run-task ${TASK_ID} --wait\nnext     taskonaut work\n`);
  expect((await signal({ workers: [WORKER], isTTY: true })).stdout).not.toContain("\nnext ");
});

test("against a server, who has it is told to start a worker", async () => {
  const url = "http://127.0.0.1:8000";
  const { stderr } = await signal({ workers: [], argv: ["--api-base-url", url] });
  expect(stderr).toStartWith(
    `${DELIVERED} No worker is running.\nnext: taskonaut run-task ${TASK_ID} --wait --api-base-url ${url}\n`,
  );
  expect(stderr).toContain("hint: A worker beside the server's database takes it");
});

test("a signal that comes before the flow waits for it is kept", async () => {
  const task = { status: "WAITING_OBSERVATION" } as const;
  const waiting_for = [{ kind: "signal", name: "nudged", until: null, task_id: null }] as const;
  expect((await signal({ workers: [WORKER], task })).stderr).toContain(
    `${DELIVERED} It is kept until the flow waits for it.`,
  );
  expect((await signal({ workers: [WORKER], task: { ...task, waiting_for } })).stderr).not.toContain("kept");
});

test("a task that is due later is not offered to be run now", async () => {
  const taskonaut = new FakeTaskonaut();
  const { stderr } = await cli(["run-flow", "free", "--mode", "enqueue", "--at", "2h"], { taskonaut });
  expect(stderr).toBe(`Task ${TASK_ID} is in the queue. No worker is running.\nnext: taskonaut work\n`);
  taskonaut.workers = [WORKER];
  const told = await cli(["run-flow", "free", "--mode", "enqueue", "--at", "2099-01-01T00:00:00Z"], { taskonaut });
  expect(told.stderr).toContain("is in the queue. Worker host:1 picks it up at 2099-01-01 00:00:00.000Z.");
});

test.each<[string | null, string, string]>([
  ["free", "flow free", "free"],
  ["charge", "tool charge", "--tool charge"],
  [null, "everything", "--all"],
])(
  "a task that a pause of %p holds is not said to be picked up, and the pause is offered to be ended",
  async (name, what, typed) => {
    const waiting_for = [{ kind: "pause", name, until: null, task_id: null }] as const;
    const { stderr } = await signal({ workers: [WORKER], task: { waiting_for } });
    expect(stderr).toContain(`It waits: ${what} is paused.`);
    expect(stderr).toContain(`taskonaut unpause ${typed}\n`);
    expect(stderr).not.toContain("picks it up");
  },
);

test("that workers cannot be seen is no error of what was done", async () => {
  const taskonaut = new FakeTaskonaut();
  await taskonaut.createTask({ flow: "free", input: {} });
  taskonaut.listWorkers = () => Promise.reject(new Error("gone"));
  const { code, stderr } = await cli(["signal-task", TASK_ID, "nudged"], { taskonaut });
  expect([code, stderr]).toEqual([0, `${DELIVERED}\n`]);
});

test("with --json nothing is said, and nobody is looked for", async () => {
  const taskonaut = new FakeTaskonaut();
  await taskonaut.createTask({ flow: "free", input: {} });
  const { stderr } = await cli(["signal-task", TASK_ID, "nudged", "--json"], { taskonaut });
  expect([stderr, taskonaut.requests("listWorkers")]).toEqual(["", []]);
});
