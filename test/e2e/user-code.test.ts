// What user code may not do to the process that runs it: end it, write among its data, or take it down with an error that
// nobody catches.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Task } from "../../src/core/api/task.ts";
import { until } from "../support/until.ts";
import { openSandbox, type Sandbox } from "./harness.ts";
import type { Ended } from "./served.ts";
import { taskOf } from "./tasks.ts";

setDefaultTimeout(120_000);

const FLOWS = `
import { call, defineFlow, defineTool } from "taskonaut";
import * as v from "valibot";
import { execSync, spawn, spawnSync } from "node:child_process";
import { AsyncLocalStorage } from "node:async_hooks";
import { createWriteStream, writeSync } from "node:fs";

Bun.spawnSync(["echo", "by a file that is loaded"], { stdout: "inherit" });

const never = new Promise(() => {});

const storage = new AsyncLocalStorage();
const MANNERS = {
  enters() { storage.enterWith("of a tool"); return storage.getStore(); },
  async enters_later() { storage.enterWith("of a tool"); await 1; return storage.getStore(); },
  exits() { process.exit(0); },
  aborts() { process.abort(); },
  really_exits() { process.reallyExit(0); },
  kills_itself() { process.kill(process.pid, "SIGKILL"); },
  asks_itself_to_end() { process.kill(-process.pid); },
  kills_its_group() { process.kill(0, 15); },
  becomes_another() { process.execve("/bin/true", ["true"], {}); },
  looks_for_itself() { return process.kill(process.pid, 0); },
  async writes() {
    process.stdout.write("by process.stdout\\n");
    console.log("by console.log");
    console.error("by console.error \\u001b[31m");
    await Bun.write(Bun.stdout, "by Bun.stdout\\n");
    return "written";
  },
  async goes_around() {
    await Bun.$\`echo by the shell\`;
    await Bun.spawn(["echo", "by Bun.spawn"], { stdout: "inherit" }).exited;
    await new Promise((ended) => spawn("echo", ["by spawn"], { stdio: "inherit" }).on("close", ended));
    execSync("echo by execSync", { stdio: "inherit" });
    spawnSync("echo", ["by spawnSync"], { stdio: [0, 1, 2] });
    writeSync(1, "by writeSync\\n");
    await new Promise((ended) => createWriteStream("", { fd: 1, autoClose: false }).write("by createWriteStream\\n", ended));
    await Bun.write(Bun.file(1), "by Bun.file\\n");
    const writer = Bun.stdout.writer();
    writer.write("by a writer\\n");
    await writer.flush();
    const thread = new Worker(URL.createObjectURL(new Blob(["console.log('by a thread'); postMessage(0)"])));
    await new Promise((told) => (thread.onmessage = told));
    await thread.terminate();
    return "written";
  },
  throws_later() { setTimeout(() => { throw new RangeError("from a timer \\u001b[31m"); }, 1); return never; },
  rejects_beside() { Promise.reject(new RangeError("nobody awaits")); return never; },
  throws_after_its_end() { setTimeout(() => { throw new RangeError("too late"); }, 1); return "ended"; },
  exits_later() { setTimeout(() => process.exit(0), 1); return never; },
};

const tools = Object.entries(MANNERS).map(([name, run]) =>
  defineTool({ name, input: v.object({}), output: v.unknown(), retry: { attempts: 1 }, timeout: "50s", run }),
);
const once = defineTool({
  name: "once", input: v.object({}), output: v.unknown(), execution: "at-most-once", run: MANNERS.throws_later,
});

export const flows = [...tools, once].map((tool) =>
  defineFlow({ name: "flow_" + tool.name, input: v.object({}), *run() { return yield* call(tool, {}); } }),
);
const [enters, entersLater] = tools;
const looks = defineTool({ name: "looks", input: v.object({}), output: v.unknown(), run: () => storage.getStore() ?? "nothing" });
export const entering = defineFlow({
  name: "entering",
  input: v.object({}),
  *run() {
    const seen = [storage.getStore() ?? "nothing"];
    for (const tool of [enters, entersLater])
      seen.push(yield* call(tool, {}), storage.getStore() ?? "nothing", yield* call(looks, {}, { as: "looks_" + seen.length }));
    return seen;
  },
});
export const [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q] = flows;
`;

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await openSandbox({ TASKONAUT_FLOWS: "flows.ts" });
  await writeFile(join(sandbox.folder, "flows.ts"), FLOWS);
});

