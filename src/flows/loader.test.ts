import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createProgram } from "../core/flow/create-program.ts";
import { TaskonautError } from "../core/errors.ts";
import { findFlowFiles, resolveFlowPaths } from "./find-flow-files.ts";
import { loadFlows } from "./loader.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "taskonaut-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function write(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await Bun.write(path, text);
  return path;
}

const HEAD = `import { defineFlow } from "taskonaut";\nimport * as v from "valibot";\n`;
const flowNamed = (name: string, declare = "export default"): string =>
  `${declare} defineFlow({ name: "${name}", input: v.object({}), plan: () => [] });\n`;

async function messageOf(...paths: string[]): Promise<string> {
  const error: unknown = await loadFlows(paths).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(TaskonautError);
  expect((error as TaskonautError).code).toBe("flow_load_failed");
  return (error as TaskonautError).message.replaceAll(`${folder}/`, "");
}

describe("what is loaded", () => {
  test("every exported flow counts, once, with its file; helpers and lists of flows do not", async () => {
    const path = await write(
      "flow.ts",
      `${HEAD}${flowNamed("first", "export const first =")}export const all = [first];\nexport { first as again };\nexport async function helper() {}\nexport function* branch() {}\n${flowNamed("second")}`,
    );
    const flows = await loadFlows([path]);
    expect(flows.map(({ name, file }) => [name, file])).toEqual([
      ["first", path],
      ["second", path],
    ]);
  });

  test("a folder gives those of its sources, but not of tests, declarations, hidden folders and packages", async () => {
    const names = ["b.ts", "a.js", "sub/c.mts", "sub/d.mjs"];
    for (const name of names) await write(name, HEAD + flowNamed(`f_${name.replaceAll(/\W/g, "_")}`));
    for (const name of ["x.test.ts", "x.d.ts", ".hidden/x.ts", "node_modules/x/x.ts", ".x.ts"])
      await write(name, "throw new Error(import.meta.path)");
    await write("helper.ts", "export const one = 1;");
    expect((await loadFlows([folder])).map(({ name }) => name)).toEqual([
      "f_a_js",
      "f_b_ts",
      "f_sub_c_mts",
      "f_sub_d_mjs",
    ]);
  });

  test("a folder that links to itself ends", async () => {
    await symlink(folder, join(folder, "loop"));
    expect(findFlowFiles([folder])).toMatchObject([{ whyNot: expect.stringContaining("link to a folder") }]);
  });

  test("packages, also old ones, come from the file's own node_modules", async () => {
    await write("node_modules/dep/package.json", `{ "name": "dep", "main": "main.js" }`);
    await write(
      "node_modules/dep/main.js",
      `const os = require("os"); module.exports = { kind: typeof os.hostname() };`,
    );
    const path = await write(
      "flow.ts",
      `import dep from "dep";\n${HEAD}export default defineFlow({ name: "own", description: dep.kind, input: v.object({}), plan: () => [] });`,
    );
    expect((await loadFlows([path]))[0]?.description).toBe("string");
  });

  test("paths of a tsconfig, which are for the editor, are not followed", async () => {
    await write("types.d.ts", "export {};");
    await write(
      "tsconfig.json",
      `{ "compilerOptions": { "paths": { "taskonaut": ["./types.d.ts"], "valibot": ["./types.d.ts"] } } }`,
    );
    expect(await loadFlows([await write("flow.ts", HEAD + flowNamed("ok"))])).toHaveLength(1);
  });
});

describe("the code of a flow", () => {
  /** The flow is in its own folder, with a helper two files away, data, and a package. */
  async function codeOf(name: string, { rate = "1", prices = "{}", version = "1" } = {}): Promise<string | undefined> {
    await write(`${name}/lib/rate.ts`, `export const rate = ${rate};\n`);
    await write(`${name}/lib/index.ts`, `export { rate } from "./rate.ts";\nimport "../prices.json";\n`);
    await write(`${name}/prices.json`, prices);
    await write(`${name}/node_modules/dep/index.js`, `exports.version = ${version};\n`);
    const head = `import { rate } from "./lib/index.ts";\nimport { version } from "dep";\n${HEAD}`;
    const path = await write(`${name}/flow.ts`, `${head}export const seen = [rate, version];\n${flowNamed("coded")}`);
    const [flow] = await loadFlows([path]);
    expect(flow?.file).toBe(path);
    return flow?.code;
  }

  test("is the same in every folder, and another where a file that it imports is another", async () => {
    const code = await codeOf("a");
    expect(code).toMatch(/^[0-9a-f]{64}$/);
    expect(await codeOf("b")).toBe(code);
    expect(await codeOf("c", { rate: "2" })).not.toBe(code);
    expect(await codeOf("d", { prices: '{"A1":5}' })).not.toBe(code);
  });

  test("is that of the user's own files: a package that is installed anew parks nothing", async () => {
    expect(await codeOf("e", { version: "2" })).toBe(await codeOf("f"));
  });
});

