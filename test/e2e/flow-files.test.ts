// Flow files of one's own, run by the compiled program in a folder with no node_modules above it.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Task } from "../../src/core/api/task.ts";
import type { FlowDescription } from "../../src/core/api/taskonaut.ts";
import { makeAccessLog } from "../support/access-log.ts";
import { openSandbox, type Sandbox } from "./harness.ts";
import type { Ended } from "./served.ts";
import { taskOf } from "./tasks.ts";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox[Symbol.asyncDispose]());

async function write(name: string, text: string): Promise<string> {
  const path = join(sandbox.folder, name);
  await mkdir(dirname(path), { recursive: true });
  await Bun.write(path, text);
  return path;
}

function dataOf({ exit, stdout, stderr }: Ended): unknown {
  if (exit !== 0) throw new Error(`Exit code ${exit}:\n${stderr}`);
  return JSON.parse(stdout) as unknown;
}

/** The compiler's complaints about a folder; "" where it has none. */
async function typeErrorsIn(folder: string): Promise<string> {
  const tsc = join(import.meta.dir, "../../node_modules/.bin/tsc");
  const child = Bun.spawn([tsc, "--noEmit"], { cwd: join(sandbox.folder, folder), stdout: "pipe", stderr: "pipe" });
  const [output] = await Promise.all([child.stdout.text(), child.exited]);
  return output;
}

describe("init", () => {
  test("writes a flow that runs as it is, and that an editor is content with", async () => {
    const { next } = dataOf(await sandbox.run(["init", "my-flows"])) as { next: string[] };
    expect(await typeErrorsIn("my-flows")).toBe("");
    const results = [];
    for (const command of next) results.push(await sandbox.run(command.split(" ").slice(1)));
    expect(results.map(({ exit }) => exit)).toEqual([0, 0, 0]);
    expect(taskOf(results[2] as Ended).output_payload).toMatchObject({ sku: "A1", qty: 2, total_cents: 400 });
  });

  test("in the folder that it wrote, its flow is there by itself", async () => {
    await sandbox.run(["init", "entered"]);
    const flows = dataOf(await sandbox.run(["flows"], { cwd: join(sandbox.folder, "entered") })) as FlowDescription[];
    expect(flows.map(({ name }) => name)).toEqual(["echo_add", "order"]);
  });

  test("the types are those of the contracts: a wrong input does not compile", async () => {
    await sandbox.run(["init", "typed"]);
    const path = join(sandbox.folder, "typed/order.ts");
    const text = await Bun.file(path).text();
    await Bun.write(path, text.replace("call(getPrice, { sku })", "call(getPrice, { sku: qty })"));
    expect(await typeErrorsIn("typed")).toContain("Type 'number' is not assignable to type 'string'");
  });

  test("overwrites nothing, and then writes nothing at all", async () => {
    const path = await write("taken/tsconfig.json", "mine");
    const { exit, stdout, stderr } = await sandbox.run(["init", "taken"]);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: "" });
    expect(stderr).toContain("taken/tsconfig.json: exists");
    expect(await Bun.file(path).text()).toBe("mine");
    expect(await Bun.file(join(sandbox.folder, "taken/order.ts")).exists()).toBe(false);
  });

  test("--example incident reports on a real log, waits for a person, and is finished whatever killed it", async () => {
    await sandbox.run(["init", "incidents", "--example", "incident"]);
    expect(await typeErrorsIn("incidents")).toBe("");
    await write("access.log", makeAccessLog({ seed: 1 }));
    const flows = ["--flows", "incidents"];
    const report = (name: string): string[] => ["--log", "access.log", "--report", `out/${name}`];
    const finish = async (id: string): Promise<Task> => {
      const waiting = taskOf(await runOn(id));
      expect(waiting).toMatchObject({
        status: "WAITING_OBSERVATION",
        waiting_for: [{ kind: "signal", name: "approved" }],
      });
      await sandbox.run(["signal-task", id, "approved", "--payload", '{"by":"Ada"}', ...flows]);
      return taskOf(await sandbox.run(["run-task", id, ...flows]));
    };

    // a tool in which three processes were killed, one after the other, is only run again when a person says so
    const runOn = async (id: string, timeoutMs?: number): ReturnType<typeof sandbox.run> => {
      const run = await sandbox.run(["run-task", id, ...flows], timeoutMs === undefined ? {} : { timeoutMs });
      if (run.exit !== 4) return run;
      expect(run.stderr).toContain("died 3 times in a row");
      expect((await sandbox.run(["resume-task", id, ...flows])).exit).toBe(0);
      return runOn(id, timeoutMs);
    };

    const started = performance.now();
    const calm = taskOf(await sandbox.run(["run-flow", "incident", ...report("calm"), ...flows]));
    const lifeMs = performance.now() - started;
    expect((await finish(calm.id)).output_payload).toMatchObject({
      findings: 4,
      serious: 3,
      decision: "3 findings, approved by Ada",
    });

    const { id } = taskOf(
      await sandbox.run(["run-flow", "incident", ...report("killed"), "--mode", "create", ...flows]),
    );
    // the later, the further it comes; a run that was not killed tells that the next is to be killed earlier
    let timeoutMs = lifeMs / 4;
    for (let killed = 0; killed < 5;) {
      const { exit } = await runOn(id, Math.ceil(timeoutMs));
      if (exit === 137) killed += 1;
      timeoutMs *= exit === 137 ? 1.3 : 0.8;
    }
    const ended = await finish(id);
    expect(ended.tool_calls.map(({ tool_name, status }) => [tool_name, status])).toEqual(
      (await finishedCalls(calm.id)).map(({ tool_name, status }) => [tool_name, status]),
    );
    const textOf = (name: string): Promise<string> => Bun.file(join(sandbox.folder, `out/${name}`)).text();
    expect(await textOf("killed.md")).toBe(await textOf("calm.md"));
    expect(await textOf("killed.md")).toContain("| critical | injection | 198.51.100.200 | 3 |");
    expect(JSON.parse(await textOf("killed.json"))).toMatchObject({ summary: { unreadable: 7 } });
  });

  async function finishedCalls(id: string): Promise<Task["tool_calls"]> {
    return taskOf(await sandbox.run(["get-task", id])).tool_calls;
  }
});

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
    for (const command of [["flows"], ["validate", "echo_add"], ["run-flow"], ["run-app"], ["run-task", ID]]) {
      const { exit, stdout, stderr } = await sandbox.run([...command, "--flows", path]);
      expect({ exit, stdout }).toEqual({ exit: 2, stdout: "" });
      expect(stderr).toContain(`${path}:2:12: Expected identifier but found ";"`);
    }
    expect(await sandbox.run(["get-tasks", "--flows", path])).toMatchObject({ exit: 0, stderr: "" });
  });
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
