// What `init` writes, by the compiled program in a folder with no node_modules above it.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Task } from "../../src/core/api/task.ts";
import type { FlowDescription } from "../../src/core/api/taskonaut.ts";
import { makeAccessLog } from "../support/access-log.ts";
import { openSandbox, type Sandbox } from "./harness.ts";
import { dataOf, type Ended } from "./served.ts";
import { taskOf } from "./tasks.ts";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox[Symbol.asyncDispose]());

const write: Sandbox["write"] = (name, text) => sandbox.write(name, text);

const read = (name: string): Promise<string> => Bun.file(join(sandbox.folder, name)).text();
const isThere = (name: string): Promise<boolean> => Bun.file(join(sandbox.folder, name)).exists();

interface Report {
  readonly flow: string | null;
  readonly written: readonly string[];
  readonly kept: readonly string[];
  readonly generated: string;
  readonly advice: readonly string[];
  readonly next: readonly string[];
}

const initialize = async (...args: string[]): Promise<Report> => dataOf(await sandbox.run(["init", ...args])) as Report;

/** What the shell says of a line that was printed, in the folder in which it was. */
async function paste(line: string): Promise<Ended> {
  const env = { PATH: "/usr/bin:/bin", HOME: sandbox.folder, XDG_DATA_HOME: sandbox.folder };
  const child = Bun.spawn(["/bin/sh", "-c", line], { cwd: sandbox.folder, env, stdout: "pipe", stderr: "pipe" });
  const [exit, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { exit, stdout, stderr };
}

/** The compiler's complaints about a folder; "" where it has none. */
async function typeErrorsIn(folder: string): Promise<string> {
  const tsc = join(import.meta.dir, "../../node_modules/.bin/tsc");
  const child = Bun.spawn([tsc, "--noEmit"], { cwd: join(sandbox.folder, folder), stdout: "pipe", stderr: "pipe" });
  const [output] = await Promise.all([child.stdout.text(), child.exited]);
  return output;
}

/** A tool with a bit of everything that Bun and Node have. */
const EVERYTHING = `
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { Database } from "bun:sqlite";
import { defineTool } from "taskonaut";
import * as v from "valibot";
import prices from "./prices.json";

export const everything = defineTool({
  name: "everything",
  input: v.object({ url: v.string() }),
  output: v.object({ text: v.string(), status: v.number() }),
  async run({ url }, { signal, log }) {
    const response = await fetch(url, { signal, headers: { authorization: process.env["TOKEN"] ?? "" } });
    const bytes = Buffer.from(await response.arrayBuffer());
    await Bun.write(Bun.file(join(import.meta.dir, "copy")), bytes);
    using db = new Database(":memory:");
    db.query("select 1").all();
    spawn("true");
    setTimeout(() => console.log(new URL(url).host, structuredClone(prices.A1)), 5);
    log.info?.("read", { digest: createHash("sha256").update(await readFile("copy", "utf8")).digest("hex") });
    return { text: new TextDecoder().decode(bytes), status: response.status };
  },
});
`;

describe("init", () => {
  test("writes a flow that runs as it is, its test, and what an editor is content with", async () => {
    const { written, next } = await initialize("my-flows");
    expect(written.map((path) => path.slice("my-flows/".length))).toEqual([
      "order.test.ts",
      "order.ts",
      "tsconfig.json",
      "bunfig.toml",
    ]);
    expect(await typeErrorsIn("my-flows")).toBe("");
    const results = [];
    for (const command of next) results.push(await paste(command));
    expect(results.map(({ exit }) => exit)).toEqual([0, 0, 0, 0]);
    expect(taskOf(results[2] as Ended).output_payload).toMatchObject({ sku: "A1", qty: 2, total_cents: 400 });
    expect(results[3]?.stdout).toContain(" 2 pass\n 0 fail\n");
  });

  test("writes a test that a Bun of one's own runs as well", async () => {
    await initialize("own-bun");
    const cwd = join(sandbox.folder, "own-bun");
    const env = { PATH: "/usr/bin:/bin", HOME: sandbox.folder, NO_COLOR: "1" };
    const bun = Bun.spawn([process.execPath, "test"], { cwd, env, stdout: "pipe", stderr: "pipe" });
    const [exit, said] = await Promise.all([bun.exited, bun.stderr.text()]);
    expect(said).toContain(" 2 pass\n 0 fail\n");
    expect(exit).toBe(0);
  });

  test("in the folder that it wrote, its flow is there by itself", async () => {
    await initialize("entered");
    const flows = dataOf(await sandbox.run(["flows"], { cwd: join(sandbox.folder, "entered") })) as FlowDescription[];
    expect(flows.map(({ name }) => name)).toEqual(["echo_add", "order"]);
  });

  test("gives the types of all that tools may use of Bun and Node", async () => {
    await initialize("node");
    await write("node/everything.ts", EVERYTHING);
    await write("node/prices.json", '{ "A1": 5 }');
    expect(await typeErrorsIn("node")).toBe("");
    await write("node/browser.ts", "export const title = document.title;");
    expect(await typeErrorsIn("node")).toContain("Cannot find name 'document'");
  });

  test("gives the types of the contracts: a wrong input does not compile", async () => {
    await initialize("typed");
    const text = await read("typed/order.ts");
    await write("typed/order.ts", text.replace("call(getPrice, { sku })", "call(getPrice, { sku: qty })"));
    expect(await typeErrorsIn("typed")).toContain("Type 'number' is not assignable to type 'string'");
  });

  test("gives types that say in words what is wrong", async () => {
    await initialize("wrong");
    await write("wrong/order.ts", (await read("wrong/order.ts")).replace("  *run(", "  async *run("));
    expect(await typeErrorsIn("wrong")).toContain('"a flow is not async: write *run(input) { … }');
  });

  test("once more renews the types, and touches nothing of the user's", async () => {
    await initialize("again");
    const edited = `${await read("again/order.ts")}// mine\n`;
    await write("again/order.ts", edited);
    await rm(join(sandbox.folder, "again/order.test.ts"));
    await rm(join(sandbox.folder, "again/.taskonaut/types/node"), { recursive: true });
    await write("again/.taskonaut/types/taskonaut/index.d.ts", "export {};");
    await write("again/.taskonaut/types/old/index.d.ts", "export {};");
    await write("again/.taskonaut/.gitignore", "# mine");
    const renewed = { flow: null, written: [], kept: [], advice: [], generated: "renewed" };
    expect(await initialize("again")).toMatchObject(renewed);
    expect(await typeErrorsIn("again")).toBe("");
    expect(await read("again/order.ts")).toBe(edited);
    expect(await read("again/.taskonaut/.gitignore")).toBe("# mine");
    expect(await isThere("again/order.test.ts")).toBe(false);
    expect(await isThere("again/.taskonaut/types/old/index.d.ts")).toBe(false);
    expect(await initialize("again")).toMatchObject({ ...renewed, generated: "up to date" });
  });

  test("writes what git does not keep after a clone", async () => {
    await initialize("cloned");
    await rm(join(sandbox.folder, "cloned/.taskonaut/types"), { recursive: true });
    await rm(join(sandbox.folder, "cloned/.taskonaut/taskonaut-testing.js"));
    expect(await read("cloned/.taskonaut/.gitignore")).toEndWith("\n/types/\n/taskonaut-testing.js\n");
    // the folder is still one of init's
    const flows = dataOf(await sandbox.run(["flows"], { cwd: join(sandbox.folder, "cloned") })) as unknown[];
    expect(flows).toHaveLength(2);
    expect(await initialize("cloned")).toMatchObject({ written: [], generated: "renewed" });
    expect(await typeErrorsIn("cloned")).toBe("");
  });

  test("says what settings of a project's own need, and what it says is enough", async () => {
    const tsconfig = { extends: "./base.json", compilerOptions: { strict: true } };
    await write("project/base.json", "{}");
    const mine = await write("project/tsconfig.json", JSON.stringify(tsconfig));
    await write("project/bunfig.toml", "# mine");
    await write("project/package.json", '{ "name": "shop" }');
    const { written, advice } = await initialize("project");
    expect(written).toEqual(["project/order.test.ts", "project/order.ts"]);
    expect(advice).toEqual([
      'project/tsconfig.json is yours. For the types in your editor add "extends": ["./base.json", "./.taskonaut/tsconfig.json"].',
      expect.stringContaining('project/bunfig.toml is yours. For `bun test` with a Bun of your own add "./.taskonaut/'),
    ]);
    expect(await Bun.file(mine).text()).toBe(JSON.stringify(tsconfig));
    const both = ["./base.json", "./.taskonaut/tsconfig.json"];
    await Bun.write(mine, JSON.stringify({ ...tsconfig, extends: both }));
    expect(await typeErrorsIn("project")).toBe("");
    await Bun.write(mine, JSON.stringify({ extends: both, compilerOptions: { paths: { "@/*": ["./*"] } } }));
    const [more = ""] = (await initialize("project")).advice;
    const [, entries = ""] = /Add to them (.*)\.$/.exec(more) ?? [];
    await Bun.write(mine, `{ "extends": ${JSON.stringify(both)}, "compilerOptions": { "paths": { ${entries} } } }`);
    expect(await typeErrorsIn("project")).toBe("");
    expect(await initialize("project")).toMatchObject({ advice: [expect.stringContaining("bunfig.toml")] });
  });

  test("overwrites nothing: beside a file of that name it writes no example", async () => {
    await write("taken/order.ts", "// mine");
    const report = await initialize("taken");
    expect(report).toMatchObject({ flow: null, written: ["taken/tsconfig.json", "taken/bunfig.toml"] });
    expect(report.kept).toEqual(["taken/order.ts"]);
    expect(await read("taken/order.ts")).toBe("// mine");
    expect(await isThere("taken/order.test.ts")).toBe(false);
  });

  test("adds another example where it is asked for", async () => {
    await initialize("two");
    const { flow, written } = await initialize("two", "--example", "incident");
    expect(flow).toBe("incident");
    expect(written).toContain("two/incident.ts");
    const flows = dataOf(await sandbox.run(["flows", "--flows", "two"])) as FlowDescription[];
    expect(flows.map(({ name }) => name)).toEqual(["echo_add", "incident", "order"]);
  });

  test.each([
    [
      "a path that has a file in it",
      "file/flows",
      "Cannot write file/flows/order.test.ts: a part of the path is a file",
    ],
    ["a file", "file", "Cannot write file/order.test.ts: "],
    ["a path from which no flow can be loaded", "what?", "what?: flow files cannot be loaded from a path that has a ?"],
    ["no name at all", "", "The folder has no name: write init my-flows."],
  ])("refuses %s, and says why", async (_what, folder, message) => {
    await write("file", "");
    const { exit, stdout, stderr } = await sandbox.run(["init", folder]);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: "" });
    expect(stderr).toContain(message);
  });
});

