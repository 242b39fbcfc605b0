// A token that may create tasks, and not run them.

import { expect, setDefaultTimeout, test } from "bun:test";
import { openSandbox } from "./harness.ts";
import { dataOf } from "./served.ts";

setDefaultTimeout(120_000);

test("with a token of the role submit run-flow creates nothing that nobody runs, and says what to do", async () => {
  await using sandbox = await openSandbox();
  await sandbox.run(["migrate"]);
  const made = await sandbox.run(["tokens", "create", "--name", "ci", "--role", "submit", "--json"]);
  const { secret } = dataOf(made) as { readonly secret: string };
  const server = await sandbox.serve(["--no-worker"]);
  const env = { TASKONAUT_API_TOKEN: secret };
  const remote = ["--api-base-url", server.url];
  for (const more of [[], ["--mode", "advance"], ["--max-steps", "3"], ["--wait"]]) {
    const { exit, stdout, stderr } = await sandbox.run(["run-flow", "echo_add", "--a", "2", ...more, ...remote], {
      env,
    });
    expect([exit, stdout]).toEqual([2, ""]);
    expect(stderr).toContain('Token "ci" has the role submit: it may put a task in the queue, and not run it.');
    expect(stderr).toContain("Nothing was created.");
    // a hint that contradicts what was typed would not work
    expect(stderr.includes("--mode enqueue")).toBe(more.length === 0);
  }
  expect(dataOf(await sandbox.run(["get-tasks", "--json"]))).toEqual([]);
  for (const mode of ["create", "enqueue"]) {
    const { exit } = await sandbox.run(["run-flow", "echo_add", "--a", "2", "--mode", mode, ...remote], { env });
    expect(exit).toBe(0);
  }
  expect(dataOf(await sandbox.run(["get-tasks", "--json"]))).toHaveLength(2);
});
