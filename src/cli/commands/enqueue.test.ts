// `run-flow --mode enqueue`: what is typed becomes a task of the queue.

import { describe, expect, setSystemTime, test } from "bun:test";
import type { Task } from "../../core/api/task.ts";
import type { CreateTask, Taskonaut } from "../../core/api/taskonaut.ts";
import { callCli, type CliCall, type CliResult } from "../../../test/support/cli.ts";
import { plannedTask } from "../../../test/support/tasks.ts";

const NOW = Date.parse("2026-11-23T03:39:25.000Z");
const ID = "019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071";

async function enqueue(
  argv: readonly string[],
  options: Partial<CliCall> = {},
): Promise<{ result: CliResult; asked: CreateTask[] }> {
  const asked: CreateTask[] = [];
  const taskonaut = {
    listFlows: async () => [FLOW],
    describeFlow: async () => FLOW,
    createTask: async (request: CreateTask) => {
      asked.push(request);
      return { task: queuedTask(request), created: true };
    },
    close: async () => {},
  } as unknown as Taskonaut;
  setSystemTime(NOW);
  try {
    return { result: await callCli(["run-flow", ...argv], { taskonaut, ...options }), asked };
  } finally {
    setSystemTime();
  }
}

const FLOW = { name: "f", description: "", form: "run", file: null, input_schema: { type: "object" }, signals: {} };

function queuedTask({ start, priority = 5 }: CreateTask): Task {
  const due_at = new Date(typeof start === "number" ? start : NOW).toISOString();
  const created_at = new Date(NOW).toISOString();
  return plannedTask({ id: ID, priority, due_at, created_at, updated_at: created_at });
}

test("the task is due at once, and is printed as it stands in the queue", async () => {
  const { result, asked } = await enqueue(["f", "--mode", "enqueue"]);
  expect(result).toMatchObject({ code: 0, stderr: "" });
  expect(asked).toEqual([{ flow: "f", input: {}, start: "now" }]);
  expect(JSON.parse(result.stdout)).toMatchObject({ status: "PLANNED", due_at: "2026-11-23T03:39:25.000Z" });
});

test("a person is told when it is due, and that a worker takes it", async () => {
  const argv = ["f", "--mode", "enqueue", "--at", "2h", "--priority", "0"];
  const { result } = await enqueue(argv, { isTTY: true, env: { NO_COLOR: "1" } });
  expect(result.stdout).toContain("due      2026-11-23 05:39:25.000Z  (in the queue, priority 0)\n");
  expect(result.stdout).toContain("next     taskonaut work\n");
});

test("the last of the modes that a person is asked for puts the task in the queue", async () => {
  const down = "\u001b[B";
  const { result, asked } = await enqueue([], { isTTY: true, types: [`${down}${down}${down}\r`] });
  expect([result.code, asked]).toEqual([0, [{ flow: "f", input: {}, start: "now" }]]);
});

test("other modes queue nothing", async () => {
  expect((await enqueue(["f", "--mode", "create"])).asked).toEqual([{ flow: "f", input: {} }]);
});

describe("--at", () => {
  test.each([
    ["now", "now"],
    ["2026-11-24T08:00:00Z", Date.parse("2026-11-24T08:00:00Z")],
    ["2026-11-24T09:00:00+01:00", Date.parse("2026-11-24T08:00:00Z")],
    ["10m", NOW + 600_000],
    ["in 10m", NOW + 600_000],
    ["in 1.5 h", NOW + 5_400_000],
    ["0s", "now"],
    ["2026-11-23T03:39:25Z", "now"],
    ["1999-12-31T23:59:59Z", "now"],
  ] as const)("%s is %p", async (text, start) => {
    const { asked } = await enqueue(["f", "--mode", "enqueue", "--at", text]);
    expect(asked).toEqual([{ flow: "f", input: {}, start }]);
  });

  test.each([
    ["2026-11-24T08:00:00", "has no time zone: write 2026-11-24T08:00:00Z, or with an offset"],
    ["2026-02-30T08:00:00Z", "there is no such time"],
    ["tomorrow", "expected a time like 2026-11-24T08:00:00Z"],
    ["tomorrow", "or a duration from now on, such as 10m"],
    ["", "expected a time like"],
    ["-10m", "expected a time like"],
    ["10y", "expected a duration of at most 100 years (a number and one of ms, s, m, h, d, w)"],
    ["99999w", "expected a duration of at most 100 years"],
  ])("%p is refused, and nothing is created", async (text, message) => {
    const { result, asked } = await enqueue(["f", "--mode", "enqueue", "--at", text]);
    expect([result.code, result.stdout, asked]).toEqual([2, "", []]);
    expect(result.stderr).toContain("--at: ");
    expect(result.stderr).toContain(message);
  });
});

test("--priority is 0 to 9", async () => {
  const { asked } = await enqueue(["f", "--mode", "enqueue", "--priority", "9"]);
  expect(asked).toEqual([{ flow: "f", input: {}, start: "now", priority: 9 }]);
  for (const priority of ["10", "-1", "1.5", "high", ""]) {
    const { result } = await enqueue(["f", "--mode", "enqueue", "--priority", priority]);
    expect([result.code, result.stderr.split("\n")[0]]).toEqual([
      2,
      `error: --priority: expected a whole number from 0 to 9, got ${JSON.stringify(priority)}`,
    ]);
  }
});

test.each([
  ["--at", "10m"],
  ["--priority", "3"],
])("%s without --mode enqueue is a misuse that says so", async (option, value) => {
  for (const mode of [[], ["--mode", "run"], ["--mode", "create"]]) {
    const { result, asked } = await enqueue(["f", option, value, ...mode]);
    expect([result.code, asked]).toEqual([2, []]);
    expect(result.stderr).toStartWith(`error: ${option}: means something with --mode enqueue only\n`);
  }
});

test("a task that is enqueued is not waited for", async () => {
  const { result } = await enqueue(["f", "--mode", "enqueue", "--wait"]);
  expect([result.code, result.stderr.split("\n")[0]]).toEqual([2, "error: --wait: means nothing with --mode enqueue"]);
});
