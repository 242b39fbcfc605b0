import { expect, test } from "bun:test";
import { cli } from "../../../test/support/cli-in-memory.ts";
import { Signals } from "../../../test/support/cli.ts";
import { TaskonautError } from "../../core/errors.ts";
import type { TestOptions } from "../wiring.ts";

test("test gives the paths and options to the runner, and what stands after -- as it is", async () => {
  const asked: TestOptions[] = [];
  const { code, stdout } = await cli(
    ["test", "a.test.ts", "flows", "-t", "one|two", "--only", "--bail", "2", "--timeout", "100", "--", "--seed", "7"],
    {
      wiring: {
        runTests: async (options) => {
          asked.push(options);
          await options.show("2 pass\n");
          return 0;
        },
      },
    },
  );
  expect({ code, stdout }).toEqual({ code: 0, stdout: "2 pass\n" });
  expect(asked).toMatchObject([
    {
      paths: ["a.test.ts", "flows"],
      options: ["--test-name-pattern=one|two", "--timeout=100", "--bail=2", "--only", "--seed", "7"],
      color: false,
    },
  ]);
});

test("test exits with what the runner exits with, and with 2 where there is nothing to run", async () => {
  expect((await cli(["test"], { wiring: { runTests: async () => 1 } })).code).toBe(1);
  const runTests = async (): Promise<number> => {
    throw new TaskonautError("usage", "No tests found in /flows.");
  };
  const { code, stderr } = await cli(["test"], { wiring: { runTests } });
  expect(code).toBe(2);
  expect(stderr).toContain("No tests found in /flows.");
});

test("an option of test that says nonsense is refused before anything runs", async () => {
  const { code, stderr } = await cli(["test", "--timeout", "soon", "--database-url", "sqlite:x"]);
  expect(code).toBe(2);
  expect(stderr).toContain("--database-url: means nothing to test, which works on files");
  expect((await cli(["test", "--timeout", "soon"])).stderr).toContain("--timeout: expected a whole number");
});

test("the first interrupt stops the runner, and the exit code says so", async () => {
  const signals = new Signals();
  const runTests = ({ signal }: TestOptions): Promise<number> =>
    new Promise((resolve) => {
      signal.addEventListener("abort", () => resolve(130));
      signals.send();
    });
  const { code, stderr } = await cli(["test"], { wiring: { runTests } }, signals);
  expect(code).toBe(130);
  expect(stderr).toContain("Stopped before all tests had run.");
});
