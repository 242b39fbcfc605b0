// A person at a terminal, a real pseudo-terminal: text instead of JSON, questions, colours, and the way out.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Task } from "../../src/core/api/task.ts";
import { insist } from "../support/insist.ts";
import { binary } from "./binary.ts";
import { closeGate } from "./gate.ts";
import { openSandbox, type Sandbox } from "./harness.ts";
import { screenOf } from "../support/screen.ts";
import { openPlace } from "./place.ts";
import { taskOf } from "./tasks.ts";
import type { Terminal } from "./terminal.ts";

setDefaultTimeout(120_000);

const ESCAPE = "\u001B";
const QUESTIONS = [
  "text: the text to echo",
  "a: the first integer",
  "b: the second integer",
  "What to do with the task?",
];

async function tasksOf(sandbox: Pick<Sandbox, "run">): Promise<Task[]> {
  return JSON.parse((await sandbox.run(["get-tasks"])).stdout) as Task[];
}

/** Runs a command to its end in a terminal. `shown` is what stands there then. */
async function show(
  sandbox: Sandbox,
  args: readonly string[],
  options?: Parameters<Sandbox["terminal"]>[1],
): Promise<Pick<Terminal, "shown" | "raw"> & { exit: number }> {
  const terminal = await sandbox.terminal(args, options);
  const exit = await terminal.exited();
  const { raw } = terminal;
  return { exit, shown: await screenOf(raw, options?.columns ?? 100), raw };
}

/** Waits for the question, lets the person type, and presses Enter. */
async function answer(terminal: Terminal, question: string, type = (): void => {}): Promise<void> {
  await terminal.see(question);
  type();
  terminal.press("enter");
}

/** Takes what was typed away, and types something else. */
function retype(terminal: Terminal, before: string, text: string): void {
  for (let length = before.length; length > 0; length--) terminal.press("backspace");
  terminal.type(text);
}

