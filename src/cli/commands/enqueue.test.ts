// `run-flow --mode enqueue`: what is typed becomes a task of the queue.

import { describe, expect, setSystemTime, test } from "bun:test";
import type { CreateTask } from "../../core/api/create-task.ts";
import type { CliCall, CliResult } from "../../../test/support/cli.ts";
import { cli } from "../../../test/support/cli-in-memory.ts";
import { FakeTaskonaut } from "../../../test/support/fake-taskonaut.ts";
import { CREATED_AT } from "../../../test/support/tasks.ts";

const NOW = Date.parse(CREATED_AT);

async function enqueue(
  argv: readonly string[],
  options: Omit<Partial<CliCall>, "taskonaut"> = {},
): Promise<{ result: CliResult; asked: readonly CreateTask[] }> {
  const taskonaut = new FakeTaskonaut();
  setSystemTime(NOW);
  try {
    const result = await cli(["run-flow", ...argv], { taskonaut, ...options });
    return { result, asked: taskonaut.requests("createTask").map(([request]) => request) };
  } finally {
    setSystemTime();
  }
}

test("the task is due at once, and is printed as it stands in the queue", async () => {
  const { result, asked } = await enqueue(["free", "--mode", "enqueue"]);
  expect(result).toMatchObject({ code: 0, stderr: expect.stringMatching(/^Task \S+ is in the queue\. No worker/) });
  expect(asked).toEqual([{ flow: "free", input: {}, start: "now" }]);
  expect(JSON.parse(result.stdout)).toMatchObject({ status: "PLANNED", due_at: "2026-11-23T03:39:25.130Z" });
});

test("a person is told when it is due, and that a worker takes it", async () => {
  const argv = ["free", "--mode", "enqueue", "--at", "2h", "--priority", "0"];
  const { result } = await enqueue(argv, { isTTY: true, env: { NO_COLOR: "1" } });
  expect(result.stdout).toContain("due      2026-11-23 05:39:25.130Z  (in the queue, priority 0)\n");
  expect(result.stdout).toContain("next     taskonaut work\n");
});

test("the last of the modes that a person is asked for puts the task in the queue", async () => {
  const down = "\u001b[B";
  const { result, asked } = await enqueue([], { isTTY: true, types: [`${down}\r`, `${down}${down}${down}\r`] });
  expect([result.code, asked]).toEqual([0, [{ flow: "free", input: {}, start: "now" }]]);
});

test("other modes queue nothing", async () => {
  expect((await enqueue(["free", "--mode", "create"])).asked).toEqual([{ flow: "free", input: {} }]);
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
    const { asked } = await enqueue(["free", "--mode", "enqueue", "--at", text]);
    expect(asked).toEqual([{ flow: "free", input: {}, start }]);
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
    const { result, asked } = await enqueue(["free", "--mode", "enqueue", "--at", text]);
    expect([result.code, result.stdout, asked]).toEqual([2, "", []]);
    expect(result.stderr).toContain("--at: ");
    expect(result.stderr).toContain(message);
  });
});

test("--priority is 0 to 9", async () => {
  const { asked } = await enqueue(["free", "--mode", "enqueue", "--priority", "9"]);
  expect(asked).toEqual([{ flow: "free", input: {}, start: "now", priority: 9 }]);
  for (const priority of ["10", "-1", "1.5", "high", ""]) {
    const { result } = await enqueue(["free", "--mode", "enqueue", "--priority", priority]);
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
    const { result, asked } = await enqueue(["free", option, value, ...mode]);
    expect([result.code, asked]).toEqual([2, []]);
    expect(result.stderr).toStartWith(`error: ${option}: means something with --mode enqueue only\n`);
  }
});

test("a task that is enqueued is not waited for", async () => {
  const { result } = await enqueue(["free", "--mode", "enqueue", "--wait"]);
  expect([result.code, result.stderr.split("\n")[0]]).toEqual([2, "error: --wait: means nothing with --mode enqueue"]);
});
