// A server whose log nobody reads goes on, and leaves when it is told to.

import { expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";
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

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}