describe("what cannot be loaded is told with its place and what to do", () => {
  test.each([
    ["a path that is not there", "", "missing.ts: there is no such file or folder. Check --flows or TASKONAUT_FLOWS."],
    [
      "a syntax error",
      "const a = 1;\nconst b = {;\n",
      'flow.ts:2:12: Expected identifier but found ";". Correct the syntax there.',
    ],
    [
      "a missing file",
      'const a = 1;\nimport b from "./nope.ts";\nexport { a, b };\n',
      'flow.ts:2:15: cannot find "./nope.ts". Check the path and its ending.',
    ],
    [
      "a missing package",
      'import b from "nope";\nexport default b;\n',
      'flow.ts:1:15: cannot find "nope". Install the package beside the file; only taskonaut and valibot come with the program.',
    ],
    [
      "a missing export",
      'import {\n  defineFlow,\n  nope } from "taskonaut";\nnope(defineFlow);\n',
      'flow.ts:3:3: "taskonaut" exports no nope. Check the name; of a type write `import type`.',
    ],
    [
      "an exception",
      "function fail() {\n  throw new TypeError('boom');\n}\nfail();\n",
      "flow.ts:2:13: the file failed while it was loaded: TypeError: boom",
    ],
    ["a wrong definition", HEAD + flowNamed("1st"), 'flow.ts:3:29: defineFlow: "1st" is not a valid name for a flow'],
    [
      "no flow at all",
      "export const one = 1;\n",
      "flow.ts: the file exports no flow. Write export default defineFlow({ … }).",
    ],
    [
      "an async function",
      "\nexport default async function run() {}\n",
      "flow.ts:2:1: the default export is an async function, not a flow. Write defineFlow(",
    ],
    [
      "an async generator",
      "export default async function* run() {}\n",
      "flow.ts:1:1: the default export is an async generator, not a flow.",
    ],
    [
      "a bare definition",
      "export const buy = { name: 'buy', input: {}, *run() {} };\n",
      "flow.ts:1:14: the export buy looks like a flow, but did not go through defineFlow.",
    ],
    [
      "the name of a built-in flow",
      HEAD + flowNamed("echo_add"),
      "flow.ts:3:29: flow echo_add has the name of a flow of taskonaut itself. Give one of the two another name.",
    ],
  ])("%s", async (_what, text, message) => {
    const path = text === "" ? join(folder, "missing.ts") : await write("flow.ts", text);
    expect(await messageOf(path)).toStartWith(message);
  });

  test("an option that there is not, where it is written", async () => {
    const path = await write(
      "flow.ts",
      `import { defineTool } from "taskonaut";\n${HEAD}export const pay = defineTool({\n  name: "pay", input: v.any(),\n  output: v.object({ retires: v.any() }),\n  run: () => 1,\n  retires: 5,\n});\n${flowNamed("ok")}`,
    );
    expect(await messageOf(path)).toBe(
      "flow.ts:8:3: Tool pay: retires is not an option of defineTool; did you mean retry?",
    );
  });

  test("several faults of a definition at once, each where it is written, in that order", async () => {
    const path = await write(
      "flow.ts",
      `${HEAD}export default defineFlow({\n  name: "f",\n  input: 5,\n  async *run() {},\n  "concurency": 5,\n});\n`,
    );
    const error = (await loadFlows([path]).catch((thrown: unknown) => thrown)) as TaskonautError;
    expect(error.message).toBe(`${path}:3:16: Flow f: 3 things are wrong.`);
    expect(error.errors.map((each) => `${each.path}: ${each.message}`.replaceAll(`${folder}/`, ""))).toEqual([
      "flow.ts:5:3: input must be a synchronous valibot schema.",
      "flow.ts:6:10: a flow is not async: write *run(input) { … } or plan(input) { … }, for an async function cannot be replayed. What has to be awaited belongs in a tool.",
      "flow.ts:7:3: concurency is not an option of defineFlow; did you mean concurrency?",
    ]);
  });

  test("a flow that another copy of the program made", async () => {
    for (const room of ["core", "sdk"])
      await cp(join(import.meta.dir, "..", room), join(folder, room), { recursive: true });
    const own = HEAD.replace('"taskonaut"', '"./sdk/taskonaut.ts"');
    const path = await write("flow.ts", own + flowNamed("foreign"));
    expect(await messageOf(path)).toStartWith(
      'flow.ts:3:1: the default export is a flow of another copy of "taskonaut", which this one cannot run.',
    );
  });

  test("a run that is no generator function", async () => {
    const path = await write(
      "flow.ts",
      `${HEAD}export default defineFlow({ name: "f", input: v.object({}), run: () => 5 });`,
    );
    expect(await messageOf(path)).toStartWith(
      "flow.ts:3:61: Flow f: run must be a generator function: write *run(input)",
    );
  });

  test("an error in a file that the flow imports is told there", async () => {
    await write("helper.ts", "export const a = 1;\nexport const b = {;\n");
    const path = await write("flow.ts", `import { a } from "./helper.ts";\nexport default a;\n`);
    expect(await messageOf(path)).toStartWith("helper.ts:2:19: ");
  });

  test("two flows of one name", async () => {
    await write("a.ts", HEAD + flowNamed("twice"));
    await write("b.ts", HEAD + flowNamed("twice"));
    expect(await messageOf(folder)).toBe(
      "b.ts:3:29: flow twice has the name of a flow of a.ts. Give one of the two another name.",
    );
  });
});

