// How a call ends: its exit code, and what is said of an error.

import { expect, test } from "bun:test";
import { TaskonautError } from "../core/errors.ts";
import { cli } from "../../test/support/cli-in-memory.ts";
import { FakeTaskonaut, TASK_ID } from "../../test/support/fake-taskonaut.ts";

/** Well-formed, and no task's. */
const UNKNOWN_ID = "0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a11";

test("a task that FAILED is printed, and the exit code is 1; to look at it is 0", async () => {
  const taskonaut = new FakeTaskonaut();
  taskonaut.ends = "FAILED";
  const { code, stdout } = await cli(["run-flow"], { taskonaut });
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ status: "FAILED", error_message: "the tool gave up" });
  expect((await cli(["run-task", TASK_ID], { taskonaut })).code).toBe(1);
  expect((await cli(["advance-task", TASK_ID], { taskonaut })).code).toBe(1);
  expect((await cli(["get-task", TASK_ID], { taskonaut })).code).toBe(0);
});

test("exit codes come from the error table", async () => {
  expect((await cli(["get-task", UNKNOWN_ID])).code).toBe(3);
  expect((await cli(["run-flow", "nope", "--text", "x"])).code).toBe(3);
  expect((await cli(["run-flow", "--max-steps", "1"])).code).toBe(4);
  expect((await cli(["run-flow", "--a", "x"])).code).toBe(2);
  const taskonaut = new FakeTaskonaut();
  taskonaut.failure = new TaskonautError("database_unavailable", "gone");
  expect((await cli(["run-flow"], { taskonaut })).code).toBe(5);
});

test.each(["database_unavailable", "task_busy"] as const)(
  "the message of %s says what to do, so no hint repeats it",
  async (code) => {
    const taskonaut = new FakeTaskonaut();
    taskonaut.failure = new TaskonautError(code, "It is so. Do this.");
    expect((await cli(["run-flow"], { taskonaut })).stderr).toBe("error: It is so. Do this.\n");
  },
);

test("an error says what is wrong, each violation on a line, and what to do next; stdout stays empty", async () => {
  const { stdout, stderr } = await cli(["run-flow", "--a", "abc", "--b", "2.5"]);
  expect(stdout).toBe("");
  expect(stderr.split("\n")).toEqual([
    "error: There are 2 problems with the command line",
    '  --a: expected an integer, got "abc"',
    '  --b: expected an integer, got "2.5"',
    "hint: see its arguments and options:",
    "  taskonaut run-flow --help",
    "",
  ]);
});

test("with --json an error is one JSON object on stderr", async () => {
  const { code, stderr } = await cli(["get-task", UNKNOWN_ID, "--json"]);
  expect(code).toBe(3);
  expect(JSON.parse(stderr)).toEqual({
    code: "task_not_found",
    message: `Task ${UNKNOWN_ID} not found`,
    errors: [],
    details: { task_id: UNKNOWN_ID },
    hint: ["taskonaut get-tasks"],
  });
});

test("with --json an error has no control character that a terminal would obey", async () => {
  const taskonaut = new FakeTaskonaut();
  const details = { task_id: "x\u001b\u009b\u202e" };
  taskonaut.failure = new TaskonautError("task_not_found", "There is none.", { details });
  const { stderr } = await cli(["get-task", UNKNOWN_ID, "--json"], { taskonaut });
  expect(stderr).toContain("x\\u001b\\u009b\\u202e");
  expect(JSON.parse(stderr)).toMatchObject({ details });
});

test("an error that nobody foresaw exits with 70, and shows its stack at debug level only", async () => {
  const taskonaut = new FakeTaskonaut();
  taskonaut.failure = new RangeError("bad \u001b[31mthing");
  const quiet = await cli(["run-flow"], { taskonaut });
  expect(quiet.code).toBe(70);
  expect(quiet.stderr).toStartWith("error: bad \\x1b[31mthing\n");
  expect(quiet.stderr).not.toContain("run-cli.test.ts");
  expect((await cli(["run-flow", "--log-level", "debug"], { taskonaut })).stderr).toContain("run-cli.test.ts");
  expect(taskonaut.closed).toBe(2);
});

test("what the operating system refuses is not called a fault of the program", async () => {
  const taskonaut = new FakeTaskonaut();
  taskonaut.failure = Object.assign(new Error("ENOSPC: no space left on device"), { errno: -28, code: "ENOSPC" });
  expect((await cli(["run-flow"], { taskonaut })).stderr).toBe("error: ENOSPC: no space left on device\n");
});

test("where a flow was named, the hint leads to its fields, with the flows as they were given", async () => {
  const { code, stderr } = await cli(["run-flow", "echo_add", "--a", "x", "--flows", "my flows"]);
  expect(code).toBe(2);
  expect(stderr).toContain("taskonaut run-flow echo_add --help --flows 'my flows'\n");
});
