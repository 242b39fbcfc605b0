// Errors of flows and tools, as their authors see them: the file, the line and the column of their own source.

import { beforeAll, afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Task } from "../../src/core/api/task.ts";
import { openSandbox, type Sandbox } from "./harness.ts";

setDefaultTimeout(60_000);

const SOURCE = `
import { call, defineFlow, defineTool } from "taskonaut";
import * as v from "valibot";

function connect(): never {
  throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }); // CAUSE
}
const retry = { attempts: 1 };
const charge = defineTool({
  name: "charge", input: v.object({}), output: v.object({}), retry,
  run() {
    try { connect(); } catch (cause) {
      throw new Error("the bank is away", { cause }); // TOOL
    }
  },
});
const wrong = defineTool({ // CONTRACT
  name: "wrong", input: v.object({}), output: v.object({ receipt: v.string() }), run: () => ({}) as never,
});
const slow = defineTool({ // TIMEOUT
  name: "slow", input: v.object({}), output: v.null(), retry, timeout: "1ms", run: () => new Promise<null>(() => {}),
});
const input = v.object({});
export const t = defineFlow({ name: "slow_tool", input, *run() { return yield* call(slow, {}); } });
export const a = defineFlow({ name: "tool_fails", input, *run() { return yield* call(charge, {}); } });
export const b = defineFlow({ name: "contract_fails", input, *run() { return yield* call(wrong, {}); } });
export const c = defineFlow({
  name: "flow_fails", input,
  *run() {
    const order = JSON.parse("{}");
    return order.lines.length; // FLOW
  },
});
export const d = defineFlow({
  name: "parks", input,
  *run() {
    return Date.now(); // PARKED
  },
});
`;

let sandbox: Sandbox;
let file: string;

beforeAll(async () => {
  sandbox = await openSandbox();
  file = join(sandbox.folder, "bad flow.ts");
  await writeFile(file, SOURCE);
});

afterAll(() => sandbox[Symbol.asyncDispose]());

/** `<file>:<line>`, of the line that has the mark. */
function placeOf(mark: string): string {
  return `${file}:${SOURCE.split("\n").findIndex((line) => line.includes(`// ${mark}`)) + 1}`;
}

async function run(flow: string, ...more: string[]) {
  const { exit, stdout, stderr } = await sandbox.run(["run-flow", flow, "--flows", file, ...more]);
  return { exit, stderr, task: JSON.parse(stdout) as Task };
}

test("of a tool: with its causes, in the task, its step and its call, and in the log", async () => {
  const { exit, task, stderr } = await run("tool_fails");
  expect(exit).toBe(1);
  const cause = {
    message: "connect ECONNREFUSED",
    code: "ECONNREFUSED",
    at: expect.stringContaining(placeOf("CAUSE")),
  };
  const error = { at: expect.stringContaining(`${placeOf("TOOL")}:`), cause };
  expect(task).toMatchObject({ error, steps: [{ error }], tool_calls: [{ error }] });
  const terminal = await sandbox.terminal(["get-task", task.id], { columns: 200 });
  expect(await terminal.exited()).toBe(0);
  expect(terminal.shown).toMatch(
    /^at +.*bad flow\.ts:\d+:\d+\r?\ncause +Error: connect ECONNREFUSED \(ECONNREFUSED\), at /m,
  );
  expect(stderr).toContain(placeOf("TOOL"));
  expect(stderr).not.toContain("stack");
});

test.each([
  ["contract_fails", "ContractError", "CONTRACT"],
  ["slow_tool", "ToolTimeoutError", "TIMEOUT"],
])("of what the engine found (%s): the tool's definition", async (flow, name, mark) => {
  const { task } = await run(flow);
  const error = { name, at: expect.stringContaining(`${placeOf(mark)}:`) };
  expect(task).toMatchObject({ error, steps: [{ error }] });
});

test("of a flow itself; its stack stands in the log at debug only", async () => {
  const { task, stderr } = await run("flow_fails");
  expect(task.error).toMatchObject({ name: "TypeError", at: expect.stringContaining(`${placeOf("FLOW")}:`) });
  expect(stderr).toBe("");
  const debug = await run("flow_fails", "--log-level", "debug");
  const line = debug.stderr.split("\n").find((each) => each.includes('"task failed"')) ?? "{}";
  expect(JSON.parse(line)).toMatchObject({
    at: expect.stringContaining(placeOf("FLOW")),
    stack: expect.stringContaining(placeOf("FLOW")),
  });
});

test("a parked task is printed like every other task, and the reason goes to stderr, with --json as JSON that keeps its hint", async () => {
  const { exit, task, stderr } = await run("parks");
  expect(exit).toBe(4);
  expect(task).toMatchObject({ flow_name: "parks", parked_reason: expect.stringContaining(placeOf("PARKED")) });
  expect(stderr).toContain(`error: Task ${task.id} is parked. A flow called Date.now() at ${placeOf("PARKED")}`);
  const json = await run("parks", "--json");
  const { code, hint } = JSON.parse(json.stderr.trim().split("\n").at(-1) ?? "") as { code: string; hint: string[] };
  expect([code, hint.length]).toEqual(["task_parked", 2]);
  expect(hint[0]).toEndWith(`taskonaut resume-task ${json.task.id} --flows '${file}'`);
});

test("of a file that fails while it is loaded: with its causes, and the stack at debug only", async () => {
  const path = join(sandbox.folder, "fails.ts");
  const text =
    'import "taskonaut";\nfunction read() {\n  throw new Error("no such file");\n}\ntry {\n  read();\n} catch (cause) {\n  throw new Error("no settings", { cause });\n}\n';
  await writeFile(path, text);
  const { stderr } = await sandbox.run(["flows", "--flows", "fails.ts"]);
  expect(stderr).toMatch(/fails\.ts:8:\d+: .*no settings/);
  expect(stderr).toContain('    8 |   throw new Error("no settings", { cause });\n');
  expect(stderr).toContain(`  cause: Error: no such file, at ${path}:3:`);
  expect(stderr).not.toContain("    at ");
  const debug = await sandbox.run(["flows", "--flows", "fails.ts", "--log-level", "debug"]);
  expect(debug.stderr).toContain("    at ");
});

test("of a file that cannot be loaded: the line, with a mark under the place", async () => {
  await writeFile(join(sandbox.folder, "syntax.ts"), 'import { defineFlow } from "taskonaut";\n\tconst x = (1;\n');
  const { exit, stderr } = await sandbox.run(["flows", "--flows", "syntax.ts"]);
  expect(exit).toBe(2);
  expect(stderr).toStartWith(`error: ${join(sandbox.folder, "syntax.ts")}:2:14: `);
  expect(stderr).toEndWith("\n    2 |   const x = (1;\n      |               ^\n");
});
