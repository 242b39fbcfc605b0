// What each command shows on a terminal: in its usual outcome, and in its main error. A new command brings its screens here.

import { Database } from "bun:sqlite";
import { cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Task } from "../../src/core/api/task.ts";
import { binary } from "./binary.ts";
import { openSandbox, type Sandbox } from "./harness.ts";

/** The tasks that are there, each made once, by name. */
export type TaskName = "done" | "waiting" | "failed" | "doubtful" | "planned" | "queued" | "cancelled" | "parked";

export interface Screen {
  readonly command: string;
  /** What becomes of it, as a sentence that goes on from the command: `of a task that waits`. */
  readonly what: string;
  /** What is typed after the program's name. */
  readonly args: (ids: Readonly<Record<TaskName, string>>) => readonly string[];
  readonly exit: number;
  /** What runs before, and is not shown. */
  readonly before?: readonly (readonly string[])[];
  /** It shows measurements, of which only the words are compared. */
  readonly measures?: boolean;
  /** What a person types, once the text before it is there. */
  readonly types?: readonly (readonly [text: string, typed: string])[];
}

const CTRL_C = "\u0003";
const ENTER = "\r";

const PAUSE = ["pause", "order", "--reason", "the bank is down", "--by", "ada"];
const TOKEN = ["tokens", "create", "--name", "ci", "--role", "submit", "--flows", "order"];
const SCHEDULE = [
  "schedule",
  "add",
  "hourly",
  "--flow",
  "order",
  "--cron",
  "0 * * * *",
  "--time-zone",
  "Europe/Berlin",
];

function screen(
  command: string,
  what: string,
  args: string | readonly string[] | Screen["args"],
  more: Partial<Screen> = {},
): Screen {
  const words = typeof args === "function" ? args : () => (typeof args === "string" ? args.split(" ") : args);
  return { command, what, args: (ids) => [command, ...words(ids).filter((word) => word !== "")], exit: 0, ...more };
}

