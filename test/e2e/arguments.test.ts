// What is typed: it reaches the flow as it was, or it is refused with a reason; global options stand anywhere.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { Task } from "../../src/core/api/task.ts";
import { openSandbox, type Sandbox } from "./harness.ts";
import { taskOf } from "./tasks.ts";

setDefaultTimeout(120_000);

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox[Symbol.asyncDispose]());

const create = async (...args: string[]): Promise<unknown> =>
  taskOf(await sandbox.run(["run-flow", "--mode", "create", ...args])).input_payload;

const count = async (): Promise<number> => (JSON.parse((await sandbox.run(["get-tasks"])).stdout) as Task[]).length;

describe("a text arrives exactly as it was typed", () => {
  const texts = [
    "",
    " ",
    "007",
    "-5",
    "1e3",
    "--x",
    "--help",
    "--",
    "-",
    "=",
    "a=b",
    "true",
    "null",
    '{"a":1}',
    "*",
    "$HOME",
    "%00",
    "\\n",
    "two\nlines\r\n\ttabs",
    "\u001B[31mred\u0007",
    "naïve ☃ 🜚 👩‍👩‍👧 שלום \u202Eabc\u202C",
    "e\u0301 is not \u00E9",
    "x".repeat(50_000),
  ];
  for (const text of texts) {
    test(JSON.stringify(text.slice(0, 40)), async () => {
      const expected = { text, a: 1, b: 2 };
      expect(await create("--text", text)).toEqual(expected);
      expect(await create(`--text=${text}`)).toEqual(expected);
    });
  }
});

test("numbers arrive as they are, or not at all", async () => {
  expect(await create("--a", "-5", "--b", "007")).toEqual({ text: "hello", a: -5, b: 7 });
  expect(await create("--a=-9007199254740991", "--b=0")).toEqual({ text: "hello", a: -9007199254740991, b: 0 });
  const before = await count();
  const wrong = ["", " ", "x", "2.5", "1e3", "0x10", "+1", "1_000", " 1", "1 ", "٣", "true", "Infinity", "--b"];
  for (const typed of [...wrong, "9007199254740992", "-9007199254740993", "9".repeat(400)]) {
    const { exit, stdout, stderr } = await sandbox.run(["run-flow", "--a", typed]);
    expect({ typed, exit, stdout }).toEqual({ typed, exit: 2, stdout: "" });
    expect(stderr).toMatch(/^error: --a: .+\nhint: .+\n {2}\S+ run-flow --help\n$/);
  }
  expect(await count()).toBe(before);
});

test("global options work before and after the command, and between its arguments", async () => {
  const url = `sqlite:${join(sandbox.folder, "elsewhere.db")}`;
  const { id } = taskOf(await sandbox.run(["--database-url", url, "run-flow", "--mode", "create"]));
  const spellings = [
    ["--database-url", url, "--json", "get-task", id],
    ["get-task", "--json", "--database-url", url, id],
    ["get-task", id, "--json", `--database-url=${url}`],
    [`--database-url=${url}`, "get-task", "--log-level", "error", "--logster", id, "--json"],
    ["get-task", "--database-url", url, "--", id],
  ];
  for (const args of spellings) expect(taskOf(await sandbox.run(args)).id).toBe(id);
  expect((await sandbox.run(["get-task", id])).exit).toBe(3);
});

