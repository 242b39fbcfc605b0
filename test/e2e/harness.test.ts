import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { openSandbox } from "./harness.ts";

test("a command runs to its end, in a sandbox that leaves nothing", async () => {
  let folder = "";
  {
    await using sandbox = await openSandbox();
    folder = sandbox.folder;
    const { exit, stdout, stderr } = await sandbox.run(["run-flow"]);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ status: "COMPLETED" });
    expect(existsSync(`${folder}/taskonaut/taskonaut.db`)).toBe(true);
  }
  expect(existsSync(folder)).toBe(false);
});

test("a server is reached at the address that it tells, and stops when told", async () => {
  await using sandbox = await openSandbox();
  const server = await sandbox.serve();
  const answer = await fetch(`${server.url}/healthz`);
  expect(answer.status).toBe(200);
  expect((await server.stop()).exit).toBe(0);
});

test("a server that does not start says why", async () => {
  await using sandbox = await openSandbox();
  await expect(sandbox.serve(["--host", "203.0.113.1"])).rejects.toThrow(
    /Listening on.* did not come\. .*TASKONAUT_API_TOKEN/s,
  );
});

test("a terminal shows the prompts and takes what is typed", async () => {
  await using sandbox = await openSandbox();
  const terminal = await sandbox.terminal(["run-flow"]);
  await terminal.see("the text to echo");
  terminal.press("ctrl-c");
  expect(await terminal.exited()).toBe(130);
});