export const SCREENS: readonly Screen[] = [
  screen("run-flow", "that runs to its end", "echo_add"),
  screen("run-flow", "that comes to wait", "order --qty 3"),
  screen("run-flow", "that fails", "order --qty 9", { exit: 1 }),
  screen("run-flow", "for a worker", "order --mode enqueue --at 2h"),
  screen("run-flow", "of a flow that is not there", "ordr", { exit: 3 }),
  screen("run-flow", "with several mistakes", "order --qty many --skuu A1 --gift", { exit: 2 }),
  screen("run-flow", "with an input that breaks the contract", "order --qty 99", { exit: 2 }),
  screen("run-flow", "that asks", "parcel --mode create", {
    types: [
      ["sku", `A${ENTER}`],
      ["must have at least 2 characters", `1${ENTER}`],
      ["gift", ENTER],
      ["tags", "y"],
      ["tags.0", `red${ENTER}`],
      ["add another", "n"],
      ["size", ENTER],
    ],
  }),
  screen("run-flow", "whose questions are left", "parcel", { exit: 130, types: [["sku", CTRL_C]] }),
  screen("run-task", "to its end", ({ planned }) => [planned]),
  screen("run-task", "of a task that is parked", ({ parked }) => [parked, "--log-level", "error"], { exit: 4 }),
  screen("run-task", "of a task that is not there", "0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a11", { exit: 3 }),
  screen("advance-task", "by one transition", ({ planned }) => [planned]),
  screen("advance-task", "without an id", "", { exit: 2 }),

  screen("get-task", "of one that waits", ({ waiting }) => [waiting]),
  screen("get-task", "of one that failed", ({ failed }) => [failed]),
  screen("get-task", "of one in doubt", ({ doubtful }) => [doubtful]),
  screen("get-task", "of one in the queue", ({ queued }) => [queued]),
  screen("get-task", "of one step", ({ failed }) => [failed, "--step", "1"]),
  screen("get-task", "of what is no id", "nope", { exit: 2 }),
  screen("traces", "of one that has ended", ({ done }) => [done]),
  screen("traces", "of one that failed", ({ failed }) => [failed]),
  screen("traces", "that nobody takes", ({ done }) => [done, "--send"], { exit: 2 }),
  screen("get-tasks", "of this database", ""),
  screen("get-tasks", "with a value that is none", "--limit many", { exit: 2 }),
  screen("watch", "until Ctrl-C", "", { exit: 130, types: [["Listening.", CTRL_C]] }),
  screen("watch", "with a filter that no event decides", "--waiting-for signal:approved --kind endet", { exit: 2 }),
  screen("workers", "where nobody works", ""),
  screen("workers", "with an option that there is not", "--al", { exit: 2 }),

  screen("signal-task", "that is waited for", ({ waiting }) => [waiting, "approved", "--payload", '{"by":"Ada"}']),
  screen("signal-task", "that asks for its payload", ({ waiting }) => [waiting, "approved"], {
    types: [["by", `Ada${ENTER}`]],
  }),
  screen(
    "signal-task",
    "with a payload that breaks the contract",
    ({ waiting }) => [waiting, "approved", "--payload", "5"],
    { exit: 2 },
  ),
  screen("signal-task", "that the flow does not take", ({ waiting }) => [waiting, "aproved"], { exit: 2 }),
  screen("cancel-task", "of one that waits", ({ waiting }) => [waiting]),
  screen("cancel-task", "of a task that is not there", "0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a11", { exit: 3 }),
  screen("retry-task", "of one that failed", ({ failed }) => [failed]),
  screen("retry-task", "of one that did not fail", ({ done }) => [done], { exit: 4 }),
  screen("resume-task", "of one whose flow has changed", ({ parked }) => [parked, "--log-level", "error"], { exit: 4 }),
  screen("resume-task", "of one that has ended", ({ done }) => [done]),
  screen("resolve", "by what came of it", ({ doubtful }) => [doubtful, "--output", '{"receipt":"R-17"}']),
  screen("resolve", "that asks how the step ended", ({ doubtful }) => [doubtful], {
    types: [
      ["end?", "\u001B[B"],
      ["did not happen", ENTER],
    ],
  }),
  screen("resolve", "of a task that is not in doubt", ({ done }) => [done, "--retry"], { exit: 4 }),

  screen("ui", "until Ctrl-C", "--no-open", { types: [["stops it.", CTRL_C]] }),
  screen("ui", "on a port that is none", "--port many", { exit: 2 }),
  screen("run-app", "until Ctrl-C", "--port 0", { types: [["Listening on", CTRL_C]] }),
  screen("run-app", "for everybody, without a token", "--host 0.0.0.0", { exit: 2 }),
  screen("work", "until Ctrl-C", "", { types: [["Waiting for tasks", CTRL_C]] }),
  screen("work", "with a value that is none", "--concurrency 0", { exit: 2 }),

  screen("pause", "of a flow", ["order", "--reason", "the bank is down", "--by", "ada"]),
  screen("pause", "of nothing", "", { exit: 2 }),
  screen("unpause", "of what is paused", "order", { before: [PAUSE] }),
  screen("unpause", "of two things at once", "order --all", { exit: 2 }),
  screen("pauses", "that hold flows back", "", { before: [PAUSE] }),
  screen("pauses", "with an argument too many", "order", { exit: 2 }),
  screen("tokens", "that are there", "", { before: [TOKEN] }),
  screen("tokens", "with an action that there is not", "delete", { exit: 2 }),
  screen("audit-log", "without an entry that matches", "--action pause --since 7d"),
  screen("audit-log", "with an action that there is not", "verfy", { exit: 2 }),
  // paused: what time is left to the next one is as wide as the hour makes it
  screen("schedules", "that are there", "", { before: [SCHEDULE, ["schedule", "pause", "hourly"]] }),
  screen("schedules", "with an argument too many", "hourly", { exit: 2 }),
  screen("schedule", "that is shown", "show hourly", { before: [SCHEDULE] }),
  screen("schedule", "that is not there", "show nightly", { exit: 3 }),
  screen("cancel-tasks", "that match, before it asks", "--flow order --dry-run"),
  screen("cancel-tasks", "that match, before it asks to end them by force", "--flow order --force --dry-run"),
  screen("cancel-tasks", "without a filter", "--yes", { exit: 2 }),
  screen("retry-tasks", "that match, before it asks", "--flow order --dry-run"),
  screen("retry-tasks", "without a filter", "--yes", { exit: 2 }),
  screen("resume-tasks", "that match, before it asks", "--all --dry-run"),
  screen("resume-tasks", "without a filter", "--yes", { exit: 2 }),
  screen("signal-tasks", "that match, before it asks", [
    "approved",
    "--payload",
    '{"by":"Ada"}',
    "--waiting-for",
    "signal:approved",
    "--dry-run",
  ]),
  screen("signal-tasks", "without a filter", "approved --yes", { exit: 2 }),
  screen("delete-tasks", "that match, before it asks", "--status CANCELLED --dry-run"),
  screen("delete-tasks", "without a filter", "--yes", { exit: 2 }),
  screen("purge", "that would remove nothing", "--dry-run"),
  screen("purge", "with an argument too many", "order", { exit: 2 }),
  screen("fork-task", "that lists what would happen again", ({ failed }) => [failed, "--from", "1", "--dry-run"]),
  screen("fork-task", "without a step", ({ failed }) => [failed], { exit: 2 }),
  screen("limits", "of the flows that are loaded", ""),
  screen("limits", "with an action that there is not", "drop openai", { exit: 2 }),

  screen("init", "of a new folder", "shop"),
  screen("init", "of an example that there is not", "shop --example incidnt", { exit: 2 }),
  screen("flows", "that are loaded", ""),
  screen("flows", "by name", "order"),
  screen("flows", "of a file with an error", "--flows broken.ts", { exit: 2 }),
  screen("types", "of the flows that are loaded", ""),
  screen("types", "into a folder without a name", ["--client", ""], { exit: 2 }),
  screen("openapi", "of the flows that are loaded", ""),
  screen("openapi", "of a file with an error", "--flows broken.ts", { exit: 2 }),
  screen("validate", "of an input that is valid", "order --qty 3"),
  screen("validate", "of an input that is not", "order --qty 99", { exit: 2 }),
  screen("test", "of a flow that init wrote", "shop", { before: [["init", "shop"]] }),
  screen("test", "where there are none", "", { exit: 2 }),

  screen("migrate", "where nothing is missing", ""),
  screen("migrate", "that tells what was applied", "--status"),
  screen("migrate", "of a file that is no database", "--database-url sqlite:flows.ts", { exit: 5 }),
  screen("backup", "to a new file", "copy.db"),
  screen("backup", "to a file that is there", "flows.ts", { exit: 2 }),
  screen("bench", "of this machine", "--tasks 100 --rounds 1", { measures: true }),
  screen("bench", "with a value that is none", "--rounds 0", { exit: 2 }),

  screen("help", "of a command", "backup"),
  screen("help", "of a command that there is not", "worker", { exit: 2 }),
  screen("version", "of the program", ""),
  screen("version", "with an argument too many", "now", { exit: 2 }),
];