describe("init --example incident", () => {
  test("works from the first command, from any folder, wherever it was written", async () => {
    const { next } = await initialize("an 'odd' folder/of mine", "--example", "incident");
    expect(await typeErrorsIn("an 'odd' folder/of mine")).toBe("");
    const results = [];
    for (const command of next) results.push(await paste(command));
    expect(results.map(({ exit }) => exit)).toEqual([0, 0, 0, 0]);
    const task = taskOf(results[2] as Ended);
    expect(task.waiting_for).toMatchObject([{ kind: "signal", name: "approved" }]);
    const options = { cwd: "/", env: { TASKONAUT_FLOWS: join(sandbox.folder, "an 'odd' folder") } };
    await sandbox.run(["signal-task", task.id, "approved", "--payload", '{"by":"Ada"}'], options);
    const ended = taskOf(await sandbox.run(["run-task", task.id], options));
    expect(ended.output_payload).toMatchObject({ findings: 4, serious: 3, decision: "3 findings, approved by Ada" });
    expect(await read("an 'odd' folder/of mine/incident-report.md")).toContain("| critical | injection |");
  });

  test("reports on a real log, waits for a person, and is finished whatever killed it", async () => {
    await sandbox.run(["init", "incidents", "--example", "incident"]);
    expect(await typeErrorsIn("incidents")).toBe("");
    await write("incidents/real.log", makeAccessLog({ seed: 1 }));
    const flows = ["--flows", "incidents"];
    const report = (name: string): string[] => ["--log", "real.log", "--report", `out/${name}`];
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
    const textOf = (name: string): Promise<string> => Bun.file(join(sandbox.folder, `incidents/out/${name}`)).text();
    expect(await textOf("killed.md")).toBe(await textOf("calm.md"));
    expect(await textOf("killed.md")).toContain("| critical | injection | 198.51.100.200 | 3 |");
    expect(JSON.parse(await textOf("killed.json"))).toMatchObject({ summary: { unreadable: 7 } });
  });

  async function finishedCalls(id: string): Promise<Task["tool_calls"]> {
    return taskOf(await sandbox.run(["get-task", id])).tool_calls;
  }
});
