// Flow files of one's own, run by the compiled program in a folder with no node_modules above it.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { FlowDescription } from "../../src/core/api/taskonaut.ts";
import { openSandbox, type Sandbox } from "./harness.ts";
import { dataOf } from "./served.ts";
import { taskOf } from "./tasks.ts";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox[Symbol.asyncDispose]());

const write: Sandbox["write"] = (name, text) => sandbox.write(name, text);

const ID = "0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a11";

const PLANNED = `
import { call, defineFlow, defineTool } from "taskonaut";
import * as v from "valibot";
const twice = defineTool({ name: "twice", input: v.object({ n: v.number() }), output: v.object({ n: v.number() }), run: ({ n }) => {
  if (process.env.NO_TOOLS) throw new Error("called");
  return { n: 2 * n };
} });
export const planned = defineFlow({
  name: "planned",
  description: "Doubles two numbers.",
  input: v.strictObject({ a: v.pipe(v.number(), v.maxValue(9)), b: v.optional(v.number(), 7), tags: v.optional(v.array(v.string())) }),
  plan: ({ a, b }) => [call(twice, { n: a }), call(twice, { n: b }, { as: "again" })],
});
`;

describe("flows", () => {
  test("lists what is there: ./flows, or TASKONAUT_FLOWS, or each --flows", async () => {
    const one = await write("flows/planned.ts", PLANNED);
    const two = await write("more/other.ts", PLANNED.replaceAll("planned", "other"));
    const listed = async (args: string[], env = {}): Promise<unknown> =>
      (dataOf(await sandbox.run(["flows", ...args], { env })) as FlowDescription[]).map(({ name, file }) => [
        name,
        file,
      ]);
    const [builtIn, planned, other] = [
      ["echo_add", null],
      ["planned", one],
      ["other", two],
    ];
    expect(await listed([])).toEqual([builtIn, planned]);
    expect(await listed([], { TASKONAUT_FLOWS: "more" })).toEqual([builtIn, other]);
    expect(await listed(["--flows", "more", "--flows", one])).toEqual([builtIn, other, planned]);
  });

  test("a file with an error is told with its place, by every command that runs flows; others do not mind", async () => {
    const path = await write("broken.ts", "const a = 1;\nconst b = {;\n");
    await sandbox.run(["run-flow"]);
    for (const command of [["flows"], ["validate", "echo_add"], ["run-flow"], ["run-app"], ["run-task", ID]]) {
      const { exit, stdout, stderr } = await sandbox.run([...command, "--flows", path]);
      expect({ exit, stdout }).toEqual({ exit: 2, stdout: "" });
      expect(stderr).toContain(`${path}:2:12: Expected identifier but found ";"`);
    }
    expect(await sandbox.run(["get-tasks", "--flows", path])).toMatchObject({ exit: 0, stderr: "" });
  });
});

test("an option that there is not is told at its place, in a definition, in a plan and in a flow that runs", async () => {
  const head = `import { call, defineFlow, defineTool } from "taskonaut";\nimport * as v from "valibot";\n`;
  const tool = `export const pay = defineTool({ name: "pay", input: v.number(), output: v.number(), run: (n) => n });\n`;
  const flow = `export default defineFlow({\n  name: "wrong", input: v.object({}),\n`;
  const defined = await write("wrong/defined.ts", `${head}${tool.replace("run:", "retires: 5, run:")}`);
  const planned = await write(
    "wrong/planned.ts",
    `${head}${tool}${flow}  plan: () => [call(pay, 1, { az: "x" })],\n});`,
  );
  const running = await write(
    "wrong/running.ts",
    `${head}${tool}${flow}  *run() {\n    yield* call(pay, 1, { az: "x" });\n  },\n});`,
  );
  const call = "call(pay): az is not an option of call; did you mean as?";
  expect((await sandbox.run(["flows", "--flows", defined])).stderr).toContain(
    `${defined}:3:85: Tool pay: retires is not an option of defineTool; did you mean retry?`,
  );
  for (const command of ["validate", "run-flow"])
    expect((await sandbox.run([command, "wrong", "--flows", planned])).stderr).toContain(
      `${call} It was at ${planned}:6:16.`,
    );
  const { exit, stdout } = await sandbox.run(["run-flow", "wrong", "--flows", running]);
  expect(exit).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ status: "FAILED", error: { message: call, at: `${running}:7:12` } });
});