const FLOWS = `
import { all, call, defineFlow, defineTool, runChild, sleep, waitForSignal } from "taskonaut";
import * as v from "valibot";
const qty = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(20));
const input = v.object({ sku: v.optional(v.pipe(v.string(), v.description("the article")), "A1"), qty: v.optional(qty, 2) });
const pay = defineTool({
  name: "pay", execution: "at-most-once", timeout: "20ms", input, output: v.object({ receipt: v.string() }),
  run: async ({ qty }) => {
    if (qty > 8) throw new Error("the bank 🏦 says 不可能: no more than eight of them, and nobody knows why that is so");
    if (qty > 7) await new Promise((resolve) => setTimeout(resolve, 60_000));
    return { receipt: "R-17" };
  },
});
export const ship = defineFlow({ name: "ship", description: "Waits for the parcel.", input, signals: { shipped: v.unknown() },
  *run() { yield* waitForSignal("shipped"); return "there"; } });
export const order = defineFlow({ name: "order", description: "Takes the money, then waits for 承認 and a parcel.", input,
  signals: { approved: v.object({ by: v.pipe(v.string(), v.description("who says so")) }) },
  *run({ sku, qty }) {
    yield* call(pay, { sku, qty }, { as: "take_the_money" });
    yield* all([waitForSignal("approved", { timeout: "2d" }), runChild(ship, { sku, qty }), sleep("3h")]);
    return "done";
  } });
export const parcel = defineFlow({ name: "parcel", input: v.object({
    sku: v.pipe(v.string(), v.minLength(2), v.description("the article, as it stands in the catalogue of this year")),
    gift: v.optional(v.boolean(), false), tags: v.optional(v.array(v.string())), size: v.optional(v.picklist(["s", "m", "l"])),
  }), *run() { return null; } });
export const edited = defineFlow({ name: "edited", input: v.object({}), signals: { go: v.unknown() },
  *run() { yield* waitForSignal("go"); } });
`;

