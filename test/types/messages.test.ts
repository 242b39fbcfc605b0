// What the compiler, and so the editor, says of mistakes in flow files: one run of it over a file for each.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");

const HEAD = `import { all, call, defineFlow, defineSignal, defineTool, map, race, sleep, waitForSignal } from "taskonaut";
import * as v from "valibot";
const pay = defineTool({ name: "pay", input: v.object({ cents: v.number() }), output: v.object({ id: v.string() }), run: () => ({ id: "1" }) });
const approved = defineSignal("approved", v.object({ by: v.string() }));
const start = { name: "order", input: v.object({ cents: v.number() }) };
export const used = [all, call, defineFlow, map, race, sleep, waitForSignal, pay, approved, start];
`;

const SAMPLES: Readonly<Record<string, { readonly code: string; readonly says: string }>> = {
  "an async generator": {
    code: "defineFlow({ ...start, async *run({ cents }) { return cents; } });",
    says: `is not assignable to type '"a flow is not async: write *run(input) { … } or plan(input) { … }; what has to be awaited belongs in a tool"'`,
  },
  "an async function": {
    code: "defineFlow({ ...start, async run({ cents }) { return cents; } });",
    says: `is not assignable to type '"a flow is not async: write *run(input)`,
  },
  "an async plan": {
    code: "defineFlow({ ...start, plan: async ({ cents }) => [call(pay, { cents })] });",
    says: `is not assignable to type '"a flow is not async: write *run(input)`,
  },
  "no body": {
    code: "defineFlow({ name: 'order', input: v.string() });",
    says: "Property 'run' is missing in type '{ name: string; input:",
  },
  "no input": {
    code: "defineFlow({ name: 'order', *run() { yield* sleep(1); } });",
    says: "Property 'input' is missing in type",
  },
  "two bodies": {
    code: "defineFlow({ ...start, *run() {}, plan: () => [] });",
    says: `is not assignable to type '"a flow has either *run or plan, not both"'`,
  },
  "a plain function": {
    code: "defineFlow({ ...start, run: ({ cents }) => cents });",
    says: `"run is a generator function: write *run(input) { … }, with a yield* for each decision"`,
  },
  "a plan that is a generator": {
    code: "defineFlow({ ...start, *plan({ cents }) { yield* call(pay, { cents }); } });",
    says: `"a generator belongs in *run(input) { … }; plan(input) { … } gives a list of calls"`,
  },
  "a plan of something else": {
    code: "defineFlow({ ...start, plan: ({ cents }) => [cents] });",
    says: `"plan gives a list of calls: [call(tool, input), …]"`,
  },
  "a value that is yielded": {
    code: "defineFlow({ ...start, *run({ cents }) { yield cents; } });",
    says: `"a flow yields nothing but operations: write yield* call(tool, input)"`,
  },
  "a signal that is not declared": {
    code: "defineFlow({ ...start, signals: { approved: v.string() }, *run() { yield* waitForSignal('aproved'); } });",
    says: `"the flow waits for signal aproved, which its signals do not declare"`,
  },
  "a signal that is not listed": {
    code: "defineFlow({ ...start, *run() { return yield* waitForSignal(approved, { timeout: '1h' }); } });",
    says: `"the flow waits for signal approved, which its signals do not declare"`,
  },
  "a signal that is not declared, in groups": {
    code: "defineFlow({ ...start, signals: [approved], *run() { yield* all([sleep(1), race({ a: (function* () { yield* map([1], () => waitForSignal('paid')); })() })]); } });",
    says: `"the flow waits for signal paid, which its signals do not declare"`,
  },
  "names in a list of signals": {
    code: "defineFlow({ ...start, signals: ['approved'], *run() {} });",
    says: `"list what defineSignal(name, schema) gives, or write { name: schema }"`,
  },
  "a signal under a name": {
    code: "defineFlow({ ...start, signals: { approved }, *run() {} });",
    says: `"list it instead: signals: [approved]"`,
  },
  "an option of a flow that there is not": {
    code: "defineFlow({ name: 'order', input: v.string(), concurency: 5, *run() {} });",
    says: "Did you mean to write 'concurrency'?",
  },
  "an option of a tool that there is not": {
    code: "defineTool({ name: 'a', input: v.string(), output: v.string(), retires: 5, run: (text) => text });",
    says: "'retires' does not exist in type 'ToolDefinition<",
  },
  "an option of a call that there is not": {
    code: "call(pay, { cents: 1 }, { name: 'x' });",
    says: "'name' does not exist in type 'CallOptions'",
  },
  "an option of a wait that there is not": {
    code: "waitForSignal('approved', { timout: '5s' });",
    says: "Did you mean to write 'timeout'?",
  },
  "a timeout that is none": {
    code: "waitForSignal(approved, { timeout: 'soon' });",
    says: `Type '"soon"' is not assignable to type`,
  },
  "an output that breaks the contract": {
    code: "defineTool({ name: 'a', input: v.string(), output: v.object({ id: v.string() }), run: (text) => text });",
    says: "Type 'string' is not assignable to type 'OutputOfContract<{ id: string; }>'",
  },
  "an output whose field breaks the contract": {
    code: "defineTool({ name: 'a', input: v.string(), output: v.object({ id: v.string() }), run: async () => ({ ip: '' }) });",
    says: "Property 'id' is missing in type '{ ip: string; }' but required in type '{ id: string; }'",
  },
  "an input that breaks the contract": {
    code: "call(pay, { cents: '5' });",
    says: "Type 'string' is not assignable to type 'number'",
  },
  "a payload that is used as what it is not": {
    code: "defineFlow({ ...start, signals: [approved], *run() { const { to } = yield* waitForSignal(approved); return to; } });",
    says: "Property 'to' does not exist on type '{ by: string; }'",
  },
};

const TSCONFIG = {
  compilerOptions: {
    target: "ESNext",
    module: "Preserve",
    moduleResolution: "bundler",
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    types: ["bun-types"],
    typeRoots: [join(ROOT, "node_modules")],
    paths: { taskonaut: [join(ROOT, "src/sdk/taskonaut.ts")], valibot: [join(ROOT, "node_modules/valibot")] },
  },
};

/** By the name of the sample. */
const said = new Map<string, string>();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "taskonaut-"));
  await Bun.write(join(folder, "tsconfig.json"), JSON.stringify(TSCONFIG));
  const names = Object.keys(SAMPLES);
  for (const [index, { code }] of Object.values(SAMPLES).entries())
    await Bun.write(join(folder, `sample${index}.ts`), HEAD + code);
  const tsc = Bun.spawn([join(ROOT, "node_modules/.bin/tsc"), "--pretty", "false"], { cwd: folder, stdout: "pipe" });
  const output = await tsc.stdout.text();
  for (const error of output.split(/\n(?=\S)/)) {
    const [, index] = /^sample(\d+)\.ts\(/.exec(error) ?? [];
    const name = index === undefined ? error : (names[Number(index)] ?? "");
    said.set(name, `${said.get(name) ?? ""}${error}\n`);
  }
});

afterAll(() => rm(folder, { recursive: true }));

test.each(Object.entries(SAMPLES))("%s is told in words", (name, { says }) => {
  expect(said.get(name)).toContain(says);
  expect(said.get(name)).not.toContain("to type 'undefined'");
});

test("nothing else is wrong with the samples", () => {
  expect([...said.keys()].filter((name) => !(name in SAMPLES) && name.trim() !== "")).toEqual([]);
});
