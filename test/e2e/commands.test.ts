// Every command, at every door: on SQLite, on PostgreSQL, and by way of a server with and without a token. The door must
// not show: same output, same messages, same exit codes.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Task, TaskSummary } from "../../src/core/api/task.ts";
import { testDatabase } from "../support/postgres.ts";
import { openSandbox } from "./harness.ts";
import type { Ended } from "./served.ts";
import { openPlace, type Place } from "./place.ts";
import { expectCompleted, taskOf } from "./tasks.ts";

setDefaultTimeout(120_000);

const UNKNOWN_ID = "0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a11";
const TOKEN = "a-token-of-visible-ASCII-!~";

interface Door {
  readonly place: Place;
  /** Global options that lead through the door. */
  readonly options: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const DOORS: Readonly<Record<string, () => Promise<Door>>> = {
  sqlite: async () => ({ place: await openPlace("sqlite"), options: [], env: {} }),
  postgres: async () => ({ place: await openPlace("postgres"), options: [], env: {} }),
  "--api-base-url": async () => {
    const place = await openPlace("sqlite");
    const { url } = await place.serve();
    return { place, options: ["--api-base-url", url], env: {} };
  },
  "TASKONAUT_API_URL with a token": async () => {
    const place = await openPlace("postgres");
    const { url } = await place.serve([], { env: { TASKONAUT_API_TOKEN: TOKEN } });
    return { place, options: [], env: { DATABASE_URL: "", TASKONAUT_API_URL: `${url}/`, TASKONAUT_API_TOKEN: TOKEN } };
  },
};

describe.each(Object.keys(DOORS))("%s", (name) => {
  let door: Door;
  const run = (...args: string[]): Promise<Ended> => door.place.run([...args, ...door.options], { env: door.env });

  beforeAll(async () => {
    door = await (DOORS[name] as () => Promise<Door>)();
  });
  afterAll(() => door.place[Symbol.asyncDispose]());

  test("run-flow creates a task and runs it to its end", async () => {
    const result = await run("run-flow", "--text", "hello", "--a", "2", "--b", "3");
    expect(result.stderr).toBe("");
    expect(result.stdout).toEndWith("\n");
    const task = taskOf(result);
    expectCompleted(task, { echo: { text: "hello" }, add: { sum: 5 } });
    expect(task).toMatchObject({
      flow_name: "echo_add",
      current_step: 2,
      input_payload: { text: "hello", a: 2, b: 3 },
    });
    expect(taskOf(await run("get-task", task.id))).toEqual(task);
    expect(taskOf(await run("get-task", task.id.toUpperCase(), "--json"))).toEqual(task);
  });

  test("a task is named by the beginning of its id, by @last, and by @last of its flow", async () => {
    const created = taskOf(await run("run-flow", "--mode", "create", "--text", "x".repeat(10_000)));
    for (const typed of [
      created.id.slice(0, 23),
      created.id.replaceAll("-", "").slice(0, 20).toUpperCase(),
      "@last",
      "@last:echo_add",
    ])
      expect(taskOf(await run("get-task", typed))).toEqual(created);
    expect(taskOf(await run("run-task", "@last"))).toMatchObject({ id: created.id, status: "COMPLETED" });
    const unknown = await run("cancel-task", "ffff0000");
    expect(unknown.exit).toBe(3);
    expect(unknown.stderr).toStartWith("error: There is no task whose id begins with ffff0000.\n");
    const later = taskOf(await run("run-flow", "--mode", "create"));
    const several = await run("cancel-task", later.id.slice(0, 4), "--json");
    expect(several.exit).toBe(2);
    const { errors } = JSON.parse(several.stderr) as { errors: readonly { path: string; message: string }[] };
    expect(errors).toContainEqual({
      path: created.id,
      message: expect.stringContaining("echo_add, COMPLETED, ") as string,
    });
  });

  test("a summary is the task without its payloads, and --step one of its steps", async () => {
    const task = taskOf(await run("run-flow", "--text", "x".repeat(10_000)));
    const { tool_calls: _copies, input_payload: _input, output_payload: _output, ...rest } = task;
    const summary = JSON.parse((await run("get-task", task.id, "--view", "summary")).stdout) as TaskSummary;
    expect(summary).toEqual({ ...rest, steps: summary.steps });
    expect(summary.steps.map(({ id }) => id)).toEqual(task.steps.map(({ id }) => id));
    expect(JSON.stringify(summary)).not.toContain("_payload");
    const listed = await run("get-tasks", "--limit", "1", "--view", "summary", "--format", "ndjson");
    expect(JSON.parse(listed.stdout)).toEqual(summary);
    expect(JSON.parse((await run("get-task", task.id, "--step", "2")).stdout)).toEqual(task.steps[1]);
  });

  test("one task's life, call by call", async () => {
    const created = taskOf(await run("run-flow", "echo_add", "--mode", "create"));
    const states = [created];
    for (let call = 0; call < 6; call++) states.push(taskOf(await run("advance-task", created.id)));
    expect(states.map((task) => [task.status, task.current_step, task.tool_calls.length, task.output_payload])).toEqual(
      [
        ["PLANNED", 0, 0, null],
        ["RUNNING", 0, 0, null],
        ["WAITING_OBSERVATION", 1, 1, null],
        ["RUNNING", 1, 1, null],
        ["WAITING_OBSERVATION", 2, 2, null],
        ["COMPLETED", 2, 2, { echo: { text: "hello" }, add: { sum: 3 } }],
        ["COMPLETED", 2, 2, { echo: { text: "hello" }, add: { sum: 3 } }],
      ],
    );
    expect(states[6]).toEqual(states[5] as Task);
    expect(taskOf(await run("run-task", created.id))).toEqual(states[5] as Task);
  });

  test("run-flow --mode advance makes the first transition", async () => {
    expect(taskOf(await run("run-flow", "--mode", "advance")).status).toBe("RUNNING");
  });

  test("a run that uses up --max-steps exits with 4, keeps what was done, and goes on from there", async () => {
    const short = await run("run-flow", "--max-steps", "3");
    expect({ exit: short.exit, stdout: short.stdout }).toEqual({ exit: 4, stdout: "" });
    const [, id = ""] = /^error: Task (\S+) did not reach terminal state within 3 steps$/m.exec(short.stderr) ?? [];
    expect(taskOf(await run("get-task", id))).toMatchObject({ status: "RUNNING", current_step: 1 });
    const shorter = await run("run-task", id, "--max-steps", "1", "--json");
    expect(shorter.exit).toBe(4);
    expect(JSON.parse(shorter.stderr)).toMatchObject({
      code: "max_steps_exhausted",
      message: `Task ${id} did not reach terminal state within 1 steps`,
    });
    expectCompleted(taskOf(await run("run-task", id, "--max-steps", "1")));
  });

  test("a task that FAILED is printed, with exit code 1 for who ran it and 0 for who looks at it", async () => {
    const result = await run("run-flow", "--a", "9007199254740991", "--b", "1", "--log-level", "error");
    expect({ exit: result.exit, stderr: result.stderr }).toEqual({ exit: 1, stderr: "" });
    const task = JSON.parse(result.stdout) as Task;
    expect(task).toMatchObject({
      status: "FAILED",
      output_payload: null,
      error_message: expect.stringContaining("sum: must be an integer"),
      steps: [{ status: "COMPLETED" }, { status: "FAILED", error_message: expect.stringContaining("sum") }],
      tool_calls: [{ status: "COMPLETED" }, { status: "FAILED", last_error: expect.stringContaining("sum") }],
    });
    expect((await run("run-task", task.id)).exit).toBe(1);
    expect((await run("advance-task", task.id)).exit).toBe(1);
    expect(taskOf(await run("get-task", task.id))).toEqual(task);
  });

  test("get-tasks prints every task as one array, newest first, or as many as --limit says", async () => {
    for (const text of ["first", "second", "third"]) await run("run-flow", "--text", text, "--mode", "create");
    const all = await run("get-tasks");
    const tasks = JSON.parse(all.stdout) as Task[];
    expect(tasks.length).toBeGreaterThan(3);
    expect(tasks.slice(0, 3).map(({ input_payload }) => input_payload)).toEqual(
      ["third", "second", "first"].map((text) => ({ text, a: 1, b: 2 })),
    );
    const two = await run("get-tasks", "--limit", "2");
    expect(JSON.parse(two.stdout)).toEqual(tasks.slice(0, 2));
    for (const { exit, stderr } of [all, two]) expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
  });

  test("errors say what is wrong, on stderr, with their exit code", async () => {
    const cases: [exit: number, code: string, ...args: string[]][] = [
      [3, "task_not_found", "get-task", UNKNOWN_ID],
      [3, "task_not_found", "advance-task", UNKNOWN_ID],
      [3, "task_not_found", "run-task", UNKNOWN_ID],
      [3, "flow_not_found", "run-flow", "no_such_flow"],
      [3, "flow_not_found", "run-flow", "no_such_flow", "--text", "x"],
      [2, "task_id_invalid", "get-task", "5"],
      [2, "task_id_invalid", "run-task", ""],
      [2, "usage", "run-flow", "--a", "2.5"],
    ];
    const count = async (): Promise<number> => (JSON.parse((await run("get-tasks")).stdout) as Task[]).length;
    const before = await count();
    for (const [exit, code, ...args] of cases) {
      const text = await run(...args);
      expect({ args, exit: text.exit, stdout: text.stdout }).toEqual({ args, exit, stdout: "" });
      expect(text.stderr).toMatch(/^error: .+\n(  .+\n)*(hint: .+\n(  .+\n)?)*$/);
      const json = await run(...args, "--json");
      expect({ args, exit: json.exit, stdout: json.stdout }).toEqual({ args, exit, stdout: "" });
      expect(JSON.parse(json.stderr)).toMatchObject({ code });
    }
    expect(await count()).toBe(before);
  });
});

describe("a server that cannot be asked is told with 5", () => {
  const TASK_COMMANDS = [
    ["run-flow"],
    ["get-tasks"],
    ["get-task", UNKNOWN_ID],
    ["advance-task", UNKNOWN_ID],
    ["run-task", UNKNOWN_ID],
  ];

  test("where nobody listens, or somebody else does", async () => {
    await using sandbox = await openSandbox();
    using stranger = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("<h1>hello</h1>") });
    const cases: [RegExp, string][] = [
      [/nothing listens there/, "http://127.0.0.1:1"],
      [/no host of that name is known/, "http://no-such-host.invalid"],
      [/something else than a taskonaut server answered/, stranger.url.href],
    ];
    for (const [message, url] of cases) {
      for (const command of TASK_COMMANDS) {
        const { exit, stdout, stderr } = await sandbox.run([...command, "--api-base-url", url]);
        expect({ url, command, exit, stdout }).toEqual({ url, command, exit: 5, stdout: "" });
        expect(stderr).toMatch(message);
        expect(stderr).toContain("Check that a server runs there");
      }
    }
    expect(existsSync(join(sandbox.folder, "taskonaut"))).toBe(false);
  });

  test("where its database is away", async () => {
    const { url, drop } = await testDatabase();
    await using sandbox = await openSandbox({ DATABASE_URL: url });
    await sandbox.run(["migrate"]);
    const server = await sandbox.serve();
    await drop();
    for (const command of TASK_COMMANDS) {
      const { exit, stdout, stderr } = await sandbox.run([...command, "--api-base-url", server.url, "--json"]);
      expect({ command, exit, stdout }).toEqual({ command, exit: 5, stdout: "" });
      expect(JSON.parse(stderr)).toMatchObject({ code: "database_unavailable" });
    }
  });
});
