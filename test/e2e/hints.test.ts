// Every hint that the program can print, provoked by the compiled program and pasted into a shell. What a list is missing here
// the compiler tells: a hint can be printed only if `src/cli/hint-list.ts` has it.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { rm, symlink, writeFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { HintId } from "../../src/cli/hint-list.ts";
import type { Task } from "../../src/core/api/task.ts";
import { testDatabase } from "../support/postgres.ts";
import { binary } from "./binary.ts";
import { openSandbox, type Sandbox } from "./harness.ts";
import type { Ended } from "./served.ts";

setDefaultTimeout(60_000);

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
export const sleeps = defineFlow({ name: "sleeps", input, *run() { yield* sleep("1s"); } });
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
const FILE = `${FOLDER}/flows of (mine).ts`;
const DATABASE = ["--database-url", "sqlite:my tasks.db"];
const PLACE = [...DATABASE, "--flows", FILE];

/** Where a person sits, and types \`./t\`. */
interface Desk extends Sandbox {
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

async function openDesk(env: Variables = {}): Promise<Desk> {
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
function commandsIn(said: string): readonly string[] {
  return [...said.matchAll(/^(?:next:? +| {2})(\.\/t .+)$/gm)].map(([, command = ""]) => command);
}

/** The first of them that has these words. */
function find(said: Ended | string, words: string | RegExp): string {
  const text = typeof said === "string" ? said : `${said.stderr}\n${said.stdout}`;
  const found = commandsIn(text).find((command) =>
    typeof words === "string" ? command.includes(words) : words.test(command),
  );
  if (found === undefined) throw new Error(`No hint has ${words} in:\n${text}`);
  return found;
}

const UNKNOWN = "019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071";

type Provoke = (desk: Desk) => Promise<void>;

const HINTS: Readonly<Record<HintId, Provoke>> = {
  async helpOfProgram({ type, paste }) {
    expect(await paste(find(await type(["--nonsense"]), "--help"))).toContain("run-flow");
  },
  async helpOfCommand({ type, paste }) {
    expect(await paste(find(await type(["run-flow", "--a", "x"]), "run-flow --help"))).toContain("run-flow");
  },
  async helpOfFlow({ type, paste }) {
    const said = await type(["run-flow", "order", "--qty", "x", ...PLACE]);
    expect(await paste(find(said, "run-flow order --help"))).toContain("Fields of order:");
  },
  async listFlows({ type, paste }) {
    expect(await paste(find(await type(["run-flow", "nope", ...PLACE]), " flows "))).toContain('"order"');
  },
  async listTasks({ type, paste, create }) {
    const id = await create("nudged");
    expect(await paste(find(await type(["get-task", UNKNOWN, ...DATABASE]), "get-tasks"))).toContain(id);
  },
  async listTasksOfServer({ type, paste, create, serve }) {
    const id = await create("nudged");
    const server = await serve(PLACE);
    const said = await type(["get-task", UNKNOWN, "--api-base-url", server.url]);
    expect(await paste(find(said, "get-tasks"))).toContain(id);
  },
  async showTask({ type, paste, create }) {
    const id = await create("nudged");
    expect(await paste(find(await type(["resolve", id, "--retry", ...PLACE]), "get-task"))).toContain(id);
  },
  async showOther({ type, paste, create }) {
    const id = await create("nudged");
    const send = (payload: string) =>
      type(["signal-task", id, "go", "--payload", payload, "--idempotency-key", "k", ...PLACE]);
    await send("1");
    expect(await paste(find(await send("2"), "get-task"))).toContain(id);
  },
  async goOn({ type, paste }) {
    const said = await type(["run-flow", "order", "--sku", "A1", "--qty", "2", "--max-steps", "1", ...PLACE]);
    expect(JSON.parse(await paste(find(said, "run-task")))).toMatchObject({ status: "COMPLETED" });
  },
  async runTask({ show, paste }) {
    const said = await show(["run-flow", "order", "--sku", "A1", "--qty", "2", "--mode", "create", ...PLACE]);
    expect(JSON.parse(await paste(find(said, /run-task \S+ --data/)))).toMatchObject({ status: "COMPLETED" });
  },
  async followTask({ type, paste }) {
    const said = await type(["run-flow", "sleeps", ...PLACE]);
    expect(JSON.parse(await paste(find(said, "--wait")))).toMatchObject({ status: "COMPLETED" });
  },
  async followAgain({ folder, start, paste }) {
    const following = start(["run-flow", "sleeps", "--wait", ...PLACE]);
    await following.see("The task waits until");
    const { exit, stderr } = await following.stop("SIGINT");
    expect(exit).toBe(130);
    const command = find(stderr.replaceAll(await binary(), "./t").split("Stopped following")[1] ?? "", "--wait");
    expect(JSON.parse(await paste(command))).toMatchObject({ status: "COMPLETED" });
    expect(folder).not.toBe("");
  },
  async signalTask({ type, show, paste }) {
    const said = await type(["run-flow", "waits", ...PLACE]);
    const command = find(said, "signal-task");
    expect(command).toEndWith(
      ` approved --payload '{"by":"ada@example.org","cents":5}' --database-url 'sqlite:my tasks.db' --flows 'it'\\''s my $HOME/flows of (mine).ts'`,
    );
    const { id } = JSON.parse(said.stdout) as Task;
    // who only looks at it gets the same
    expect(find(await show(["get-task", id, ...PLACE]), "signal-task")).toBe(command);
    // what breaks the contract is answered with what does not
    const wrong = await type(["signal-task", id, "approved", "--payload", "1", ...PLACE]);
    expect(find(wrong, "signal-task")).toBe(command);
    await paste(command);
    const run = await type(["run-task", id, ...PLACE]);
    expect(JSON.parse(run.stdout)).toMatchObject({ status: "COMPLETED", output_payload: { cents: 5 } });
    // no payload where the contract wants none
    const nudged = await type(["run-flow", "nudged", ...PLACE]);
    expect(find(nudged, "signal-task")).not.toContain("--payload");
    await paste(find(nudged, "signal-task"));
  },
  async showFlow({ type, show, paste }) {
    const { id } = JSON.parse((await type(["run-flow", "waits", ...PLACE])).stdout) as Task;
    // who names no flows runs none of the task's file, unasked
    const command = find(await show(["get-task", id, ...DATABASE]), "flows waits");
    expect(await paste(command)).toContain('"cents"');
  },
  async resumeTask({ type, paste, writeFlows }) {
    const said = await type(["run-flow", "parks", ...PLACE]);
    expect(said.exit).toBe(4);
    await writeFlows("7");
    expect(JSON.parse(await paste(find(said, "resume-task")))).toMatchObject({ parked_reason: null });
  },
  async cancelByForce({ type, paste }) {
    const said = await type(["run-flow", "parks", ...PLACE]);
    expect(JSON.parse(await paste(find(said, "cancel-task")))).toMatchObject({ status: "CANCELLED" });
  },
  async retryTask({ show, paste }) {
    const said = await show(["run-flow", "fails", ...PLACE]);
    expect(JSON.parse(await paste(find(said, "retry-task")))).toMatchObject({ status: "RUNNING" });
  },
  async retryParent({ folder, type, paste, task }) {
    const { stdout } = await type(["run-flow", "parent", "--wait", ...PLACE]);
    const { id } = JSON.parse(stdout) as Task;
    const all = JSON.parse((await type(["get-tasks", ...DATABASE])).stdout) as Task[];
    const child = all.find(({ parent_task_id }) => parent_task_id === id);
    const said = await type(["retry-task", child?.id ?? "", ...PLACE]);
    await writeFile(join(folder, "mended"), "");
    await paste(find(said, "--wait"));
    await paste(find(said, `retry-task ${id}`));
    await type(["run-task", id, ...PLACE]);
    expect((await task(id)).status).toBe("COMPLETED");
  },
  async work({ type, during, task }) {
    const said = await type(["run-flow", "order", "--sku", "A1", "--qty", "2", "--mode", "enqueue", ...PLACE]);
    expect(said.stderr).toContain("No worker is running.");
    const { id } = JSON.parse(said.stdout) as Task;
    await during(find(said, " work"), async () => {
      while ((await task(id)).status !== "COMPLETED");
    });
  },
  async startWorkerOfServer({ type, serve, create }) {
    const id = await create("nudged");
    const server = await serve([...PLACE, "--no-worker"]);
    const said = await type(["signal-task", id, "go", "--api-base-url", server.url]);
    expect(said.stderr).toContain("No worker is running.");
    expect(said.stderr).toContain(
      "hint: A worker beside the server's database takes it: `run-app` has one unless --no-worker",
    );
  },
  async resolveByRetry({ folder, type, paste, task }) {
    const said = await type(["run-flow", "pays", ...PLACE]);
    const { id } = JSON.parse(said.stdout) as Task;
    await writeFile(join(folder, "mended"), "");
    await paste(find(said, "--retry"));
    await type(["run-task", id, ...PLACE]);
    expect((await task(id)).status).toBe("COMPLETED");
  },
  async resolveByFailing({ type, paste, task }) {
    const said = await type(["run-flow", "pays", ...PLACE]);
    const { id } = JSON.parse(said.stdout) as Task;
    await paste(find(said, "--fail"));
    await type(["run-task", id, ...PLACE]);
    expect((await task(id)).status).toBe("FAILED");
  },
  async resolveByOutput({ type, paste, task }) {
    const said = await type(["run-flow", "pays", ...PLACE]);
    const { id } = JSON.parse(said.stdout) as Task;
    expect(said.stderr).toContain(
      "hint: If its effect happened, give what came of it as JSON, in place of --retry: --output <json>.",
    );
    await paste(find(said, "--retry").replace("--retry", "--output '7'"));
    await type(["run-task", id, ...PLACE]);
    expect((await task(id)).status).toBe("COMPLETED");
  },
  async migrate({ type, paste }) {
    const database = await testDatabase();
    try {
      const url = ["--database-url", database.url];
      await paste(find(await type(["run-flow", ...url]), "migrate"), { DATABASE_URL: database.url });
      expect((await type(["run-flow", ...url])).exit).toBe(0);
    } finally {
      await database.drop();
    }
  },
  async serve({ type, during }) {
    using free = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
    const url = `http://127.0.0.1:${free.port}`;
    await free.stop(true);
    const said = await type(["get-tasks", "--api-base-url", url]);
    expect(said.exit).toBe(5);
    await during(find(said, "run-app"), async () => {
      while ((await type(["get-tasks", "--api-base-url", url])).exit !== 0);
    });
  },
  async setToken({ type, serve }) {
    const server = await serve([], { env: { TASKONAUT_API_TOKEN: "a-token-of-some-length" } });
    const { stderr } = await type(["get-tasks", "--api-base-url", server.url]);
    expect(stderr).toContain("hint: Set TASKONAUT_API_TOKEN to the token that the server was started with.\n");
    const env = { TASKONAUT_API_TOKEN: "a-token-of-some-length" };
    expect((await type(["get-tasks", "--api-base-url", server.url], env)).exit).toBe(0);
  },
  async setUrlVariable({ type, paste }) {
    const database = await testDatabase();
    try {
      // a server that trusts whoever comes asks for no password, and takes any
      const url = database.url.replace(/:\/\/(\w+)@/, "://$1:s3cret@");
      const { password } = new URL(url);
      const said = await type(["run-flow", "--database-url", url]);
      expect(said.stderr + said.stdout).not.toContain(password);
      expect(said.stderr).toContain(
        "hint: A hint repeats no password. Set DATABASE_URL to the URL that was given with --database-url",
      );
      const command = find(said, "migrate");
      expect(command).toEndWith('migrate --database-url "$DATABASE_URL"');
      await paste(command, { DATABASE_URL: url });
      // without the variable it does not go to another database
      expect((await type(["run-flow", "--database-url", ""])).stderr).toContain("expected a URL");
      const again = await type(["run-flow", "nope", "--database-url", url], { DATABASE_URL: url });
      expect(again.stderr).not.toContain("Set DATABASE_URL");
    } finally {
      await database.drop();
    }
  },
  async makeTask({ type, paste }) {
    await paste(find(await type(["get-tasks", ...PLACE]), "run-flow"));
    expect((await type(["get-tasks", ...PLACE])).exit).toBe(0);
  },
  async makeFirstTask({ type, show, paste }) {
    await type(["migrate", ...DATABASE]);
    await paste(find(await show(["get-tasks", ...DATABASE]), "run-flow"));
    expect(JSON.parse((await type(["get-tasks", ...DATABASE])).stdout)).toHaveLength(1);
  },
  async loadFlowsOf({ create, type, paste }) {
    const id = await create("nudged");
    const said = await type(["signal-task", id, "go", "--payload", '{"it\'s":"$PATH"}', ...DATABASE]);
    expect(said.exit).toBe(4);
    await paste(find(said, "signal-task"));
    const run = await type(["run-task", id, ...PLACE]);
    expect(JSON.parse(run.stdout)).toMatchObject({ status: "COMPLETED" });
  },
  async flowFileGone({ folder, create, type }) {
    const id = await create("nudged");
    await rm(join(folder, FILE));
    const { exit, stderr } = await type(["run-task", id, ...DATABASE]);
    expect(exit).toBe(4);
    expect(stderr).toContain(`hint: The task's flow came from ${join(folder, FILE)}, which is not there any more.`);
  },
  async showFault({ folder, type, create }) {
    await create("nudged");
    const { Database } = await import("bun:sqlite");
    using database = new Database(join(folder, "my tasks.db"));
    database.run("create trigger broken before insert on tasks begin select raise(abort, 'no more'); end");
    const said = await type(["run-flow", ...DATABASE]);
    expect(said.exit).toBe(70);
    const seen = Bun.spawnSync(["sh", "-c", find(said, "--log-level debug")], { cwd: folder });
    expect([seen.exitCode, seen.stderr.toString().includes("    at ")]).toEqual([70, true]);
  },
  async runExample({ show, paste }) {
    const said = await show(["flows", "order", "--flows", FILE]);
    expect(JSON.parse(await paste(find(said, "run-flow order")))).toMatchObject({ status: "COMPLETED" });
  },
  tryFlows: tryInit("flows", (said) => expect(said).toContain('"order"')),
  tryValidate: tryInit("validate", (said) => expect(said).toContain('"steps"')),
  tryTests: tryInit("test", (said) => expect(said).toContain(" 0 fail")),
  tryFlow: tryInit("run-flow", (said) => expect(JSON.parse(said)).toMatchObject({ status: "COMPLETED" })),
};

function tryInit(command: string, check: (said: string) => void): Provoke {
  return async ({ show, paste }) => {
    check(await paste(find(await show(["init", "a 'new' folder"]), ` ${command} `)));
  };
}

describe("pasted as it is, it does what it says:", () => {
  test.each(Object.entries(HINTS))("%s", async (_id, provoke) => {
    await using desk = await openDesk();
    await provoke(desk);
  });
});

test("what comes from the environment needs no option, and the program is named as it was called", async () => {
  await using desk = await openDesk({ DATABASE_URL: "sqlite:env.db", TASKONAUT_FLOWS: FILE, PATH: "/usr/bin:/bin:." });
  const said = await desk.type(["run-flow", "nudged"]);
  const { id } = JSON.parse(said.stdout) as Task;
  expect(commandsIn(said.stderr)).toEqual([`./t signal-task ${id} go`]);
  const byName = Bun.spawnSync(["sh", "-c", "t get-task x"], {
    cwd: desk.folder,
    env: { PATH: `/usr/bin:/bin:${desk.folder}`, HOME: desk.folder, DATABASE_URL: "sqlite:env.db" },
  });
  expect(byName.stderr.toString()).toEndWith("\n  t get-tasks\n");
});

test("a task of a flow that was named by path alone is driven on by hints of commands that name none", async () => {
  await using desk = await openDesk();
  const { stdout } = await desk.type(["run-flow", "sleeps", ...PLACE]);
  const { id } = JSON.parse(stdout) as Task;
  const command = find(await desk.show(["get-task", id, ...DATABASE]), "--wait");
  expect(command).toContain(`--flows '${join(desk.folder, FILE).replaceAll("'", `'\\''`)}'`);
  expect(JSON.parse(await desk.paste(command))).toMatchObject({ status: "COMPLETED" });
});

test("what could not be pasted is not offered: a task in memory is gone with its process", async () => {
  await using desk = await openDesk();
  const { stderr } = await desk.type(["run-flow", "sleeps", "--database-url", "sqlite::memory:", "--flows", FILE]);
  expect(stderr).toMatch(/^The task waits until .*\n$/);
});

test("with --json the hints of an error are a list of commands and texts", async () => {
  await using desk = await openDesk();
  const { stderr } = await desk.type(["run-flow", "parks", "--json", ...PLACE]);
  const { hint } = JSON.parse(stderr.trim().split("\n").at(-1) ?? "") as { hint: string[] };
  expect(hint).toHaveLength(2);
  await desk.paste(hint[1] ?? "");
});
