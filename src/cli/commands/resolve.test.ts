import { expect, test } from "bun:test";
import type { ResolveTask } from "../../core/api/taskonaut.ts";
import type { CliCall, CliResult } from "../../../test/support/cli.ts";
import { cli } from "../../../test/support/cli-in-memory.ts";
import { FakeTaskonaut, TASK_ID } from "../../../test/support/fake-taskonaut.ts";
import { plannedStep } from "../../../test/support/tasks.ts";

/** A step of the task is in doubt. */
async function resolve(
  argv: readonly string[],
  options: Omit<Partial<CliCall>, "taskonaut"> = {},
): Promise<{ result: CliResult; asked: readonly (readonly [string, ResolveTask])[] }> {
  const taskonaut = new FakeTaskonaut();
  const { task } = await taskonaut.createTask({ flow: "free", input: {} });
  taskonaut.change(task, { steps: [plannedStep({ status: "RUNNING", doubt: "its process died" })] });
  return {
    result: await cli(["resolve", ...argv], { taskonaut, ...options }),
    asked: taskonaut.requests("resolveTask"),
  };
}

test.each<[string[], ResolveTask]>([
  [["--output", '{"paid":true}'], { resolution: { kind: "output", output: { paid: true } } }],
  [["--output=null"], { resolution: { kind: "output", output: null } }],
  [["--output", "-"], { resolution: { kind: "output", output: [2.5] } }],
  [["--retry"], { resolution: { kind: "retry" } }],
  [["--retry", "--step", "3"], { step: 3, resolution: { kind: "retry" } }],
  [["--fail", "no money"], { resolution: { kind: "fail", message: "no money" } }],
  [["--fail=-5"], { resolution: { kind: "fail", message: "-5" } }],
  [["--fail"], { resolution: { kind: "fail", message: "Settled by hand as failed." } }],
  [["--fail", "--step", "1"], { step: 1, resolution: { kind: "fail", message: "Settled by hand as failed." } }],
])("%j settles the step", async (argv, request) => {
  const { result, asked } = await resolve([TASK_ID, ...argv], argv.includes("-") ? { stdin: "[2.50]" } : {});
  expect([result.code, asked]).toEqual([0, [[TASK_ID, request]]]);
  expect(result.stderr).toStartWith("The step is settled.");
  expect(JSON.parse(result.stdout)).toMatchObject({ id: TASK_ID });
});

test.each([
  [[], "say how it ended: --output '…', --retry or --fail [message]"],
  [["--step", "2"], "say how it ended"],
  [["--retry", "--fail"], "--fail: contradicts --retry: give one of them"],
  [["--fail", "--output", "1"], "--fail: contradicts --output: give one of them"],
  [["--output", "hello"], "--output: Not valid JSON at line 1, column 1"],
  [["--output", "@/nowhere/output.json"], "--output: /nowhere/output.json: "],
  [["--retry", "--step", "0"], "--step: expected a whole number from 1"],
  [["--output", "--json"], "--output: a value is missing"],
  [["--fail", ""], "--fail: its value is empty"],
  [["--retry", "yes"], 'unexpected argument "yes"'],
])("%j is a misuse, told before anything is opened", async (argv, message) => {
  const { result, asked } = await resolve([TASK_ID, ...argv]);
  expect([result.code, result.stdout, asked]).toEqual([2, "", []]);
  expect(result.stderr).toContain(message);
});

test("a URL that lost its option is told without its password", async () => {
  const url = "postgres://ada:s3cr:t@h/db";
  for (const argv of [
    ["--retry", url],
    [url, "--json"],
    ["--output", "--retry", "--json", `${url},${url}`],
  ]) {
    const { stderr } = (await resolve([TASK_ID, ...argv])).result;
    expect(stderr).not.toContain("s3cr");
    expect(stderr).toContain("postgres://ada:***@h/db");
  }
  const { result } = await resolve([TASK_ID, "--output", "--database-url", url]);
  expect(result.stderr).toStartWith("error: --output: a value is missing\n");
});

test("its help shows that the message may be left out", async () => {
  expect((await resolve(["--help"])).result.stdout).toContain("--fail [message]");
});
