// What a person sees while a task runs: the program in a real pseudo-terminal, read by an emulator of one.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { TaskSummary } from "../../src/core/api/task.ts";
import { catches } from "../support/catches.ts";
import { Screen, screenOf } from "../support/screen.ts";
import { until } from "../support/until.ts";
import { binary } from "./binary.ts";
import { openSandbox, type Sandbox } from "./harness.ts";
import type { Terminal } from "./terminal.ts";

setDefaultTimeout(120_000);

const ESCAPE = "\u001B";
const TURNS = "[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]";

/** Tools wait for files, so that a test says when they go on. */
const FLOWS = `
import { existsSync } from "node:fs";
import { all, call, defineFlow, defineTool, runChild, waitForSignal } from "taskonaut";
import * as v from "valibot";
const until = async (file: string): Promise<void> => { while (!existsSync(file)) await Bun.sleep(10); };
const hold = defineTool({ name: "hold", input: v.object({ file: v.string() }), output: v.string(), timeout: "2m",
  async run({ file }) {
    console.log("holding for", file);
    await until(file);
    process.stdout.write("half a line, ");
    process.stdout.write("and its end\\n");
    return file;
  } });
const charge = defineTool({ name: "charge", input: v.object({}), output: v.string(), timeout: "2m",
  retry: { attempts: 3, base: "60s", max: "60s", jitter: 0 },
  async run(_, { attempt, log }) {
    log.warn?.("about to charge", { attempt });
    if (attempt === 1) throw new Error("connection refused");
    return "receipt";
  } });
const input = v.object({ parts: v.optional(v.number(), 3) });
export const ship = defineFlow({ name: "ship", input: v.object({}), *run() {
  return yield* call(hold, { file: "pack" }, { as: "pack" });
} });
export const order = defineFlow({ name: "order", input, signals: { approved: v.unknown() },
  *run({ parts }) {
    const names = Array.from({ length: parts }, (_, at) => "part_" + at);
    yield* all([runChild(ship, {}), ...names.map((name) => call(hold, { file: "parts" }, { as: name }))]);
    yield* waitForSignal("approved");
    return "done";
  } });
export const pay = defineFlow({ name: "pay", input: v.object({}), *run() { return yield* call(charge, {}); } });
`;

/** Children that get the terminal, in every way that there is. */
const GUESTS = `
import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { $ } from "bun";
import { call, defineFlow, defineTool } from "taskonaut";
import * as v from "valibot";
const until = async (file: string): Promise<void> => { while (!existsSync(file)) await Bun.sleep(10); };
const sh = (name: string, end = "\\\\n"): string[] =>
  ["sh", "-c", "echo " + name + " says; until [ -e go ]; do sleep 0.02; done; printf '" + name + " is over" + end + "'"];
const runs: Record<string, () => unknown> = {
  bun: () => Bun.spawn(sh("bun", ""), { stdio: ["ignore", "inherit", "inherit"] }).exited,
  errors: () => Bun.spawn(["sh", "-c", "echo errors say >&2"]).exited,
  node: () => new Promise((resolve) => spawn("sh", sh("node").slice(1), { stdio: "inherit" }).on("exit", resolve)),
  sync: () => execFileSync("sh", sh("sync").slice(1), { stdio: "inherit" }),
  shell: () => $\`sh -c \${sh("shell")[2]}\`,
  taken: () => $\`echo taken\`.text(),
};
const tools = Object.entries(runs).map(([name, run]) => defineTool({ name, input: v.null(), output: v.null(), timeout: "2m",
  async run() { await run(); await until("then"); return null; } }));
export const guests = defineFlow({ name: "guests", input: v.object({}), *run() {
  for (const tool of tools) yield* call(tool, null);
} });
`;

