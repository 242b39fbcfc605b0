// Every hint that the program can print, provoked by the compiled program and pasted into a shell. What a list is missing here
// the compiler tells: a hint can be printed only if `src/cli/hint-list.ts` has it.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { HintId } from "../../src/cli/hint-list.ts";
import type { Task } from "../../src/core/api/task.ts";
import { testDatabase } from "../support/postgres.ts";
import { binary } from "./binary.ts";
import { commandsIn, DATABASE, type Desk, FILE, find, openDesk, PLACE } from "./desk.ts";

setDefaultTimeout(60_000);

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
  async forkTask({ type, paste, create }) {
    const id = await create("nudged");
    const said = await type(["retry-task", id, ...PLACE]);
    expect(await paste(find(said, "fork-task"))).toContain(id);
  },
  async showOther({ type, paste, create }) {
    const id = await create("nudged");
    const send = (payload: string) =>
      type(["signal-task", id, "go", "--payload", payload, "--idempotency-key", "k", ...PLACE]);
    await send("1");
    expect(await paste(find(await send("2"), "get-task"))).toContain(id);
  },
  async listSchedules({ type, paste }) {
    // a command that only reads makes no database
    await type(["migrate", ...DATABASE]);
    const said = await type(["schedule", "show", "nothing", ...DATABASE]);
    expect(await paste(find(said, " schedules "))).toBe("[]\n");
  },
  async showSchedule({ type, paste }) {
    const add = ["schedule", "add", "taken", "--flow", "echo_add", "--every", "1h"];
    const input = ["--input", '{"text":"hello","a":1,"b":2}', ...DATABASE];
    await type([...add, ...input]);
    expect(await paste(find(await type([...add, ...input]), "schedule show"))).toContain('"taken"');
  },
  async pauseSchedule({ type, start, paste }) {
    const worker = start(["work", ...PLACE]);
    await worker.see("Worker started");
    const said = await type(["schedule", "remove", "yearly", ...PLACE]);
    expect(JSON.parse(await paste(find(said, "schedule pause")))).toMatchObject({ paused_at: expect.any(String) });
    await worker.stop("SIGTERM");
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
  async followAgain({ start, paste }) {
    const following = start(["run-flow", "sleeps", "--wait", ...PLACE]);
    await following.see("The task waits until");
    const { exit, stderr } = await following.stop("SIGINT");
    expect(exit).toBe(130);
    const command = find(stderr.replaceAll(await binary(), "./t").split("Stopped following")[1] ?? "", "--wait");
    expect(JSON.parse(await paste(command))).toMatchObject({ status: "COMPLETED" });
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
  async listTokens({ type, paste }) {
    await type(["migrate", ...DATABASE]);
    await type(["tokens", "create", "--name", "ci", "--role", "viewer", ...DATABASE]);
    expect(await paste(find(await type(["tokens", "revoke", "cl", ...DATABASE]), " tokens "))).toContain('"ci"');
  },
  async listPauses({ type, paste, create }) {
    await create("nudged");
    await type(["pause", "nudged", ...PLACE]);
    expect(await paste(find(await type(["unpause", "waits", ...DATABASE]), "pauses"))).toContain('"nudged"');
  },
  async unpause({ type, paste, create }) {
    await create("nudged");
    await type(["pause", "--tool", "stock", ...PLACE]);
    await type(["pause", "fails", ...PLACE]);
    const said = await type(["run-flow", "fails", ...PLACE]);
    expect(said.exit).toBe(4);
    expect(await paste(find(said, "unpause"))).toContain('"stock"');
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
      "hint: If its effect happened, give its result as JSON, in place of --retry: --output <json>.",
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
  async enqueue({ type, paste, serve }) {
    const server = await serve(PLACE);
    const made = await type(["tokens", "create", "--name", "ci", "--role", "submit", ...DATABASE]);
    const env = { TASKONAUT_API_TOKEN: (JSON.parse(made.stdout) as { readonly secret: string }).secret };
    const said = await type(["run-flow", "echo_add", "--a", "2", "--api-base-url", server.url], env);
    const task = JSON.parse(await paste(find(said, "--mode enqueue"), env)) as Task;
    expect(task).toMatchObject({ flow_name: "echo_add", input_payload: { a: 2 }, due_at: expect.any(String) });
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
