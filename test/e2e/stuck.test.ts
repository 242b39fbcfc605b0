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

const late = (name: string, run: () => Promise<unknown>) =>
  defineFlow({
    name,
    input: v.object({}),
    plan: () => [call(defineTool({ name: "late", input: v.unknown(), output: v.unknown(), run }), 1)],
  });

export const givesGetter = late("gives_getter", async () => ({ get sum() { for (;;) {} } }));
export const throwsGetter = late("throws_getter", async () => { throw { get message() { for (;;) {} } }; });

/** The runtime does it in one go: nothing can cut it short. */
const inOneGo = () => String(/^a*a*a*a*a*a*a*a*b$/.test("a".repeat(500)));

export const slowPlan = defineFlow({ name: "slow_plan", input: v.object({}), plan: () => (inOneGo() ? [] : []) });
export const slowRun = defineFlow({ name: "slow_run", input: v.object({}), *run() { return inOneGo(); } });
export const slowKey = defineFlow({ name: "slow_key", input: v.object({}), unique: { key: inOneGo }, plan: () => [] });
export const slowTags = defineFlow({ name: "slow_tags", input: v.object({}), tags: () => ({ a: inOneGo() }), plan: () => [] });
export const slowContract = defineFlow({ name: "slow_contract", input: v.pipe(v.object({}), v.check(() => !!inOneGo())), plan: () => [] });

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

test.each(["gives_getter", "throws_getter"])(
  "and names the step of a tool whose result does not end (%s)",
  async (flow) => {
    const { exit, stderr } = await sandbox.run(["run-flow", flow], { env: { TASKONAUT_STUCK_MS: "1000" } });
    expect(exit).toBe(SIGKILL_EXIT);
    expect(stderr).toContain("A tool must not block");
    expect(stderr).toMatch(/"task_id":"[-0-9a-f]+","step_id":"[-0-9a-f]+"/);
  },
);

test.each([
  ["slow_run", "run-flow", []],
  ["slow_plan", "run-flow", []],
  ["slow_key", "run-flow", ["--mode", "enqueue"]],
  ["slow_tags", "run-flow", []],
  ["slow_contract", "run-flow", []],
  ["slow_contract", "schedule add nightly --every 1d --flow", []],
] as const)(
  "and code of a flow that nothing can cut short, from the first piece on (%s, %s)",
  async (flow, command, more) => {
    const env = { TASKONAUT_FLOW_STUCK_MS: "200" };
    const { exit, stderr } = await sandbox.run([...command.split(" "), flow, ...more], { env });
    expect(exit).toBe(SIGKILL_EXIT);
    expect(stderr).toContain("A flow only decides");
    expect(stderr).toMatch(
      flow === "slow_run" ? /"task_id":"[-0-9a-f]+"/ : new RegExp(`"flow":"${flow}","at":".*stuck.ts:\\d+:\\d+"`),
    );
  },
);

test.each(["work", "run-app --port 0"])(
  "a file of flows that never ends to load keeps no signal from %s",
  async (line) => {
    const file = `import "taskonaut"; import { writeFileSync } from "node:fs"; writeFileSync("holding", ""); for (;;) {}`;
    await Bun.write(join(sandbox.folder, "flows/stuck.ts"), file);
    const running = sandbox.start(line.split(" "));
    await until(isHolding, "the file is loaded");
    process.kill(running.pid, "SIGTERM");
    expect((await running.ended()).exit).toBe(SIGTERM_EXIT);
  },
);
