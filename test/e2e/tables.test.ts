// What tables look like in a real pseudo-terminal, from the narrowest to the widest. The pictures stand in `__snapshots__`:
// look at each one that changes (`bun test -u` takes it).

import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Task } from "../../src/core/api/task.ts";
import { binary } from "./binary.ts";
import { openSandbox, type Sandbox } from "./harness.ts";
import { normalize } from "./normal-screen.ts";
import { setTimes } from "./screens.ts";

setDefaultTimeout(120_000);

const FLOWS = `
import { all, call, defineFlow, defineTool, runChild, sleep, waitForSignal } from "taskonaut";
import * as v from "valibot";
const input = v.object({ sku: v.optional(v.string(), "A1"), qty: v.optional(v.number(), 2) });
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
  signals: { approved: v.unknown() },
  *run({ sku, qty }) {
    yield* call(pay, { sku, qty }, { as: "take_the_money" });
    yield* all([waitForSignal("approved", { timeout: "2d" }), runChild(ship, { sku, qty }), sleep("3h")]);
    return "done";
  } });
`;

let sandbox: Sandbox;
let ids: Readonly<Record<"waiting" | "failed" | "doubtful" | "queued" | "ended", string>>;

beforeAll(async () => {
  sandbox = await openSandbox({ TASKONAUT_FLOWS: "flows.ts" });
  await writeFile(join(sandbox.folder, "flows.ts"), FLOWS);
  const run = async (...args: string[]): Promise<string> =>
    (JSON.parse((await sandbox.run(["run-flow", ...args, "--log-level", "error"])).stdout) as Task).id;
  ids = {
    ended: await run("--text", "wide ☃ 漢字 👩‍👩‍👧 ".repeat(10)),
    waiting: await run("order"),
    failed: await run("order", "--qty", "9"),
    doubtful: await run("order", "--qty", "8"),
    queued: await run("order", "--mode", "enqueue", "--at", "2h"),
  };
  const path = join(sandbox.folder, "taskonaut", "taskonaut.db");
  setTimes(path);
  addWorkers(path);
});
afterAll(() => sandbox[Symbol.asyncDispose]());

/** As setTimes has them. */
function addWorkers(path: string): void {
  const database = new Database(path);
  const made = Date.now() - 12_600_000;
  for (const name of ["laptop:17", "a-host-with-a-rather-long-name.example.org:4711"]) {
    database.run(
      `insert into workers (id, name, concurrency, started_at, lease_until, lease_ms) values (?, ?, 100, ?, ?, 1000)`,
      [crypto.randomUUID(), name, name.startsWith("a") ? made : made + 1, made],
    );
  }
  database.close();
}

const COLUMNS = [20, 40, 80, 120, 300];

const COMMANDS = {
  "get-tasks": () => ["get-tasks"],
  "get-tasks --view summary": () => ["get-tasks", "--view", "summary"],
  "get-task of one that waits": () => ["get-task", ids.waiting],
  "get-task of one that failed": () => ["get-task", ids.failed],
  "get-task of one in doubt": () => ["get-task", ids.doubtful],
  "get-task of one in the queue": () => ["get-task", ids.queued],
  "get-task of one that has ended": () => ["get-task", ids.ended],
  "get-task --step": () => ["get-task", ids.failed, "--step", "1"],
  "get-task of an id that several begin with": () => ["get-task", ids.ended.slice(0, 4)],
  "migrate --status": () => ["migrate", "--status"],
  workers: () => ["workers"],
  flows: () => ["flows"],
} satisfies Readonly<Record<string, () => readonly string[]>>;

async function show(args: readonly string[], columns: number): Promise<{ shown: string; raw: string }> {
  const terminal = await sandbox.terminal(args, { columns });
  await terminal.exited();
  const program = await binary();
  return { shown: normalize(terminal.shown.replaceAll(program, "taskonaut")), raw: terminal.raw };
}

/** What is there to be copied is whole, however wide that is, and so is a payload; talk and hints are wrapped by nobody. */
const UNCUT = /^(?:(?:task|parent|key|at|next|child|error:|hint:) |  .*taskonaut| +[\d-]{36}(?:$|:)| +")/;

describe.each(Object.entries(COMMANDS))("%s", (_, argsOf) => {
  test.each(COLUMNS)("at %p columns", async (columns) => {
    const { shown } = await show(argsOf(), columns);
    expect(shown).toMatchSnapshot();
    const tooWide = shown.split("\n").filter((line) => Bun.stringWidth(line) > columns && !UNCUT.test(line));
    expect(tooWide.filter((line) => !line.startsWith("sqlite:"))).toEqual([]);
  });
});

test("the colours are the same on light and dark, and each can be read there", async () => {
  const { raw } = await show(["get-tasks"], 120);
  const NAMES = {
    "1": "bold",
    "38;5;243": "dim",
    "38;5;196": "red",
    "38;5;28": "green",
    "38;5;130": "yellow",
    "38;5;31": "cyan",
  };
  // oxlint-disable-next-line no-control-regex -- escapes are what it looks for
  const named = raw.replace(/\u001B\[([\d;]*)m/g, (_, code: string) =>
    code === "0" ? "}" : `{${NAMES[code as keyof typeof NAMES] ?? "?"} `,
  );
  expect(normalize(named).replaceAll("\r", "")).toMatchSnapshot();
});