afterAll(() => sandbox[Symbol.asyncDispose]());

const run = (name: string): Promise<Ended> => sandbox.run(["run-flow", `flow_${name}`]);

/** The lines of the log, as objects. */
function linesOf({ stderr }: { readonly stderr: string }): readonly unknown[] {
  return stderr
    .split("\n")
    .flatMap((line) => (line.startsWith("{") ? (JSON.parse(line) as Record<string, unknown>) : []));
}

test.each([
  "exits",
  "aborts",
  "exits_later",
  "really_exits",
  "kills_itself",
  "asks_itself_to_end",
  "kills_its_group",
  "becomes_another",
])("a tool that %s has failed, and the process goes on", async (name) => {
  const ended = await run(name);
  const task = JSON.parse(ended.stdout) as Task;
  expect([ended.exit, task.status]).toEqual([1, "FAILED"]);
  expect(task.error).toMatchObject({
    name: "ProcessExitError",
    message: expect.stringMatching(/called process\.(exit|abort|reallyExit|kill|execve)\(.*returns or throws/),
  });
  // a callback that only calls leaves no frame behind
  if (name !== "exits_later") expect(task.error?.at).toMatch(/flows\.ts:\d+:\d+$/);
});

test("what a tool writes to stdout goes to stderr: stdout has the data alone", async () => {
  const ended = await run("writes");
  expect(taskOf(ended).output_payload).toBe("written");
  for (const how of ["by process.stdout\n", "by console.log\n", "by console.error", "by Bun.stdout\n"])
    expect(ended.stderr).toContain(how);
});

test("what a tool writes around the program goes to stderr as well, from child processes and the shell too", async () => {
  const ended = await run("goes_around");
  expect(taskOf(ended).output_payload).toBe("written");
  const ways = ["the shell", "Bun.spawn", "spawn", "execSync", "spawnSync", "writeSync", "createWriteStream"];
  for (const how of [...ways, "Bun.file", "a writer", "a thread", "a file that is loaded"])
    expect(ended.stderr).toContain(`by ${how}\n`);
});

test("what a tool enters by AsyncLocalStorage is its own: no flow and no other tool sees it", async () => {
  const { exit, stdout } = await sandbox.run(["run-flow", "entering", "--json"]);
  expect(exit).toBe(0);
  const { output_payload } = JSON.parse(stdout) as Task;
  expect(output_payload).toEqual(["nothing", "of a tool", "nothing", "nothing", "of a tool", "nothing", "nothing"]);
});

test("a process that only looks whether it is there is not ended by that", async () => {
  expect(taskOf(await run("looks_for_itself")).output_payload).toBe(true);
});

describe("what a tool leaves uncaught", () => {
  test.each([
    ["throws_later", "from a timer \u001b[31m"],
    ["rejects_beside", "nobody awaits"],
  ])("is its failure while it runs: %s", async (name, message) => {
    const ended = await run(name);
    const task = JSON.parse(ended.stdout) as Task;
    expect([ended.exit, task.status]).toEqual([1, "FAILED"]);
    expect(task.steps[0]?.error).toMatchObject({
      name: "RangeError",
      message,
      at: expect.stringContaining("flows.ts:"),
    });
    expect(linesOf(ended)).toContainEqual(
      expect.objectContaining({
        level: "error",
        message: expect.stringContaining("its step has failed"),
        task_id: task.id,
        flow: `flow_${name}`,
        step: name,
        attempt: 1,
        error: message,
      }),
    );
    expect(ended.stderr).not.toContain("\u001b");
  });

  test("leaves a step in doubt whose tool is at-most-once: nobody knows what it has done", async () => {
    const task = JSON.parse((await run("once")).stdout) as Task;
    expect(task.status).toBe("WAITING_OBSERVATION");
    expect(task.steps[0]?.doubt).toContain("from a timer");
  });

  test("after its end is told with its task, and the worker lives on", async () => {
    const enqueue = async (): Promise<Task> =>
      taskOf(await sandbox.run(["run-flow", "flow_throws_after_its_end", "--mode", "enqueue"]));
    const worker = sandbox.start(["work"]);
    const first = await enqueue();
    await worker.see("its step had ended before");
    const second = await enqueue();
    await until(async () => taskOf(await sandbox.run(["get-task", second.id])).status === "COMPLETED");
    await worker.see("its step had ended before");
    expect((await worker.stop()).exit).toBe(0);
    for (const { id } of [first, second]) {
      const told = { task_id: id, message: expect.stringContaining("ended before") };
      expect(linesOf(worker)).toContainEqual(expect.objectContaining(told));
    }
  });
});

describe("what a flow's file computes besides its program", () => {
  const OWN = `
import { call, defineFlow, defineTool } from "taskonaut";
import * as v from "valibot";
import { writeSync } from "node:fs";

const echo = defineTool({ name: "echo_all", input: v.unknown(), output: v.unknown(), run: (given) => given });
const ODD = {
  exits() { process.exit(0); },
  writes() { process.stdout.write("by process.stdout\\n"); writeSync(1, "by writeSync\\n"); console.log("by console"); return this.good; },
  throws() { throw Object.assign(new RangeError("odd \\u001b[31m"), { code: 1n }); },
  promises() { return Promise.resolve(this.good); },
};
const input = v.object({});
function* run() { return yield* call(echo, 1); }
const flowsOf = (how) => [
  defineFlow({ name: "tags_" + how, input, tags: () => ODD[how].call({ good: { a: "b" } }), run }),
  defineFlow({ name: "key_" + how, input, limits: { running: 1, key: () => ODD[how].call({ good: "k" }) }, run }),
  defineFlow({ name: "unique_" + how, input, unique: { key: () => ODD[how].call({ good: "k" }) }, run }),
];
export const [a, b, c] = flowsOf("exits");
export const [d, e, f] = flowsOf("writes");
export const [g, h, i] = flowsOf("throws");
export const [j, k, l] = flowsOf("promises");
`;
  const runOwn = (flow: string): Promise<Ended> => sandbox.run(["run-flow", flow, "--flows", "own.ts"]);

  beforeAll(() => writeFile(join(sandbox.folder, "own.ts"), OWN));

  test.each([
    ["tags", "tags"],
    ["key", "limits.key"],
    ["unique", "unique.key"],
  ])("is its own: %s", async (kind, option) => {
    const [exits, writes, throws, promises] = await Promise.all(
      ["exits", "writes", "throws", "promises"].map((how) => runOwn(`${kind}_${how}`)),
    );
    expect([exits?.exit, exits?.stdout]).toEqual([2, ""]);
    expect(exits?.stderr).toMatch(new RegExp(`${option} failed for this input: .*process\\.exit\\(0\\).*own\\.ts:8:`));
    expect(taskOf(writes as Ended).status).toBe("COMPLETED");
    for (const how of ["process.stdout", "writeSync", "console"]) expect(writes?.stderr).toContain(`by ${how}\n`);
    expect([throws?.exit, throws?.stdout]).toEqual([2, ""]);
    expect(throws?.stderr).toMatch(/failed for this input: odd \\x1b\[31m \(at .*own\.ts:10:\d+\)/);
    expect([promises?.exit, promises?.stdout]).toEqual([2, ""]);
    expect(promises?.stderr).toMatch(/a promise.* It was at .*own\.ts:\d+:\d+\./s);
  });
});

test("a flow file that ends the process while it is loaded is refused, with the place", async () => {
  await writeFile(join(sandbox.folder, "leaves.ts"), "process.exit(0);\n");
  const { exit, stdout, stderr } = await sandbox.run(["flows", "--flows", "leaves.ts"]);
  expect([exit, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(/leaves\.ts:1:\d+: .*process\.exit\(0\)/);
});