const BLOCKED = `
import { writeSync } from "node:fs";
import { call, defineFlow, defineTool } from "taskonaut";
import * as v from "valibot";
const input = v.object({});
const forever = () => { for (;;); };
const spin = defineTool({ name: "spin", input, output: v.string(), run() {
  writeSync(2, "spinning\\n");
  forever();
} });
export const endless = defineFlow({ name: "endless", input, *run() { forever(); } });
export const plan = defineFlow({ name: "plan", input, plan: () => forever() });
export const pattern = defineFlow({ name: "pattern", input, *run() {
  for (;;) /^(a+)+$/.test("a".repeat(60) + "b");
} });
export const busy = defineFlow({ name: "busy", input, *run() { return yield* call(spin, {}); } });
`;

async function openPlace(command?: readonly string[]): Promise<Sandbox> {
  const sandbox = await openSandbox({ TASKONAUT_FLOWS: "flows.ts", LOG_STYLE: "human" }, command);
  await sandbox.write("flows.ts", FLOWS);
  return sandbox;
}

/** What goes to stdout goes through a pipe. */
async function openPiped(): Promise<Sandbox> {
  return openPlace(["/bin/sh", "-c", '"$0" "$@" | cat', await binary()]);
}

async function idOf(sandbox: Sandbox, name = "@last"): Promise<string> {
  return (JSON.parse((await sandbox.run(["get-task", name])).stdout) as TaskSummary).id;
}

/** Nothing is hidden, and the shell's prompt comes on a line of its own. */
async function expectClean({ raw }: Pick<Terminal, "raw">, columns = 100): Promise<void> {
  expect(raw).not.toContain(`${ESCAPE}[?25l`);
  expect(raw).not.toContain(`${ESCAPE}[?1049h`);
  const screen = new Screen(columns, 40);
  // what the terminal itself echoes
  await screen.write(raw.replaceAll("^C", ""));
  expect(screen.cursor.column).toBe(0);
}

