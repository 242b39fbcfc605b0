import { expect, test } from "bun:test";
import type { ResolveTask, Taskonaut } from "../../core/api/taskonaut.ts";
import { callCli, type CliCall, type CliResult } from "../../../test/support/cli.ts";

const ID = "019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071";

async function resolve(
  argv: readonly string[],
  options: Partial<CliCall> = {},
): Promise<{ result: CliResult; asked: [string, ResolveTask][] }> {
  const asked: [string, ResolveTask][] = [];
  const taskonaut = {
    resolveTask: async (id: string, request: ResolveTask) => {
      asked.push([id, request]);
      return { id };
    },
    close: async () => {},
  } as unknown as Taskonaut;
  return { result: await callCli(["resolve", ...argv], { taskonaut, ...options }), asked };
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
  const { result, asked } = await resolve([ID, ...argv], { stdin: "[2.50]" });
  expect([result.code, result.stderr, asked]).toEqual([0, "", [[ID, request]]]);
  expect(JSON.parse(result.stdout)).toEqual({ id: ID });
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
  const { result, asked } = await resolve([ID, ...argv]);
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
    const { stderr } = (await resolve([ID, ...argv])).result;
    expect(stderr).not.toContain("s3cr");
    expect(stderr).toContain("postgres://ada:***@h/db");
  }
  const { result } = await resolve([ID, "--output", "--database-url", url]);
  expect(result.stderr).toStartWith("error: --output: a value is missing\n");
});

test("its help shows that the message may be left out", async () => {
  expect((await resolve(["--help"])).result.stdout).toContain("--fail [message]");
});
