// The help in a real pseudo-terminal, at several widths, and its examples pasted into a shell. The pictures stand in
// `__snapshots__`: look at each one that changes (`bun test -u` takes it).

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { COMMANDS } from "../../src/cli/run-cli.ts";
import { testDatabase } from "../support/postgres.ts";
import { binary } from "./binary.ts";
import { openSandbox, type Sandbox } from "./harness.ts";

setDefaultTimeout(120_000);

const FLOWS = `
import { call, defineFlow, defineTool, waitForSignal } from "taskonaut";
import { existsSync } from "node:fs";
import * as v from "valibot";
const Input = v.object({
  sku: v.pipe(v.string(), v.regex(/^[A-Z]{2}-\\d{3}$/), v.description("the article, as it stands in the catalogue")),
  size: v.optional(v.picklist(["s", "m", "l"]), "m"),
  country: v.picklist(["Germany", "Denmark", "Netherlands"]),
  gift: v.optional(v.boolean(), false),
  tags: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(5))), v.maxLength(3)), []),
  address: v.object({ street: v.optional(v.string()), zip: v.pipe(v.string(), v.description("不可能 ☃ of the house, which is needed to find the way to it")) }),
  discount: v.nullish(v.pipe(v.number(), v.minValue(0), v.maxValue(0.5))),
});
const fragile = defineTool({
  name: "fragile", input: v.object({}), output: v.null(), retry: { attempts: 1 },
  run() { if (!existsSync("mended")) throw new Error("it is broken"); return null; },
});
const pay = defineTool({
  name: "pay", input: v.object({}), output: v.any(), execution: "at-most-once", timeout: "20ms",
  run: () => (existsSync("mended") ? null : new Promise(() => {})),
});
export const checkout = defineFlow({
  name: "checkout", description: "Takes an order, waits until somebody approves it, and ships it to where it belongs.",
  input: Input, concurrency: 3,
  signals: {
    approved: v.object({ by: v.pipe(v.string(), v.description("who says so")), at: v.optional(v.pipe(v.string(), v.isoDate())) }),
    stopped: v.null(),
  },
  *run() { return yield* waitForSignal("approved"); },
});
export const waits = defineFlow({
  name: "waits", input: v.object({ sku: v.pipe(v.string(), v.regex(/^[A-Z]{2}-\\d{3}$/)) }),
  signals: { approved: v.any(), refused: v.object({ why: v.picklist(["it's sold out", "x"]) }) }, *run() { return yield* waitForSignal("approved"); },
});
export const shapes = defineFlow({
  name: "shapes",
  input: v.object({
    yes: v.literal(true), no: v.literal(false), none: v.null(), zero: v.pipe(v.number(), v.maxValue(-1)),
    empty: v.pipe(v.string(), v.maxLength(0)), dashed: v.literal("--json"), spaced: v.literal("it's $HOME"), number: v.literal("007"),
    list: v.pipe(v.array(v.object({ a: v.string() })), v.minLength(2)), nothing: v.array(v.string()), pair: v.tuple([v.string(), v.number()]),
    deep: v.object({ mode: v.string(), input: v.boolean(), "a.b": v.number() }), mode: v.string(), any: v.object({}), json: v.boolean(),
  }),
  signals: { approved: v.any(), refused: v.string() },
  *run() { return yield* waitForSignal("approved"); },
});
export const fails = defineFlow({ name: "fails", input: v.object({}), *run() { yield* call(fragile, {}); } });
export const pays = defineFlow({ name: "pays", input: v.object({}), *run() { yield* call(pay, {}); yield* call(pay, {}); } });
`;

/** A limit is known once its tool was called. */
const ASKS = `
import { call, defineFlow, defineTool } from "taskonaut";
import * as v from "valibot";
const any = v.unknown();
const ask = defineTool({ name: "ask", input: any, output: any, limits: { name: "openai", running: 5 }, run: () => null });
export default defineFlow({ name: "asks", input: any, *run() { return yield* call(ask, null); } });
`;

const PROGRAM = "./t";

/** Where \`./taskonaut\` is the program, with a folder of flows. */
async function openDesk(): Promise<Sandbox> {
  const sandbox = await openSandbox({}, [PROGRAM]);
  await symlink(await binary(), join(sandbox.folder, "t"));
  await writeFile(join(sandbox.folder, "shop.ts"), FLOWS);
  return sandbox;
}