describe("a task that runs", () => {
  test("shows its id, steps, children and waits, and what is said stands above them", async () => {
    await using sandbox = await openPlace();
    const terminal = await sandbox.terminal(["run-flow", "order", "--wait"], { columns: 100 });
    const [, id = ""] = await terminal.see(new RegExp(`${TURNS} (\\S{36}) {2}order {2}0\\.\\d s\\n`));
    await terminal.see(new RegExp(`${TURNS} 1 pack +\\d\\.\\d s`));
    await terminal.see(new RegExp(`${TURNS} 4 part_2 +\\d\\.\\d s`));
    const lines = (await screenOf(terminal.raw, 100)).split("\n");
    const [head, ...steps] = lines.slice(
      lines.findIndex((line) => line.includes(id)),
      -1,
    );
    expect(head).toMatch(new RegExp(`^${TURNS} ${id} {2}order {2}\\d+\\.\\d s$`));
    expect(steps.map((line) => line.replace(/ +\d+\.\d s$/, "").replaceAll(new RegExp(TURNS, "g"), "*"))).toEqual([
      "  * 1 ship",
      "    * 1 pack",
      "  * 2 part_0",
      "  * 3 part_1",
      "  * 4 part_2",
    ]);
    await sandbox.write("parts", "");
    await terminal.see(/✔ 4 part_2 +\d/);
    await sandbox.write("pack", "");
    await terminal.see(/The task waits for signal approved\.\nnext: .* signal-task \S+ approved/);
    await terminal.see(/◌ \S{36} {2}order {2}WAITING for signal approved/);
    await terminal.see("◌ 5 approved");
    await sandbox.run(["signal-task", id, "approved"]);
    await terminal.see("status   COMPLETED");
    expect(await terminal.exited()).toBe(0);
    const shown = await screenOf(terminal.raw, 100);
    // each line of the log once, whole, and nothing of what stood below it
    expect(shown.match(/^holding for parts$/gm)).toHaveLength(3);
    expect(shown.match(/^holding for pack$/gm)).toHaveLength(1);
    expect(shown.match(/^half a line, and its end$/gm)).toHaveLength(4);
    expect(shown).not.toMatch(new RegExp(`${TURNS}|✔|◌`));
    await expectClean(terminal);
  });

  test("steps aside for children that have the terminal, and comes back below what they have written", async () => {
    await using sandbox = await openPlace();
    await sandbox.write("flows.ts", GUESTS);
    const terminal = await sandbox.terminal(["run-flow", "guests"], { columns: 100 });
    await terminal.see("bun says");
    await sandbox.write("go", "");
    await terminal.see(new RegExp(`bun is over[^]*${TURNS}`));
    await sandbox.write("then", "");
    await terminal.see("status   COMPLETED");
    expect(await terminal.exited()).toBe(0);
    const shown = await screenOf(terminal.raw, 100);
    const rows = shown.split(/\n| {3,}/).filter((row) => / (?:says?|is over)$/.test(row));
    expect(rows).toEqual([
      "bun says",
      "bun is over",
      "errors say",
      ...["node", "sync", "shell"].flatMap((name) => [`${name} says`, `${name} is over`]),
    ]);
    await expectClean(terminal);
  });

  test.each([40, 80, 120])("in %i columns no line is torn by a log line or a retry", async (columns) => {
    await using sandbox = await openPlace();
    const terminal = await sandbox.terminal(["run-flow", "pay", "--wait"], { columns });
    await terminal.see(/↻ 1 charge +(?:\d|a)/);
    const lines = (await screenOf(terminal.raw, columns)).split("\n");
    expect(lines.filter((line) => line.includes("about to charge"))).toHaveLength(1);
    const step = lines.filter((line) => line.includes("↻"));
    expect(step).toHaveLength(1);
    expect(Bun.stringWidth(step[0] ?? "")).toBeLessThan(columns);
    if (columns >= 80) expect(step[0]).toMatch(/attempt 2(?: of 3)? in \S+ (?:s|min)/);
    // until somebody watches its event loop, a signal ends it without a word
    await until(() => catches(terminal.pid, "SIGINT"), "it listens for Ctrl-C");
    terminal.press("ctrl-c");
    await terminal.see("Stopped following.");
    expect(await terminal.exited()).toBe(130);
    await expectClean(terminal, columns);
  });

  test("of many steps those that run are shown as far as there is room", async () => {
    await using sandbox = await openPlace();
    const terminal = await sandbox.terminal(["run-flow", "order", "--parts", "300"]);
    await terminal.see(/… 2\d\d more: .*running/);
    const lines = (await screenOf(terminal.raw, 100)).split("\n");
    const head = lines.findLastIndex((line) => / {2}order {2}\d/.test(line));
    expect(lines.length - head).toBeLessThanOrEqual(40);
    for (const file of ["parts", "pack"]) await sandbox.write(file, "");
    await terminal.see("status   WAITING for signal approved");
    expect(await terminal.exited()).toBe(0);
    await expectClean(terminal);
  });

  test("is shown as well where a server runs it", async () => {
    await using sandbox = await openPlace();
    const { url } = await sandbox.serve();
    const terminal = await sandbox.terminal(["run-flow", "order"], { env: { TASKONAUT_API_URL: url } });
    await terminal.see(new RegExp(`${TURNS} 1 pack +\\d\\.\\d s`));
    await sandbox.write("parts", "");
    await terminal.see(/✔ 4 part_2 +\d/);
    await sandbox.write("pack", "");
    await terminal.see("status   WAITING for signal approved");
    expect(await terminal.exited()).toBe(0);
  });

  test.each([
    ["NO_COLOR", "1"],
    ["TERM", "dumb"],
    ["CI", "true"],
  ])("is told line by line with %s=%s", async (name, value) => {
    await using sandbox = await openPlace();
    const terminal = await sandbox.terminal(["run-flow", "order"], { env: { [name]: value } });
    await terminal.see(/Task \S{36} of flow order\n/);
    await terminal.see("2 part_0  RUNNING");
    await sandbox.write("parts", "");
    await terminal.see(/2 part_0 {2}COMPLETED {2}\d/);
    await sandbox.write("pack", "");
    expect(await terminal.exited()).toBe(0);
    expect(terminal.raw).not.toContain(`${ESCAPE}[K`);
    expect(terminal.shown.match(/2 part_0 {2}RUNNING/g)).toHaveLength(1);
  });

  test("says nothing of it to a program", async () => {
    await using sandbox = await openPlace();
    for (const file of ["parts", "pack"]) await sandbox.write(file, "");
    const { stdout, stderr } = await sandbox.run(["run-flow", "order"], { env: { LOG_LEVEL: "error" } });
    expect(JSON.parse(stdout)).toMatchObject({ flow_name: "order" });
    expect(stderr).not.toContain(ESCAPE);
    expect(stderr).not.toContain("RUNNING");
  });
});

