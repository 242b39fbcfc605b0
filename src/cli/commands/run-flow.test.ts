// `run-flow`: what is typed becomes a task, which is run as far as is wanted.

import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Json } from "../../core/record/json-value.ts";
import { cli } from "../../../test/support/cli-in-memory.ts";
import { TASK_ID } from "../../../test/support/fake-taskonaut.ts";

test("any text given as --text reaches createTask exactly", async () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("", "007", "-5", "--help", "=x", "--", "--json"),
  );
  await fc.assert(
    fc.asyncProperty(text, fc.boolean(), async (value, attached) => {
      const { code, taskonaut } = await cli([
        "run-flow",
        ...(attached ? [`--text=${value}`] : ["--text", value]),
        "--a",
        "-5",
      ]);
      expect(code).toBe(0);
      expect(taskonaut.requests("createTask")).toEqual([[{ flow: "echo_add", input: { text: value, a: -5 } }]]);
    }),
  );
});

test("run-flow runs echo_add on its defaults, and prints the task as one line of JSON", async () => {
  const { code, stdout, stderr, taskonaut } = await cli(["run-flow"]);
  expect(code).toBe(0);
  expect(stderr).toBe("");
  expect(stdout.endsWith("}\n")).toBe(true);
  expect(stdout.trimEnd()).not.toContain("\n");
  expect(JSON.parse(stdout)).toMatchObject({ status: "COMPLETED", output_payload: { add: { sum: 5 } } });
  expect(taskonaut.requests("createTask")).toEqual([[{ flow: "echo_add", input: {} }]]);
  expect(taskonaut.closed).toBe(1);
});

test("the modes create, advance and run", async () => {
  const create = await cli(["run-flow", "--mode", "create"]);
  expect(JSON.parse(create.stdout)).toMatchObject({ status: "PLANNED" });
  const advance = await cli(["run-flow", "--mode=advance"]);
  expect(JSON.parse(advance.stdout)).toMatchObject({ status: "RUNNING" });
  const run = await cli(["run-flow", "--mode", "run", "--max-steps", "7"]);
  expect(JSON.parse(run.stdout)).toMatchObject({ status: "COMPLETED" });
  expect(run.taskonaut.requests("runTask")).toEqual([[TASK_ID, { maxSteps: 7 }]]);
  expect((await cli(["run-flow", "--mode", "create", "--max-steps", "7"])).code).toBe(2);
});

test("what --wait contradicts is said", async () => {
  for (const argv of [
    ["run-flow", "--wait", "--mode", "create"],
    ["run-flow", "--wait", "--mode", "advance"],
    ["run-flow", "--wait", "--max-steps", "3"],
    ["run-task", TASK_ID, "--wait", "--max-steps", "3"],
  ]) {
    const { code, stderr, taskonaut } = await cli(argv);
    expect(code).toBe(2);
    expect(stderr).toContain("--wait: ");
    expect(taskonaut.calls).not.toContain("createTask");
  }
});

test("on a terminal --json is indented, and its texts are as safe as they are exact", async () => {
  const text = "\u001b[31m\u009b\u202e\n";
  const { stdout } = await cli(["run-flow", "--text", text, "--json"], { isTTY: true });
  expect(stdout).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u);
  expect(stdout.split("\n").length).toBeGreaterThan(5);
  expect((JSON.parse(stdout) as { input_payload: Json }).input_payload).toMatchObject({ text });
});