describe("what is shown", () => {
  test("a task with its facts, and a table of its steps", async () => {
    await using sandbox = await openSandbox();
    const { exit, shown } = await show(sandbox, ["run-flow", "--text", "hi", "--a", "-5", "--b", "7"]);
    const [{ id } = { id: "" }] = await tasksOf(sandbox);
    expect(exit).toBe(0);
    const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z`;
    const pattern = [
      `task     ${id}`,
      "flow     echo_add",
      "status   COMPLETED",
      `created  ${time}  \\(just now\\)`,
      `updated  ${time}  \\(took \\d+ ms\\)`,
      'input    {"text":"hi","a":-5,"b":7}',
      'output   {"echo":{"text":"hi"},"add":{"sum":2}}',
      "",
      "#  STEP  STATUS +TIME +RESULT",
      '1  echo  COMPLETED +\\d+ ms +{"text":"hi"}',
      '2  add   COMPLETED +\\d+ ms +{"sum":2}',
      "",
    ].join("\n");
    expect(shown).toMatch(new RegExp(`^${pattern}$`));
    const withoutAge = (text: string): string => text.replace(/ {2}\((?:just now|\d+ s ago)\)/, "");
    expect(withoutAge((await show(sandbox, ["get-task", id])).shown)).toBe(withoutAge(shown));
  });

  test("a task that failed says why", async () => {
    await using sandbox = await openSandbox();
    const { exit, shown } = await show(sandbox, ["run-flow", "--a", "9007199254740991", "--log-level", "error"]);
    expect(exit).toBe(1);
    expect(shown).toMatch(/^status {3}FAILED$/m);
    expect(shown).toMatch(/^error {4}The output of tool add: sum: must be an integer/m);
    expect(shown).toMatch(/^2 {2}add {3}FAILED .*The output of tool add/m);
  });

  test("a list of the newest, and that there are more", async () => {
    await using sandbox = await openSandbox();
    await sandbox.run(["migrate"]);
    expect((await show(sandbox, ["get-tasks"])).shown).toBe(
      `No tasks yet.\nhint: make one:\n  ${await binary()} run-flow\n`,
    );
    for (let n = 0; n < 3; n++) await sandbox.run(["run-flow", "--mode", "create"]);
    const ids = (await tasksOf(sandbox)).map(({ id }) => id);
    const { shown } = await show(sandbox, ["get-tasks", "--limit", "2"]);
    const lines = shown.split("\n");
    expect(lines[0]).toMatch(/^TASK +STATUS +FLOW +CREATED +INPUT$/);
    expect(lines[1]).toMatch(
      new RegExp(
        `^${ids[0]?.slice(0, 13)}\\S* +PLANNED +echo_add +(?:just now|\\d+ s ago) +\\{"text":"hello","a":1,"b":2\\}$`,
      ),
    );
    expect(lines[2]).toStartWith(ids[1]?.slice(0, 13) ?? "");
    expect(lines.slice(3)).toEqual(["The newest 2; --limit N shows more.", ""]);
    expect((await show(sandbox, ["get-tasks", "--limit", "3"])).shown).not.toContain("shows more");
  });

  test("migrations, and what is missing", async () => {
    await using sandbox = await openSandbox();
    expect((await show(sandbox, ["migrate", "--status"])).shown).toMatch(/^sqlite:\S+\n# .*\n1 {2}initial +pending\n$/);
    expect((await show(sandbox, ["migrate"])).shown).toMatch(
      /^Applied to sqlite:\S+:\n# .*\n1 {2}initial +\d{4}-.*Z\n$/,
    );
    expect((await show(sandbox, ["migrate"])).shown).toMatch(/^Nothing was missing in sqlite:\S+\.\n$/);
  });

  test("JSON where --json asks for it", async () => {
    await using sandbox = await openSandbox();
    const { shown } = await show(sandbox, ["run-flow", "--json"]);
    const [task] = await tasksOf(sandbox);
    expect(JSON.parse(shown)).toEqual(task);
    expect(shown).toStartWith('{\n  "id": ');
    expect(JSON.parse((await show(sandbox, ["get-tasks", "--json"])).shown)).toEqual([task]);
    const { exit, shown: error } = await show(sandbox, ["get-task", "5", "--json"]);
    expect(exit).toBe(2);
    expect(JSON.parse(error)).toMatchObject({ code: "task_id_invalid" });
  });

  test("no line is wider than the terminal, but for what cannot be cut", async () => {
    await using sandbox = await openSandbox();
    const { id } = taskOf(await sandbox.run(["run-flow", "--text", "wide ☃ 漢字 👩‍👩‍👧 ".repeat(100)]));
    for (const columns of [200, 120, 80]) {
      const { shown } = await show(sandbox, ["get-task", id], { columns });
      const widths = shown.split("\n").map((line) => Bun.stringWidth(line));
      expect(Math.max(...widths)).toBeLessThanOrEqual(columns);
      expect(Math.max(...widths)).toBeGreaterThan(columns - 3);
    }
    const { exit, shown } = await show(sandbox, ["get-task", id], { columns: 20 });
    expect(exit).toBe(0);
    expect(shown).toContain(id);
  });

  test("is the same where flow files are loaded, also with stderr elsewhere", async () => {
    const elsewhere = ["/bin/sh", "-c", 'exec "$0" "$@" 2> talk.txt', await binary()];
    await using sandbox = await openSandbox({}, elsewhere);
    await writeFile(
      join(sandbox.folder, "flow.ts"),
      `import { call, defineFlow, defineTool } from "taskonaut";
       import * as v from "valibot";
       const input = v.object({});
       const talk = defineTool({ name: "talk", input, output: v.string(), async run() {
         await Bun.$\`echo talk of the tool\`;
         return "wide ☃ 漢字 👩‍👩‍👧 ".repeat(100);
       } });
       export const wide = defineFlow({ name: "wide", input, plan: () => [call(talk, {})] });`,
    );
    for (const columns of [200, 80]) {
      const { exit, raw, shown } = await show(sandbox, ["run-flow", "wide", "--flows", "flow.ts"], { columns });
      expect(exit).toBe(0);
      expect(raw).toContain(`${ESCAPE}[38;5;28mCOMPLETED${ESCAPE}[0m`);
      expect(shown).not.toContain("talk of the tool");
      const widths = shown.split("\n").map((line) => Bun.stringWidth(line));
      expect(Math.max(...widths)).toBeLessThanOrEqual(columns);
      expect(Math.max(...widths)).toBeGreaterThan(columns - 3);
    }
    expect(await readFile(join(sandbox.folder, "talk.txt"), "utf8")).toContain("talk of the tool");
  });
});

describe("colours", () => {
  const IN_PLACE = new RegExp(`\\r(?:${ESCAPE}\\[\\d+A)?|${ESCAPE}\\[[JK]`, "g");
  const COLOURS = new RegExp(`${ESCAPE}\\[(?:0|1|38;5;(?:28|31|63|130|196|243))m`, "g");

  test("are there for a person, and gone with NO_COLOR or a terminal that has none", async () => {
    await using sandbox = await openSandbox();
    const { raw } = await show(sandbox, ["run-flow", "--text", "x"]);
    expect(raw).toContain(`${ESCAPE}[38;5;28mCOMPLETED${ESCAPE}[0m`);
    for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) {
      for (const args of [["run-flow", "--text", "x"], ["get-tasks"], ["migrate", "--status"], ["get-task", "5"]]) {
        expect((await show(sandbox, args, { env })).raw).not.toContain(ESCAPE);
      }
    }
  });

  test("are the only controls, with those that show a task in place: what users wrote is shown, not obeyed", async () => {
    await using sandbox = await openSandbox();
    const evil = `${ESCAPE}[2J${ESCAPE}]0;title\u0007 \u009B31m \u202Egnp.exe \r\nforged line \b\u007F`;
    for (const args of [
      ["run-flow", "--text", evil],
      ["run-flow", "--json", "--text", evil],
      ["get-tasks"],
      [evil],
      ["get-task", evil],
      [`--${evil}`],
      ["run-flow", evil],
      ["run-flow", "--a", evil],
    ]) {
      const { raw } = await show(sandbox, args);
      expect(raw).not.toBe("");
      const own = raw.replaceAll("\r\n", "").replace(COLOURS, "").replace(IN_PLACE, "");
      // oxlint-disable-next-line no-control-regex -- controls are what it looks for
      expect(own).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u202A-\u202E]/);
    }
    const [task] = await tasksOf(sandbox);
    expect(task?.input_payload).toMatchObject({ text: evil });
  });
});