describe("validate", () => {
  const checked = async (...args: string[]): Promise<unknown> =>
    dataOf(await sandbox.run(["validate", "planned", ...args], { env: { NO_TOOLS: "1" } }));

  test("plans the steps of an input, however it is given, and calls no tool", async () => {
    await write("flows/planned.ts", PLANNED);
    const file = await write("input.json", '{"a":3}');
    const expected = {
      flow: "planned",
      form: "plan",
      input: { a: 3, b: 7 },
      steps: [
        { step_index: 1, step_name: "twice", tool_name: "twice", input_payload: { n: 3 } },
        { step_index: 2, step_name: "again", tool_name: "twice", input_payload: { n: 7 } },
      ],
    };
    expect(await checked("--a", "3")).toEqual(expected);
    expect(await checked("--input", '{"a":3}')).toEqual(expected);
    expect(await checked("--input", `@${file}`)).toEqual(expected);
    expect(dataOf(await sandbox.run(["validate", "planned", "--input", "-"], { stdin: '{"a":3}' }))).toEqual(expected);
  });

  test("says everything that is wrong with an input, with exit code 2", async () => {
    await write("flows/planned.ts", PLANNED);
    const { exit, stderr } = await sandbox.run(["validate", "planned", "--input", '{"a":10,"b":"x","c":1,"tags":[1]}']);
    expect(exit).toBe(2);
    for (const path of ["a", "b", "c", "tags.0"]) expect(stderr).toContain(`\n  ${path}: `);
  });

  test.each([
    ["--input", "{", "--input: Not valid JSON at line 1, column 2"],
    ["--input", "@missing.json", "--input: missing.json: ENOENT"],
    ["--input", '{"a":9007199254740993}', "a: "],
  ])("%s %s is refused", async (option, value, message) => {
    await write("flows/planned.ts", PLANNED);
    const { exit, stderr } = await sandbox.run(["validate", "planned", option, value]);
    expect(exit).toBe(2);
    expect(stderr).toContain(message);
  });

  test("an input beside its fields is a contradiction", async () => {
    const { exit, stderr } = await sandbox.run(["run-flow", "--input", "{}", "--text", "x"]);
    expect(exit).toBe(2);
    expect(stderr).toContain("--input: contradicts --text: give the whole input or its fields");
  });
});

test("run-flow takes the whole input, and run-app serves flows of files", async () => {
  await write("flows/planned.ts", PLANNED);
  const output = { twice: { n: 2 }, again: { n: 14 } };
  expect(taskOf(await sandbox.run(["run-flow", "planned", "--input", '{"a":1}'])).output_payload).toEqual(output);
  const server = await sandbox.serve();
  expect(
    taskOf(await sandbox.run(["run-flow", "planned", "--a", "1", "--api-base-url", server.url])).output_payload,
  ).toEqual(output);
  expect((await server.stop()).exit).toBe(0);
});

test("a file's own packages are found, and the engine works while the guards are on", async () => {
  await write("own/node_modules/dep/package.json", '{ "name": "dep", "main": "main.js" }');
  await write(
    "own/node_modules/dep/main.js",
    'const os = require("os"); exports.host = () => os.hostname(); exports.now = () => Date.now();',
  );
  await write(
    "own/flow.ts",
    `import dep from "dep";
import { call, defineFlow, defineTool } from "taskonaut";
import * as v from "valibot";
const ask = defineTool({ name: "ask", input: v.object({}), output: v.any(), run: async () => ({ host: typeof dep.host(), now: dep.now() > 0 && Math.random() >= 0 }) });
export default defineFlow({ name: "own", input: v.object({}), *run() { return yield* call(ask, {}); } });
`,
  );
  const task = taskOf(await sandbox.run(["run-flow", "own", "--flows", "own"]));
  expect(task).toMatchObject({ status: "COMPLETED", output_payload: { host: "string", now: true } });
});

test("--wait tells of a child that is in doubt, and sees the end once a person has settled it", async () => {
  await write(
    "doubt.ts",
    `import { call, defineFlow, defineTool, runChild } from "taskonaut";
import * as v from "valibot";
const pay = defineTool({ name: "pay", input: v.object({}), output: v.any(), execution: "at-most-once", timeout: "20ms", run: () => new Promise(() => {}) });
export const payment = defineFlow({ name: "payment", input: v.object({}), *run() { return yield* call(pay, {}); } });
export const order = defineFlow({ name: "pays", input: v.object({}), *run() { return yield* runChild(payment, {}); } });
`,
  );
  const following = sandbox.start(["run-flow", "pays", "--wait", "--flows", "doubt.ts"]);
  const [, child = ""] = await following.see(
    /Its child (\S+) waits for somebody who settles step 1 pay, which is in doubt\./,
  );
  await following.see(`resolve ${child} --retry --flows doubt.ts`);
  const { exit } = await sandbox.run(["resolve", child, "--output", '"paid"', "--flows", "doubt.ts"]);
  expect(exit).toBe(0);
  expect(taskOf(await following.ended())).toMatchObject({ status: "COMPLETED", output_payload: "paid" });
});
