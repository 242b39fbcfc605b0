// Tests of flows of one's own, run by the compiled program in a folder with no node_modules above it.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { openSandbox, type Sandbox } from "./harness.ts";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
  await sandbox.run(["init", "flows"]);
});
afterAll(() => sandbox[Symbol.asyncDispose]());

const write: Sandbox["write"] = (name, text) => sandbox.write(name, text);

const PASSES = `
import { expect, test } from "bun:test";
import { runFlow } from "taskonaut/testing";
import order from "./order.ts";

test("an order costs what its articles cost", async () => {
  const run = await runFlow(order, { sku: "A1", qty: 2 }, { tools: { get_price: () => ({ cents: 5 }) } });
  expect(run.status).toBe("COMPLETED");
  expect(run.output?.total_cents).toBe(10);
});
`;

test("a test runs a flow with a fake, and nothing names the runner", async () => {
  await write("flows/order.test.ts", PASSES);
  const { exit, stdout, stderr } = await sandbox.run(["test"], { env: { TMPDIR: sandbox.folder } });
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
  expect(stdout).toStartWith("flows/order.test.ts:\n(pass) an order costs what its articles cost");
  expect(stdout).toContain(" 1 pass\n 0 fail\n");
  expect(stdout).not.toMatch(/\bbun\b/i);
  // what it needed meanwhile is gone
  expect((await readdir(sandbox.folder)).filter((name) => name.startsWith("taskonaut-test-"))).toEqual([]);
});

test("a test that fails shows its line and makes the exit code 1", async () => {
  await write(
    "fails/order.test.ts",
    PASSES.replace("./order.ts", "../flows/order.ts").replace("qty: 2 }", "qty: 2.5 }"),
  );
  const { exit, stdout } = await sandbox.run(["test", "fails"]);
  expect(exit).toBe(1);
  expect(stdout).toContain("The input breaks the contract of flow order: qty");
  expect(stdout).toContain("/fails/order.test.ts:7:");
  expect(stdout).not.toContain("taskonaut-testing.js");
});

test("nothing that a test file or a tool does ends the run: what would is an error, and all other tests run", async () => {
  await write("leaves/first.test.ts", 'import { test } from "bun:test";\nprocess.exit(0);\ntest("never", () => {});\n');
  await write(
    "leaves/second.test.ts",
    `
import { expect, test } from "bun:test";
import { call, defineFlow, defineTool } from "taskonaut";
import { runFlow } from "taskonaut/testing";
import * as v from "valibot";
const tool = defineTool({ name: "leaves", input: v.null(), output: v.null(), run: () => process.exit(0) });
const flow = defineFlow({ name: "leaving", input: v.object({}), *run() { return yield* call(tool, null); } });
test("a tool that leaves has failed", async () => {
  const run = await runFlow(flow, {});
  expect([run.status, run.error?.name]).toEqual(["FAILED", "ProcessExitError"]);
});
test("leaves", () => {
  process.exit(0);
});
test("kills", () => {
  process.kill(process.pid);
});
test("fails", () => {
  throw new Error("seen");
});
`,
  );
  const { exit, stdout } = await sandbox.run(["test", "leaves"]);
  expect(exit).toBe(1);
  expect(stdout).toContain("(pass) a tool that leaves has failed");
  for (const name of ["leaves", "kills", "fails"]) expect(stdout).toContain(`(fail) ${name}`);
  expect(stdout).toContain("User code called process.exit(0)");
  // with the lines of the files, and not with those of this program
  for (const place of ["first.test.ts:2:", "second.test.ts:13:", "second.test.ts:16:", "second.test.ts:19:"])
    expect(stdout).toContain(`/leaves/${place}`);
  expect(stdout).not.toContain("taskonaut-testing.js");
});

test("no tests at all are an error that says how one is called", async () => {
  await write("none/pay.ts", "");
  const { exit, stdout, stderr } = await sandbox.run(["test", "none"]);
  expect({ exit, stdout }).toEqual({ exit: 2, stdout: "" });
  expect(stderr).toContain("/none. A test is a file such as order.test.ts");
});

test.each([
  [
    "a definition that is wrong",
    'defineFlow({ name: "pay", input: v.object({}), retires: 3, *run() {} });',
    "retires is not an option of defineFlow",
  ],
  [
    "an operation that is dropped",
    'export const pay = function* () {\n  sleep("1h");\n};',
    "sleep(…) makes an operation",
  ],
])("%s shows its place, and no line of the program", async (_, text, told) => {
  await write(
    "broken/pay.ts",
    `import { defineFlow, sleep } from "taskonaut";\nimport * as v from "valibot";\n${text}\nexport const flow = 1;\n`,
  );
  await write("broken/pay.test.ts", 'import { flow } from "./pay.ts";\nconsole.log(flow);\n');
  const { exit, stdout } = await sandbox.run(["test", "broken"]);
  expect(exit).toBe(1);
  expect(stdout).toContain(told);
  expect(stdout).toMatch(/broken\/pay\.ts:[34]:/);
  expect(stdout).not.toContain("taskonaut-testing.js");
  expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThan(300);
});
