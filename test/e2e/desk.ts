// Where a person sits who types `./t`, in a folder and with flows whose names want to be quoted; and the hints in what was said.

import { expect } from "bun:test";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Task } from "../../src/core/api/task.ts";
import { binary } from "./binary.ts";
import { openSandbox, type Sandbox } from "./harness.ts";
import type { Ended } from "./served.ts";

const FLOWS = `
import { call, defineFlow, defineTool, runChild, sleep, waitForSignal } from "taskonaut";
import { existsSync } from "node:fs";
import * as v from "valibot";

const input = v.object({});
const retry = { attempts: 1 };
const fragile = defineTool({
  name: "fragile", input, output: v.null(), retry,
  run() {
    if (!existsSync("mended")) throw new Error("it is broken");
    return null;
  },
});
const pay = defineTool({
  name: "pay", input, output: v.any(), execution: "at-most-once", timeout: "20ms",
  run: () => (existsSync("mended") ? null : new Promise(() => {})),
});
const Approval = v.strictObject({ by: v.pipe(v.string(), v.email()), cents: v.pipe(v.number(), v.integer(), v.minValue(5)) });

export const waits = defineFlow({
  name: "waits", input, signals: { approved: Approval, "nudged.again": v.any() },
  *run() { return yield* waitForSignal("approved"); },
});
export const nudged = defineFlow({
  name: "nudged", input, signals: { go: v.any() }, *run() { yield* waitForSignal("go"); },
});
const schedules = [{ name: "yearly", cron: "@yearly" }];
export const sleeps = defineFlow({ name: "sleeps", input, schedules, *run() { yield* sleep("1s"); } });
export const fails = defineFlow({ name: "fails", input, *run() { yield* call(fragile, {}); } });
export const parent = defineFlow({ name: "parent", input, *run() { yield* runChild(fails, {}); } });
export const pays = defineFlow({ name: "pays", input, *run() { yield* call(pay, {}); } });
export const order = defineFlow({
  name: "order", description: "An order.", input: v.object({ sku: v.string(), qty: v.pipe(v.number(), v.minValue(2)) }), *run() { return 1; },
});
export const parks = defineFlow({ name: "parks", input, *run() { return PARKS; } });
`;

/** Words that want to be quoted. */
const FOLDER = "it's my $HOME";
export const FILE = `${FOLDER}/flows of (mine).ts`;
export const DATABASE = ["--database-url", "sqlite:my tasks.db"];
export const PLACE = [...DATABASE, "--flows", FILE];

/** Where a person sits, and types `./t`. */
export interface Desk extends Sandbox {
  readonly start: Sandbox["start"];
  readonly serve: Sandbox["serve"];
  /** Types this, and gives what was said. */
  readonly type: (args: readonly string[], env?: Variables) => Promise<Ended>;
  /** The same at a terminal, whose width is no matter. */
  readonly show: (args: readonly string[]) => Promise<string>;
  /** Creates a task of the flow, which is not begun. */
  readonly create: (flow: string) => Promise<string>;
  readonly task: (id: string) => Promise<Task>;
  /** Pastes the command. It ends well. */
  readonly paste: (command: string, env?: Variables) => Promise<string>;
  /** Runs it until it is stopped by what is given, or by its end. */
  readonly during: (command: string, use: () => Promise<void>) => Promise<void>;
  readonly writeFlows: (parks: string) => Promise<void>;
}

type Variables = Readonly<Record<string, string>>;

export async function openDesk(env: Variables = {}): Promise<Desk> {
  const sandbox = await openSandbox(env);
  const { folder } = sandbox;
  await symlink(await binary(), join(folder, "t"));
  await mkdir(join(folder, FOLDER));
  const shell = (script: string, more: Variables = {}) =>
    Bun.spawn(["sh", "-c", script], {
      cwd: folder,
      env: {
        PATH: "/usr/bin:/bin",
        HOME: folder,
        XDG_DATA_HOME: folder,
        LANG: "C.UTF-8",
        NO_COLOR: "1",
        ...env,
        ...more,
      },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
  const run = async (script: string, more?: Variables): Promise<Ended> => {
    const child = shell(script, more);
    const [exit, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
    return { exit, stdout, stderr };
  };
  const type = (args: readonly string[], more?: Variables): Promise<Ended> =>
    run(`./t ${args.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ")}`, more);
  const desk: Desk = {
    ...sandbox,
    type,
    async show(args) {
      const terminal = await sandbox.terminal(args, { columns: 400, env: { NO_COLOR: "1", ...env } });
      await terminal.exited();
      // there it is started by its path
      return terminal.shown.replaceAll(await binary(), "./t");
    },
    async create(flow) {
      const { stdout } = await type(["run-flow", flow, "--mode", "create", ...PLACE]);
      return (JSON.parse(stdout) as Task).id;
    },
    async task(id) {
      return JSON.parse((await type(["get-task", id, ...DATABASE])).stdout) as Task;
    },
    async paste(command, more) {
      const { exit, stdout, stderr } = await run(command, more);
      expect({ command, exit, stderr: exit === 0 ? "" : stderr }).toEqual({ command, exit: 0, stderr: "" });
      return stdout;
    },
    async during(command, use) {
      const child = shell(`exec ${command}`);
      try {
        await use();
      } finally {
        child.kill("SIGTERM");
      }
      expect(await child.exited).toBe(0);
    },
    writeFlows: async (parks) => {
      await writeFile(join(folder, FILE), FLOWS.replace("PARKS", parks));
    },
  };
  await desk.writeFlows("Date.now()");
  return desk;
}

/** Commands that were said to be next, or stand on a line of their own, in the order of the lines. */
export function commandsIn(said: string): readonly string[] {
  return [...said.matchAll(/^(?:next:? +| {2})(\.\/t .+)$/gm)].map(([, command = ""]) => command);
}

/** The first of them that has these words. */
export function find(said: Ended | string, words: string | RegExp): string {
  const text = typeof said === "string" ? said : `${said.stderr}\n${said.stdout}`;
  const found = commandsIn(text).find((command) =>
    typeof words === "string" ? command.includes(words) : words.test(command),
  );
  if (found === undefined) throw new Error(`No hint has ${words} in:\n${text}`);
  return found;
}
