// A server whose log nobody reads goes on, and leaves when it is told to. So does whatever goes on, if nobody reads its
// stdout.

import { expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { catches } from "../support/catches.ts";
import { until } from "../support/until.ts";
import { binary } from "./binary.ts";
import { openSandbox } from "./harness.ts";

setDefaultTimeout(120_000);

/** At debug each request is a line with its path: together far more than a pipe holds. */
const REQUESTS = 400;
const PATH = `/healthz?${"x".repeat(1000)}`;

test("a stderr that nobody reads stops no request and no end", async () => {
  await using sandbox = await openSandbox();
  const pipe = join(sandbox.folder, "stderr");
  Bun.spawnSync(["mkfifo", pipe]);
  const held = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK); // so that both ends are open
  const stderr = openSync(pipe, constants.O_WRONLY);
  const port = freePort();
  const server = Bun.spawn([await binary(), "run-app", "--no-worker", "--port", String(port), "--log-level", "debug"], {
    cwd: sandbox.folder,
    env: { PATH: "/usr/bin:/bin", HOME: sandbox.folder },
    stdin: "ignore",
    stdout: "ignore",
    stderr,
  });
  try {
    const url = `http://127.0.0.1:${port}${PATH}`;
    await until(async () => (await fetch(url).catch(() => undefined))?.status === 200, "the server answers");
    // one after the other on purpose: none may wait
    for (let count = 0; count < REQUESTS; count++) expect((await fetch(url)).status).toBe(200);
    server.kill("SIGTERM");
    expect(await server.exited).toBe(0);
  } finally {
    server.kill("SIGKILL");
    closeSync(stderr);
    closeSync(held);
  }
});

for (const args of [["watch"], ["ui", "--no-open"], ["run-app", "--port", "0"]]) {
  test(`${args[0]} with a stdout that nobody reads leaves at the first signal`, async () => {
    await using sandbox = await openSandbox();
    await sandbox.run(["run-flow"]);
    const pipe = join(sandbox.folder, "stdout");
    Bun.spawnSync(["mkfifo", pipe]);
    const held = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
    fill(held);
    const stdout = openSync(pipe, constants.O_WRONLY);
    const child = Bun.spawn([await binary(), ...args, "--log-level", "debug"], {
      cwd: sandbox.folder,
      env: { PATH: "/usr/bin:/bin", HOME: sandbox.folder, XDG_DATA_HOME: sandbox.folder },
      stdin: "ignore",
      stdout,
      stderr: "ignore",
    });
    try {
      // from then on it writes
      await until(() => catches(child.pid, "SIGTERM"), "it listens for signals");
      child.kill("SIGTERM");
      expect(await child.exited).toBe(args[0] === "watch" ? 130 : 0);
    } finally {
      child.kill("SIGKILL");
      closeSync(stdout);
      closeSync(held);
    }
  });
}

/** So that whoever writes to it waits. */
function fill(pipe: number): void {
  for (let size = 4096; size > 0;) {
    try {
      writeSync(pipe, Buffer.alloc(size));
    } catch {
      size = Math.floor(size / 2);
    }
  }
}

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}