/** A folder in which all the tasks are; each screen gets a copy. */
export async function prepareScreens(): Promise<{
  readonly ids: Readonly<Record<TaskName, string>>;
  copy(): Promise<Sandbox>;
  close(): Promise<void>;
}> {
  // By a short name on the path: a help text is wrapped by what the program is called.
  const bin = await mkdtemp(join(tmpdir(), "taskonaut-bin-"));
  await symlink(await binary(), join(bin, "taskonaut"));
  const open = (): Promise<Sandbox> => openSandbox({ ...ENV, PATH: `${bin}:/usr/bin:/bin` }, ["taskonaut"]);
  const sandbox = await open();
  await sandbox.write("flows.ts", FLOWS);
  await sandbox.write(
    "broken.ts",
    'import { defineFlow } from "taskonaut";\nexport default defineFlow({ nmae: "x" });\n',
  );
  const run = async (...args: string[]): Promise<string> =>
    (JSON.parse((await sandbox.run(["run-flow", ...args, "--log-level", "error"])).stdout) as Task).id;
  const ids: Record<TaskName, string> = {
    done: await run("echo_add"),
    waiting: await run("order"),
    failed: await run("order", "--qty", "9"),
    doubtful: await run("order", "--qty", "8"),
    planned: await run("echo_add", "--mode", "create"),
    queued: await run("order", "--mode", "enqueue", "--at", "2h"),
    cancelled: await run("ship"),
    parked: await run("edited"),
  };
  await sandbox.run(["cancel-task", ids.cancelled]);
  await sandbox.write("flows.ts", FLOWS.replace('waitForSignal("go")', 'sleep("1h")'));
  await sandbox.run(["signal-task", ids.parked, "go"]);
  await sandbox.run(["run-task", ids.parked]);
  setTimes(join(sandbox.folder, "taskonaut", "taskonaut.db"));
  return {
    ids,
    async copy() {
      const copy = await open();
      for (const name of ["flows.ts", "broken.ts", "taskonaut"])
        await cp(join(sandbox.folder, name), join(copy.folder, name), { recursive: true });
      return copy;
    },
    async close() {
      await sandbox[Symbol.asyncDispose]();
      await rm(bin, { recursive: true });
    },
  };
}

const ENV = { TASKONAUT_FLOWS: "flows.ts", TZ: "UTC" };

/** Everything was made three hours ago and took a second and a half, and what is waited for is still far. */
export function setTimes(path: string): void {
  const database = new Database(path);
  const made = Date.now() - 12_600_000;
  const [took, ahead] = [made + 1500, Date.now() + 9_000_000];
  database.run("update tasks set updated_at = ?", [took]);
  const all = database.query<{ id: string }, []>("select id from tasks order by created_at, id").all();
  // in the same order, and each at a time of its own
  for (const [place, { id }] of all.entries())
    database.run("update tasks set created_at = ? where id = ?", [made + place, id]);
  database.run("update tasks set due_at = ? where due_at is not null", [ahead]);
  database.run("update task_steps set created_at = ?, updated_at = ?", [made, took]);
  database.run("update task_steps set due_at = ? where kind = 'sleep'", [ahead]);
  database.run("update tool_calls set created_at = ?, started_at = ?", [made, made]);
  database.run("update tool_calls set finished_at = ? where finished_at is not null", [took]);
  database.close();
}