describe("beside the flows of a folder", () => {
  const passed = async (...paths: string[]): Promise<{ flows: string[]; over: string[] }> => {
    const over: string[] = [];
    const flows = await loadFlows(paths, ({ file, why, isOdd }) =>
      over.push(`${file}: ${why}${isOdd ? " !" : ""}`.replaceAll(`${folder}/`, "")),
    );
    return { flows: flows.map(({ name }) => name), over: over.toSorted() };
  };

  test("what is no flow keeps none from running, and is told of", async () => {
    await write("order.ts", HEAD + flowNamed("order"));
    await write("order.test.ts", "throw new Error('run')");
    await write("types.d.ts", "export {};");
    await write("vite.config.ts", 'import { defineConfig } from "vite";\nexport default defineConfig({});');
    await write("lib/page.ts", "throw new Error('run');\nexport default function page() {}");
    await write(
      "lib/tools.ts",
      'import { defineTool } from "taskonaut";\nexport default function make() { return defineTool; }',
    );
    await write("lib/broken.ts", 'import { call } from "taskonaut";\nimport "nowhere";\nexport { call };');
    expect(await passed(folder)).toEqual({
      flows: ["order"],
      over: [
        'lib/broken.ts: could not be loaded: lib/broken.ts:2:8: cannot find "nowhere". Install the package beside the file; only taskonaut and valibot come with the program. !',
        "lib/page.ts: exports no flow: it does not import taskonaut",
        "lib/tools.ts: could not be loaded: lib/tools.ts:2:1: the default export is a function, not a flow. Write defineFlow({ name, input, *run(input) { … } }). !",
        "order.test.ts: is a test",
        "types.d.ts: has only types",
        "vite.config.ts: is the configuration of a tool",
      ],
    });
  });

  test("a file that names defineFlow means to have one: what is wrong with it is an error", async () => {
    await write("a.ts", `${HEAD}import "nowhere";\n${flowNamed("a")}`);
    expect(await messageOf(folder)).toStartWith('a.ts:3:8: cannot find "nowhere".');
  });

  test("a file that is named itself must have a flow, whatever its name is", async () => {
    const path = await write("order.test.ts", HEAD + flowNamed("order"));
    expect((await passed(path)).flows).toEqual(["order"]);
    expect(await messageOf(await write("lib.config.ts", "export const a = 1;"))).toContain("exports no flow");
  });
});