describe("questions", () => {
  test("the defaults are taken with Enter, and every step is shown as it runs", async () => {
    await using place = await openPlace("postgres");
    await using gate = await closeGate(place, "add");
    const terminal = await place.terminal(["run-flow"]);
    for (const question of QUESTIONS) await answer(terminal, question);
    await gate.reached();
    await terminal.see(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] 2 add +\d\.\d s/);
    await gate.open();
    await terminal.see('output   {"echo":{"text":"hello"},"add":{"sum":3}}');
    expect(await terminal.exited()).toBe(0);
  });

  test("what is typed is taken exactly, a wrong number is refused and asked for again", async () => {
    await using sandbox = await openSandbox();
    const terminal = await sandbox.terminal(["run-flow"]);
    await answer(terminal, "text: the text to echo", () => terminal.type(" 007 ☃"));
    await answer(terminal, "a: the first integer", () => terminal.type("2.5"));
    await terminal.see('expected an integer, got "2.5"');
    await answer(terminal, "", () => retype(terminal, "2.5", "9007199254740992"));
    await terminal.see("is beyond ±9007199254740991");
    await answer(terminal, "", () => retype(terminal, "9007199254740992", "-40"));
    await answer(terminal, "b: the second integer");
    await answer(terminal, "What to do with the task?", () => terminal.press("down"));
    expect(await terminal.exited()).toBe(0);
    const tasks = await tasksOf(sandbox);
    expect(tasks).toMatchObject([{ status: "RUNNING", input_payload: { text: " 007 ☃", a: -40, b: 2 } }]);
  });

  test.each(["ctrl-c", "escape"] as const)("%s at any question creates nothing and exits with 130", async (key) => {
    await using sandbox = await openSandbox();
    for (const [index, last] of QUESTIONS.entries()) {
      const terminal = await sandbox.terminal(["run-flow"]);
      for (const question of QUESTIONS.slice(0, index)) await answer(terminal, question);
      await terminal.see(last);
      terminal.press(key);
      await terminal.see("Cancelled. No task was created.");
      expect(await terminal.exited()).toBe(130);
    }
    expect(await tasksOf(sandbox)).toEqual([]);
  });

  test("are the same by way of a server", async () => {
    await using sandbox = await openSandbox();
    const { url } = await sandbox.serve();
    const terminal = await sandbox.terminal(["run-flow"], { env: { TASKONAUT_API_URL: url } });
    for (const question of QUESTIONS) await answer(terminal, question);
    await terminal.see("status   COMPLETED");
    expect(await terminal.exited()).toBe(0);
  });

  test("ask only for what a named flow lacks", async () => {
    await using sandbox = await openSandbox();
    await sandbox.run(["init", "flows"]);
    const terminal = await sandbox.terminal(["run-flow", "order", "--qty", "3"]);
    await answer(terminal, "sku: the article, such as A1", () => terminal.type("A"));
    await terminal.see("must have at least 2 characters");
    await answer(terminal, "", () => terminal.type("1"));
    expect(await terminal.exited()).toBe(0);
    expect(terminal.shown).not.toContain("how many of it");
    expect(await tasksOf(sandbox)).toMatchObject([{ status: "COMPLETED", input_payload: { sku: "A1", qty: 3 } }]);
    const { exit, shown } = await show(sandbox, ["run-flow", "order", "--sku", "B22"]);
    expect([exit, shown.includes("the article")]).toEqual([0, false]);
  });

  test("are not asked of who has said something, or of no terminal", async () => {
    await using sandbox = await openSandbox();
    for (const args of [
      ["run-flow", "echo_add"],
      ["run-flow", "--b", "5"],
      ["run-flow", "--json"],
    ]) {
      const { exit, shown } = await show(sandbox, args);
      expect([exit, shown.includes("the text to echo")]).toEqual([0, false]);
    }
    expect((await sandbox.run(["run-flow"])).exit).toBe(0);
    expect(await tasksOf(sandbox)).toHaveLength(4);
  });

  test("with --max-steps they leave the mode out, and the bound holds", async () => {
    await using sandbox = await openSandbox();
    const terminal = await sandbox.terminal(["run-flow", "--max-steps", "3"]);
    for (const question of QUESTIONS.slice(0, 3)) await answer(terminal, question);
    await terminal.see("did not reach terminal state within 3 steps");
    expect(await terminal.exited()).toBe(4);
    expect(terminal.shown).not.toContain("What to do with the task?");
    expect(await tasksOf(sandbox)).toMatchObject([{ status: "RUNNING", current_step: 1 }]);
  });
});

