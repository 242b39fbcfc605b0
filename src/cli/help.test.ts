import { expect, test } from "bun:test";
import { cli } from "../../test/support/cli-in-memory.ts";

test("--help and --version wire nothing", async () => {
  for (const argv of [["--help"], ["-h"], ["get-task", "--help"], ["--version"], ["--version", "--json"]]) {
    const { code, stdout, settings } = await cli(argv);
    expect(code).toBe(0);
    expect(stdout).not.toBe("");
    expect(settings).toBeUndefined();
  }
  expect((await cli(["--version"])).stdout).toBe("taskonaut 1.2.3 (commit abc1234, Bun 1.4.5)\n");
});

test("the help names every command, and that of a command its options and examples", async () => {
  const { stdout } = await cli(["--help"]);
  const names = ["run-flow", "get-task", "get-tasks", "advance-task", "run-task", "run-app", "migrate"];
  for (const name of [...names, "signal-task", "cancel-task", "retry-task", "resume-task"])
    expect(stdout).toContain(`  ${name} `);
  const help = (await cli(["run-flow", "--help"])).stdout;
  for (const part of [
    "run-flow [flow]",
    "--mode <mode>",
    "--max-steps <N>",
    "--wait",
    "--database-url <url>",
    "Examples:",
  ])
    expect(help).toContain(part);
});

test("a switch that begins with no- is not said to be on by default", async () => {
  const { stdout } = await cli(["run-app", "--help"]);
  expect(stdout).toMatch(/--no-worker .*tasks of the queue$/m);
});

test("without a command the help goes to stderr and the exit code is 2", async () => {
  const { code, stdout, stderr } = await cli([]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain("Commands:");
});