describe("a tsconfig.json is the editor's", () => {
  const tsconfig = (compilerOptions: object): Promise<string> =>
    write("tsconfig.json", `{ // for the editor\n"compilerOptions": ${JSON.stringify(compilerOptions)}, }`);

  test("an import that only its paths would find says what to write", async () => {
    await tsconfig({ paths: { "@/*": ["./src/*"] } });
    const path = await write("flow.ts", `${HEAD}import "@/lib/rate";\n${flowNamed("a")}`);
    expect(await messageOf(path)).toBe(
      'flow.ts:3:8: cannot find "@/lib/rate". "@/*" in paths of tsconfig.json is for the editor alone. Write the path from this file, such as "./lib/rate.ts".',
    );
    // if the file exists, the message names it
    await write("src/lib/rate.ts", "export const rate = 1;");
    expect(await messageOf(path)).toEndWith('for the editor alone. Write "./src/lib/rate.ts".');
    await tsconfig({ baseUrl: "./src", paths: { "@rate": ["./none", "../src/lib/rate"], "#*": ["./*/index.ts"] } });
    await write("src/deep/index.ts", "export const deep = 1;");
    const deeper = await write("flows/flow.ts", `${HEAD}import "@rate";\n${flowNamed("a")}`);
    expect(await messageOf(deeper)).toEndWith('for the editor alone. Write "../src/lib/rate.ts".');
    const deepest = await write("flows/deep.ts", `${HEAD}import "#deep";\n${flowNamed("b")}`);
    expect(await messageOf(deepest)).toEndWith('for the editor alone. Write "../src/deep/index.ts".');
  });

  test("a decorator of experimentalDecorators is refused; one of the language is not", async () => {
    const text = `${HEAD}const mark = (value: unknown) => value;\nclass A {\n  @mark\n  a() {}\n}\n${flowNamed("a")}export { A };`;
    const path = await write("flow.ts", text);
    expect(await loadFlows([path])).toHaveLength(1);
    await write("base.json", '{ "compilerOptions": { "experimentalDecorators": true } }');
    await write("tsconfig.json", '{ "extends": "./base" }');
    expect(await messageOf(await write("other.ts", text))).toStartWith(
      "other.ts:5:3: this decorator is one of experimentalDecorators (tsconfig.json)",
    );
  });

  test("JSX that it sets up is refused, unless the file says it too", async () => {
    await tsconfig({ jsx: "react-jsx", jsxImportSource: "preact" });
    await write("view.tsx", "export const view = 1;");
    const path = await write("flow.ts", `${HEAD}import { view } from "./view.tsx";\n${flowNamed("a")}export { view };`);
    expect(await messageOf(path)).toStartWith(
      "view.tsx:1:1: JSX is set up in tsconfig.json, which is for the editor alone. Write /** @jsxImportSource preact */",
    );
    await write("view.tsx", "/** @jsxImportSource preact */ export const view = 1;");
    expect(await loadFlows([path])).toHaveLength(1);
  });
});

describe("an operation that is made and dropped", () => {
  test("is refused at load, before anything has happened", async () => {
    const path = await write(
      "flow.ts",
      `${HEAD}import { sleep } from "taskonaut";\nexport default defineFlow({ name: "a", input: v.object({}), *run() {\n  sleep("1s");\n} });\n`,
    );
    expect(await messageOf(path)).toBe(
      "flow.ts:5:3: sleep(…) makes an operation and drops it, so it would never happen. Write yield* sleep(…).",
    );
  });
});

describe("where flows are looked for", () => {
  test("flags come before the environment, that before ./flows, and that before a folder of `init`", async () => {
    const env = { TASKONAUT_FLOWS: `a.ts${delimiter}/b` };
    const usual = join(folder, "flows");
    expect(resolveFlowPaths({ flags: [], env: {}, cwd: folder })).toEqual([]);
    await mkdir(join(folder, ".taskonaut"));
    expect(resolveFlowPaths({ flags: [], env: {}, cwd: folder })).toEqual([folder]);
    await mkdir(usual);
    expect(resolveFlowPaths({ flags: ["x.ts", "/y"], env, cwd: folder })).toEqual([join(folder, "x.ts"), "/y"]);
    expect(resolveFlowPaths({ flags: [], env, cwd: folder })).toEqual([join(folder, "a.ts"), "/b"]);
    expect(resolveFlowPaths({ flags: [], env: { TASKONAUT_FLOWS: "" }, cwd: folder })).toEqual([usual]);
  });
});

test.each(["flow.ts", "flow.js", "helper"])("a finally block of %s is shielded from a cancel", async (name) => {
  const cleanUp = `export function* cleanUp() { try { yield* call(tool, 1) } finally { yield* call(tool, 2); yield* call(tool, 3) } }\n`;
  const tool = `const tool = defineTool({ name: "t", input: v.any(), output: v.any(), run: () => 0 });\n`;
  const head = `import { call, defineFlow, defineTool } from "taskonaut";\nimport * as v from "valibot";\n`;
  const flow = `export default defineFlow({ name: "cleans", input: v.any(), *run() { yield* cleanUp(); } });\n`;
  let path: string;
  if (name === "helper") {
    await write("lib/clean-up.ts", head + tool + cleanUp);
    path = await write("flow.ts", `${head}import { cleanUp } from "./lib/clean-up";\n${flow}`);
  } else path = await write(name, head + tool + cleanUp + flow);
  const [loaded] = await loadFlows([path]);
  if (!loaded) throw new Error("no flow");
  const program = createProgram(loaded, { id: "1", input: "null", createdAt: 0, stepsMax: 10 });
  const done = { kind: "completed", output: "0" } as const;
  const [first] = program.start().planned;
  const [second] = program.observe(first?.path ?? "", done, 0).planned;
  expect(program.cancel(0)).toEqual({ planned: [], abandoned: [] });
  const [third] = program.observe(second?.path ?? "", done, 0).planned;
  expect(third?.input).toBe("3");
  program.observe(third?.path ?? "", done, 0);
  expect(program.end).toBeDefined();
});