test("what cannot be meant is refused with 2, every problem at once, and touches nothing", async () => {
  await using untouched = await openSandbox();
  const cases: [RegExp, ...string[]][] = [
    [/^error: unknown command "get-taks"; did you mean get-task/, "get-taks"],
    [/^error: <id> is missing$/m, "get-task"],
    [/^error: unexpected argument "b"$/m, "get-task", "a", "b"],
    [/^error: --mode: expected run, advance, create, enqueue, got "walk"$/m, "run-flow", "--mode", "walk"],
    [/^error: --max-steps: .* from 1 to 1000, got "0"$/m, "run-flow", "--max-steps", "0"],
    [/^error: --max-steps: .* from 1 to 1000, got "1001"$/m, "run-task", "x", "--max-steps", "1001"],
    [/^error: --max-steps: means nothing with --mode create$/m, "run-flow", "--mode", "create", "--max-steps", "2"],
    [/^error: --limit: expected a whole number .* got "-1"$/m, "get-tasks", "--limit", "-1"],
    [/^error: --port: .* from 0 to 65535, got "65536"$/m, "run-app", "--port", "65536"],
    [/^error: --limt: unknown option; did you mean --limit\?$/m, "get-tasks", "--limt=3"],
    [/^error: --text: given more than once$/m, "run-flow", "--text", "a", "--text", "b"],
    [/^error: --text: a value is missing$/m, "run-flow", "--text"],
    [/^error: --json: takes no value$/m, "get-tasks", "--json=yes"],
    [/^error: --log-level: expected error, warn, info, debug, got "loud"$/m, "get-tasks", "--log-level", "loud"],
    [/^error: The database URL has an unknown form\./, "get-tasks", "--database-url", "mysql://me@host/x"],
    [/^error: --database-url: expected a URL, got nothing$/m, "get-tasks", "--database-url", ""],
    [/contradicts --database-url/, "get-tasks", "--api-base-url", "http://h", "--database-url", "sqlite:x"],
    [/^error: --api-base-url: expected a URL like/, "get-tasks", "--api-base-url", "localhost:8000"],
    [/migrate works on a database/, "migrate", "--api-base-url", "http://127.0.0.1:1"],
    [/run-app works on a database/, "run-app", "--api-base-url", "http://127.0.0.1:1"],
  ];
  for (const [message, ...args] of cases) {
    const { exit, stdout, stderr } = await untouched.run(args);
    expect({ args, exit, stdout }).toEqual({ args, exit: 2, stdout: "" });
    expect(stderr).toMatch(message);
  }
  const several = await untouched.run(["get-task", "--limt=5", "--json=1"]);
  expect(several.exit).toBe(2);
  expect(several.stderr).toMatch(/^error: There are 3 problems with the command line\n {2}--limt: .*\n {2}--json: /);
  expect(await Array.fromAsync(new Bun.Glob("**").scan({ cwd: untouched.folder, onlyFiles: false }))).toEqual([]);
});

test("fields that the flow has not are named, all of them, with the nearest that it has", async () => {
  const { exit, stderr } = await sandbox.run(["run-flow", "--txt", "x", "--a", "2.5", "--colour", "red"]);
  expect(exit).toBe(2);
  expect(stderr).toContain("  --txt: flow echo_add has no such field; did you mean --text?\n");
  expect(stderr).toContain('  --a: expected an integer, got "2.5"\n');
  expect(stderr).toContain("  --colour: flow echo_add has no such field; its fields are text, a, b\n");
});

test("an input over the limit is refused, and the limit can be moved", async () => {
  const text = "x".repeat(70_000);
  const refused = await sandbox.run(["run-flow", "--text", text]);
  expect(refused.exit).toBe(2);
  expect(refused.stderr).toMatch(/65536.*TASKONAUT_MAX_INPUT_BYTES/);
  const taken = await sandbox.run(["run-flow", "--text", text], { env: { TASKONAUT_MAX_INPUT_BYTES: "100000" } });
  expect(taskOf(taken).output_payload).toMatchObject({ echo: { text } });
  const wrong = await sandbox.run(["run-flow"], { env: { TASKONAUT_MAX_INPUT_BYTES: "64k" } });
  expect(wrong.exit).toBe(2);
  expect(wrong.stderr).toContain('TASKONAUT_MAX_INPUT_BYTES must be an integer from 1 to 268435456, got "64k"');
});

test("--help and --version answer on stdout and touch nothing", async () => {
  await using untouched = await openSandbox({ DATABASE_URL: "nonsense" });
  const version = await untouched.run(["--version"]);
  expect(version.stdout).toMatch(/^taskonaut \d+\.\d+\.\d+ \(commit \S+, Bun \d+\.\d+\.\d+\)\n$/);
  expect(JSON.parse((await untouched.run(["-v", "--json"])).stdout)).toEqual({
    version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    commit: expect.any(String),
    bun: Bun.version,
  });
  const help = await untouched.run(["--help"]);
  const commands = ["run-flow", "get-task", "get-tasks", "advance-task", "run-task", "run-app", "migrate"];
  for (const command of commands) {
    expect(help.stdout).toContain(`\n  ${command} `);
    const own = await untouched.run([command, "-h"]);
    expect({ command, exit: own.exit, stderr: own.stderr }).toEqual({ command, exit: 0, stderr: "" });
    expect(own.stdout).toMatch(new RegExp(`^  \\S*taskonaut ${command}\\b`, "m"));
  }
  expect([version.exit, help.exit]).toEqual([0, 0]);
  const bare = await untouched.run([]);
  expect(bare).toEqual({ exit: 2, stdout: "", stderr: help.stdout });
});