describe("--watch", () => {
  test("get-task shows a task that others drive until it has ended, and then whole", async () => {
    await using sandbox = await openPlace();
    await sandbox.run(["run-flow", "order", "--mode", "enqueue"]);
    const terminal = await sandbox.terminal(["get-task", "@last", "--watch"]);
    await terminal.see(/◌ \S{36} {2}order {2}QUEUED/);
    const worker = sandbox.start(["work"]);
    await terminal.see(new RegExp(`${TURNS} 1 pack +\\d\\.\\d s`));
    for (const file of ["parts", "pack"]) await sandbox.write(file, "");
    await terminal.see("WAITING for signal approved");
    await sandbox.run(["signal-task", "@last:order", "approved"]);
    await terminal.see("status   COMPLETED");
    expect(await terminal.exited()).toBe(0);
    await expectClean(terminal);
    expect(await screenOf(terminal.raw, 100)).toMatch(/^task {5}\S{36}\n/);
    await worker.stop();
  });

  test("get-task in a pipe gives a summary for each change, the last of them ended", async () => {
    await using sandbox = await openPiped();
    for (const file of ["parts", "pack"]) await sandbox.write(file, "");
    await sandbox.run(["run-flow", "order"]);
    const args = ["get-task", "@last:order", "--watch", "--format", "ndjson"];
    const watching = await sandbox.terminal(args);
    await watching.see('"status":"WAITING_OBSERVATION"');
    await sandbox.run(["signal-task", "@last:order", "approved"]);
    await sandbox.run(["run-task", "@last:order"]);
    await watching.exited();
    const lines = watching.shown.trimEnd().split("\n");
    const summaries = lines.map((line) => JSON.parse(line) as TaskSummary);
    expect([summaries[0]?.status, summaries.at(-1)?.status]).toEqual(["WAITING_OBSERVATION", "COMPLETED"]);
    expect(summaries[0]).not.toHaveProperty("input_payload");
    expect(new Set(lines).size).toBe(lines.length);
    expect((await sandbox.run(args)).stdout).toBe(`${lines.at(-1)}\n`);
  });

  test("get-tasks shows the newest in place until Ctrl-C, and what changes meanwhile", async () => {
    await using sandbox = await openPlace();
    await sandbox.run(["run-flow", "echo_add", "--mode", "create"]);
    const terminal = await sandbox.terminal(["get-tasks", "--watch", "--flow", "echo_add"]);
    await terminal.see(/PLANNED +echo_add/);
    await sandbox.run(["run-task", "@last"]);
    await terminal.see(/COMPLETED +echo_add/);
    terminal.press("ctrl-c");
    await terminal.see("Stopped watching.");
    expect(await terminal.exited()).toBe(130);
    const shown = await screenOf(terminal.raw, 100);
    expect(shown).toMatch(/^TASK .*\n\S+ +COMPLETED +echo_add .*\nAll tasks\. Ctrl-C stops\.\nStopped watching\.\n$/);
    await expectClean(terminal);
  });

  test("get-tasks in a pipe gives a line for each task that is new or has changed, also of a server", async () => {
    await using sandbox = await openPiped();
    await using server = await openPlace();
    const { url } = await server.serve();
    const env = { TASKONAUT_API_URL: url };
    await sandbox.run(["run-flow", "echo_add", "--mode", "create"], { env });
    const watching = await sandbox.terminal(["get-tasks", "--watch", "--format", "ndjson"], { env });
    await watching.see('"status":"PLANNED"');
    await sandbox.run(["run-task", "@last"], { env });
    await watching.see('"status":"COMPLETED"');
    await sandbox.run(["run-flow", "pay", "--mode", "create"], { env });
    await watching.see('"flow_name":"pay"');
    watching.press("ctrl-c");
    await watching.see("Stopped watching.");
    await watching.exited();
    expect(watching.shown.match(/^\{.*\}$/gm)).toHaveLength(3);
  });

  test("is refused where it cannot be shown", async () => {
    await using sandbox = await openPlace();
    for (const args of [
      ["get-task", "@last", "--watch"],
      ["get-tasks", "--watch"],
      ["get-tasks", "--watch", "--json"],
    ]) {
      const { exit, stderr } = await sandbox.run(args);
      expect(exit).toBe(2);
      expect(stderr).toContain("--watch");
      expect(stderr).toContain("needs a terminal, or --format ndjson");
    }
    const { stderr } = await sandbox.run(["get-task", "@last", "--watch", "--format", "ndjson", "--step", "1"]);
    expect(stderr).toContain("--step: means nothing with --watch");
  });
});