describe("Ctrl-C while a task runs", () => {
  test("lets the running step end, which is shown, and says how to go on", async () => {
    await using sandbox = await openSandbox({ TASKONAUT_FLOWS: "flows.ts" });
    await sandbox.write(
      "flows.ts",
      `import { existsSync } from "node:fs";
       import { call, defineFlow, defineTool } from "taskonaut";
       import * as v from "valibot";
       const input = v.object({});
       const hold = defineTool({ name: "hold", input, output: v.string(), async run() {
         while (!existsSync("go")) await Bun.sleep(20);
         return "held";
       } });
       export const held = defineFlow({ name: "held", input, plan: () => [call(hold, {}), call(hold, {}, { as: "later" })] });`,
    );
    const terminal = await sandbox.terminal(["run-flow", "held"]);
    await terminal.see(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] 1 hold/);
    terminal.press("ctrl-c");
    await terminal.see("Stopping after the running step; once more stops at once.");
    await terminal.see(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] 1 hold/);
    await sandbox.write("go", "");
    await terminal.see("Stopped. Everything done so far is kept.");
    expect(await terminal.exited()).toBe(130);
    const [task] = await tasksOf(sandbox);
    expect(task).toMatchObject({ status: "WAITING_OBSERVATION", current_step: 1 });
    const shown = await screenOf(terminal.raw, 100);
    expect(shown).toMatch(
      /^Stopping .*\n\S .* held .*\n {2}✔ 1 hold +\S+ m?s\n {2}· 2 later\nStopped. .*\nhint: continue from there:\n.*\n$/,
    );
    expect(shown).toContain(`hint: continue from there:\n  ${await binary()} run-task ${task?.id}`);
    expect(taskOf(await sandbox.run(["run-task", task?.id ?? ""]))).toMatchObject({ status: "COMPLETED" });
  });

  test("shows the task where it came to its end all the same", async () => {
    await using place = await openPlace("postgres");
    await using gate = await closeGate(place, "add");
    const { id } = taskOf(await place.run(["run-flow", "--mode", "create"]));
    const terminal = await place.terminal(["run-task", id]);
    await gate.reached();
    terminal.press("ctrl-c");
    await terminal.see("Stopping after the running step");
    await gate.open();
    await terminal.see("status   COMPLETED");
    expect(await terminal.exited()).toBe(0);
  });

  test("twice waits for nothing; what had been recorded is kept", async () => {
    await using place = await openPlace("postgres");
    await using gate = await closeGate(place, "add");
    const { id } = taskOf(await place.run(["run-flow", "--mode", "create"]));
    const terminal = await place.terminal(["run-task", id]);
    await gate.reached();
    terminal.press("ctrl-c");
    await terminal.see("once more stops at once");
    expect(await insist(() => terminal.press("ctrl-c"), terminal.exited())).toBe(130);
    await terminal.see("Stopped at once.");
    await gate.open();
    expect(taskOf(await place.run(["run-task", id])).status).toBe("COMPLETED");
  });
});
