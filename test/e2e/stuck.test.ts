// Commands and servers without a worker: what holds their event loop and does not let go.

import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { openSandbox, type Sandbox } from "./harness.ts";
import { insist } from "../support/insist.ts";
import { until } from "../support/until.ts";

const SIGTERM_EXIT = 143;
const SIGKILL_EXIT = 137;

const FLOWS = `
import { call, defineFlow, defineTool } from "taskonaut";
import { writeFileSync } from "node:fs";
import * as v from "valibot";

const hold = defineTool({
  name: "hold",
  input: v.unknown(),
  output: v.unknown(),
  run() {
    writeFileSync("holding", "");
    for (;;) {}
  },
});

export const holding = defineFlow({ name: "holding", input: v.object({}), plan: () => [call(hold, 1)] });

export const endless = defineFlow({
  name: "endless",
  input: v.object({}),
  *run() {
    for (;;) {}
  },
});
`;

let sandbox: Sandbox;

beforeEach(async () => {
  sandbox = await openSandbox();
  await Bun.write(join(sandbox.folder, "flows/stuck.ts"), FLOWS);
});

afterEach(() => sandbox[Symbol.asyncDispose]());

const isHolding = (): boolean => existsSync(join(sandbox.folder, "holding"));

test("a flow that computes without an end is named with file and line, and the command exits 4", async () => {
  const { exit, stderr } = await sandbox.run(["run-flow", "endless"], { env: { TASKONAUT_FLOW_STUCK_MS: "200" } });
  expect(exit).toBe(4);
  expect(stderr).toMatch(/Flow endless computed for 0\.2 s without a pause.* It was at .*stuck\.ts:\d+ \(run\)/);
});

test("a signal ends a command whose tool does not end", async () => {
  const running = sandbox.start(["run-flow", "holding"]);
  await until(isHolding);
  const { exit } = await insist(() => process.kill(running.pid, "SIGTERM"), running.ended());
  expect(exit).toBe(SIGTERM_EXIT);
});

test("without one the watchdog ends it, and says what the tool should do instead", async () => {
  const { exit, stderr } = await sandbox.run(["run-flow", "holding"], { env: { TASKONAUT_STUCK_MS: "1000" } });
  expect(exit).toBe(SIGKILL_EXIT);
  expect(stderr).toContain("A tool must not block");
});