describe("Ctrl-C while the event loop is blocked ends the command, and leaves a clean terminal", () => {
  /** Nothing else ends it. */
  const env = {
    TASKONAUT_FLOWS: "flows.ts",
    TASKONAUT_FLOW_STUCK_MS: "86400000",
    TASKONAUT_STUCK_MS: "86400000",
    TASKONAUT_TOOL_TIMEOUT_MS: "86400000",
  };

  async function openBlocked(): Promise<Sandbox> {
    const sandbox = await openSandbox(env);
    await sandbox.write("flows.ts", BLOCKED);
    return sandbox;
  }

  /** Presses it now and then: a process that is blocked cannot hear the first one at once. */
  async function expectEnded(terminal: Terminal): Promise<void> {
    const ended = terminal.exited();
    const pressing = setInterval(() => terminal.press("ctrl-c"), 500);
    try {
      expect(await ended).toBe(130);
    } finally {
      clearInterval(pressing);
    }
    await expectClean(terminal);
  }

  test.each(["endless", "pattern", "busy"])("run-flow of %s, whose id is seen", async (flow) => {
    await using sandbox = await openBlocked();
    const terminal = await sandbox.terminal(["run-flow", flow]);
    await terminal.see(new RegExp(`${TURNS} \\S{36} `));
    await expectEnded(terminal);
    expect(terminal.shown).toContain(await idOf(sandbox));
  });

  /** As fast as a person presses it twice. */
  async function expectTwoEnough(terminal: Terminal): Promise<void> {
    await terminal.see("spinning");
    terminal.press("ctrl-c");
    const again = setTimeout(() => terminal.press("ctrl-c"), 150);
    const exit = await terminal.exited().finally(() => clearTimeout(again));
    expect(exit).toBe(130);
    await expectClean(terminal);
  }

  test.each(["sqlite:own.db", "sqlite::memory:"])("two presses are enough in the first moments (%s)", async (url) => {
    await using sandbox = await openBlocked();
    await expectTwoEnough(await sandbox.terminal(["run-flow", "busy", "--database-url", url]));
  });

  test("two presses are enough for a worker, too", async () => {
    await using sandbox = await openBlocked();
    await sandbox.run(["run-flow", "busy", "--mode", "enqueue"]);
    await expectTwoEnough(await sandbox.terminal(["work"]));
  });

  test.each(["run-task", "advance-task"])("%s", async (command) => {
    await using sandbox = await openBlocked();
    await sandbox.run(["run-flow", "busy", "--mode", "create"]);
    if (command === "advance-task") await sandbox.run(["advance-task", "@last"]);
    await expectEnded(await sandbox.terminal([command, "@last"]));
  });

  test("validate", async () => {
    await using sandbox = await openBlocked();
    await expectEnded(await sandbox.terminal(["validate", "plan"]));
  });
});