describe("in a terminal", () => {
  let desk: Sandbox;
  beforeAll(async () => {
    desk = await openDesk();
    await writeFile(join(desk.folder, "broken.ts"), "export default defineFlow({\n  name: 'broken',\n");
  });
  afterAll(() => desk[Symbol.asyncDispose]());

  const show = async (
    args: readonly string[],
    columns: number,
  ): Promise<{ shown: string; raw: string; exit: number }> => {
    const terminal = await desk.terminal(args, { columns });
    const exit = await terminal.exited();
    const shown = terminal.shown.replaceAll(/\/\S*taskonaut-e2e-\w*/g, (folder) => "/".padEnd(folder.length, "x"));
    return { shown, raw: terminal.raw, exit };
  };

  const CALLS: Readonly<Record<string, readonly string[]>> = {
    "the whole": ["--help"],
    "the options of every command": ["help", "options"],
    "a command": ["resolve", "--help"],
    "a command that takes fields": ["run-flow", "--help"],
    "a command with a flow": ["run-flow", "checkout", "--help", "--flows", "shop.ts"],
    "a command with a flow that there is not": ["validate", "chekcout", "--help", "--flows", "shop.ts"],
    "a command with flows that cannot be loaded": ["validate", "checkout", "--help", "--flows", "broken.ts"],
    "a flow": ["flows", "checkout", "--flows", "shop.ts"],
    "a flow that is a plan": ["flows", "echo_add"],
  };

  describe.each(Object.entries(CALLS))("%s", (_, args) => {
    test.each([40, 80, 120])("at %p columns", async (columns) => {
      const { shown, exit } = await show(args, columns);
      expect(exit).toBe(0);
      expect(shown).toMatchSnapshot();
      const tooWide = shown.split("\n").filter((line) => Bun.stringWidth(line) > columns);
      // what is there to be pasted is not broken
      expect(tooWide.filter((line) => !/^ {2}(?:\.\/t|#) /.test(line))).toEqual([]);
    });
  });

  test("titles are bold, remarks are dim, and no colour else is used", async () => {
    const { raw } = await show(["run-flow", "--help"], 80);
    // oxlint-disable-next-line no-control-regex -- escapes are what it looks for
    expect(new Set([...raw.matchAll(/\u001B\[([\d;]*)m/g)].map(([, code]) => code))).toEqual(
      new Set(["1", "38;5;243", "0"]),
    );
  });
});

describe("every example can be pasted", () => {
  interface Setting {
    /** Makes what the example is about. */
    readonly prepare?: (desk: Sandbox, line: string) => Promise<unknown>;
    /** Where it goes on until it is told to stop: what it says by then. */
    readonly goesOn?: (line: string) => RegExp | undefined;
    /** A file of flows that the shell knows of. */
    readonly flows?: string;
    /** Why it is not run. */
    readonly left?: string;
  }

  const create = (desk: Sandbox): Promise<unknown> => desk.run(["run-flow", "--mode", "create"]);
  const createOrder = async (desk: Sandbox): Promise<void> => {
    await desk.run(["init", "flows"]);
    await desk.run(["run-flow", "order", "--sku", "A1", "--qty", "1", "--mode", "create"]);
  };
  const run = (desk: Sandbox, flow: string, ...fields: string[]): Promise<unknown> =>
    desk.run(["run-flow", flow, ...fields, "--flows", "shop.ts"]);
  const write = (desk: Sandbox, file: string, text: string): Promise<void> => writeFile(join(desk.folder, file), text);

  const SETTINGS: Readonly<Record<string, Setting>> = {
    "run-task": { prepare: create },
    "advance-task": { prepare: create },
    "get-task": { prepare: (desk) => desk.run(["run-flow"]) },
    "get-tasks": { prepare: create },
    traces: { prepare: (desk) => desk.run(["run-flow"]) },
    workers: { prepare: create },
    "cancel-task": { prepare: create },
    "signal-task": {
      flows: "shop.ts",
      async prepare(desk) {
        await run(desk, "waits", "--sku", "AB-123");
        await write(desk, "approval.json", '{"by":"Ada"}');
      },
    },
    "fork-task": { prepare: (desk) => desk.run(["run-flow", "echo_add"]) },
    "retry-task": { flows: "shop.ts", prepare: (desk) => run(desk, "fails") },
    "resume-task": { prepare: (desk) => run(desk, "waits", "--sku", "AB-123") },
    "cancel-tasks": { prepare: create },
    "retry-tasks": { prepare: create },
    "resume-tasks": { prepare: create },
    "signal-tasks": { flows: "shop.ts", prepare: (desk) => run(desk, "waits", "--sku", "AB-123") },
    "delete-tasks": { prepare: create },
    purge: { prepare: create },
    resolve: {
      flows: "shop.ts",
      async prepare(desk, line) {
        await run(desk, "pays");
        if (!line.includes("--step 2")) return;
        await desk.run(["resolve", "@last", "--output", "1", "--flows", "shop.ts"]);
        await desk.run(["run-task", "@last", "--flows", "shop.ts"]);
      },
    },
    pause: { prepare: createOrder },
    unpause: {
      async prepare(desk) {
        await createOrder(desk);
        for (const what of ["order", "--tool=charge", "--all"]) await desk.run(["pause", what]);
      },
    },
    pauses: { prepare: create },
    schedules: { prepare: create },
    limits: {
      async prepare(desk) {
        await write(desk, "asks.ts", ASKS);
        await desk.run(["run-flow", "asks", "--flows", "asks.ts"]);
      },
    },
    tokens: { prepare: create },
    "audit-log": { prepare: create },
    watch: { goesOn: () => /Listening|"ready"/, prepare: create },
    ui: { goesOn: () => /http:\/\// },
    "run-app": { goesOn: () => /Listening|http:\/\// },
    work: { goesOn: () => /Worker started|stop/i, prepare: (desk) => desk.run(["init", "my-flows"]) },
    init: { prepare: (desk) => rm(join(desk.folder, "my-flows"), { recursive: true, force: true }) },
    flows: { prepare: (desk) => desk.run(["init", "my-flows"]) },
    openapi: { prepare: (desk) => desk.run(["init", "my-flows"]) },
    types: { prepare: create },
    validate: {
      async prepare(desk) {
        await desk.run(["init", "flows"]);
        await write(desk, "order.json", '{"sku":"A1"}');
      },
    },
    test: {
      async prepare(desk) {
        await desk.run(["init", "flows"]);
        await write(desk, "flows/order.test.ts", 'import { test } from "bun:test"; test("approved", () => {});');
      },
      goesOn: (line) => (line.includes("--watch") ? /1 pass/ : undefined),
    },
    backup: {
      async prepare(desk) {
        await create(desk);
        await desk.run(["run-flow", "--database-url", "sqlite:tasks.db"]);
      },
    },
    bench: { left: "it measures for minutes" },
  };

  const examplesIn = (help: string): readonly string[] =>
    (/^Examples:\n((?: {2}.*\n)*)/m.exec(help)?.[1] ?? "")
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line.startsWith(PROGRAM));

  const paste = async (
    desk: Sandbox,
    line: string,
    seen: RegExp | undefined,
    env: Readonly<Record<string, string>> = {},
  ): Promise<string> => {
    const child = Bun.spawn(["sh", "-c", `${seen ? "exec " : ""}${line} 2>&1`], {
      cwd: desk.folder,
      env: { PATH: "/usr/bin:/bin", HOME: desk.folder, XDG_DATA_HOME: desk.folder, LANG: "C.UTF-8", ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
    });
    let said = "";
    for await (const chunk of child.stdout) {
      said += new TextDecoder().decode(chunk);
      if (seen?.test(said)) break;
    }
    if (seen) child.kill("SIGINT");
    const exit = await child.exited;
    // tests that are watched end by the signal alone
    return exit === 0 || (seen && exit === 130) ? "" : `${exit}: ${said}`;
  };

  test.each(COMMANDS.map(({ name }) => name))("of %s", async (name) => {
    const { prepare, goesOn, flows, left } = SETTINGS[name] ?? {};
    await using desk = await openDesk();
    const help = (await desk.run([name, "--help"])).stdout;
    const lines = examplesIn(help);
    expect(lines.length).toBeGreaterThan(0);
    for (const line of left === undefined ? lines : []) {
      await prepare?.(desk, line);
      const database = line.includes("postgres://") ? await testDatabase() : undefined;
      const pasted = line.replace(/postgres:\/\/\S+/, database?.url ?? "");
      if (database && name !== "migrate") await desk.run(["migrate", "--database-url", database.url]);
      expect([
        line,
        await paste(desk, pasted, goesOn?.(line), flows === undefined ? {} : { TASKONAUT_FLOWS: flows }),
      ]).toEqual([line, ""]);
      await database?.drop();
    }
  });

  test("of the whole help, one after the other", async () => {
    await using desk = await openDesk();
    const examples = examplesIn((await desk.run(["--help"])).stdout);
    expect(examples.length).toBeGreaterThan(3);
    for (const line of examples) expect([line, await paste(desk, line, undefined)]).toEqual([line, ""]);
  });

  test.each(["waits", "checkout", "shapes"])("of the flow %s, which runs it and sends it its signals", async (flow) => {
    await using desk = await openDesk();
    const terminal = await desk.terminal(["flows", flow, "--flows", "shop.ts"], { columns: 300 });
    await terminal.exited();
    const lines = [...terminal.shown.matchAll(/^ {2}(\.\/t .*)$/gm)].map(([, line = ""]) => line);
    expect(lines.map((line) => line.split(" ")[1])).toEqual(["run-flow", "signal-task", "signal-task"]);
    for (const line of lines) expect([line, await paste(desk, line, undefined)]).toEqual([line, ""]);
  });
});
