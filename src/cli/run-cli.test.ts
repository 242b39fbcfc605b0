// The whole CLI, without a process: arguments in, text and exit code out. Behind it is a Taskonaut that lives in memory.

import { expect, mock, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { TaskonautError } from "../core/errors.ts";
import type { Migrator } from "../core/migrator.ts";
import type { Json, Task, TaskStep } from "../core/task.ts";
import type { Worker } from "../core/worker.ts";
import type { CreateTask, FlowDescription, SignalTask, Taskonaut } from "../core/taskonaut.ts";
import { callCli, type CliCall, type CliResult, Signals } from "../../test/support/cli.ts";
import type { Wiring } from "./wiring.ts";

const AT = "2026-11-23T03:39:25.130Z";
const ID = "019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071";

const ECHO_ADD: FlowDescription = {
  name: "echo_add",
  description: "Echoes a text, then adds two integers.",
  form: "plan",
  file: null,
  input_schema: {
    type: "object",
    properties: {
      text: { type: "string", default: "hello", description: "the text to echo" },
      a: { type: "integer", default: 1, maximum: 100 },
      b: { type: "integer", default: 2 },
    },
    additionalProperties: false,
  },
  signals: {},
};

/** One step, three transitions: RUNNING, the step's outcome, the end. */
class FakeTaskonaut implements Taskonaut {
  readonly created: CreateTask[] = [];
  readonly runs: (number | undefined)[] = [];
  readonly pages: number[] = [];
  closed = 0;
  total = 3;
  ends: "COMPLETED" | "FAILED" = "COMPLETED";
  fails: Error | undefined;
  whileRunning: (() => Promise<void>) | undefined;
  /** Everything that was asked of a task by its id, in order. */
  readonly orders: unknown[] = [];
  private readonly tasks = new Map<string, Task>();

  async listFlows(): Promise<readonly FlowDescription[]> {
    return [ECHO_ADD];
  }

  async describeFlow(name: string): Promise<FlowDescription> {
    if (name !== ECHO_ADD.name) throw new TaskonautError("flow_not_found", `There is no flow ${name}`);
    return ECHO_ADD;
  }

  async createTask(request: CreateTask): Promise<{ task: Task; created: boolean }> {
    if (this.fails) throw this.fails;
    this.created.push(request);
    const task = makeTask(ID, request.input as Json);
    this.tasks.set(ID, task);
    return { task, created: true };
  }

  async advanceTask(id: string): Promise<Task> {
    await this.whileRunning?.();
    const task = await this.getTask(id);
    const next = transit(task, this.ends);
    this.tasks.set(id, next);
    return next;
  }

  async runTask(id: string, { maxSteps }: { maxSteps?: number } = {}): Promise<Task> {
    this.runs.push(maxSteps);
    if (maxSteps === 1)
      throw new TaskonautError("max_steps_exhausted", `Task ${id} did not reach terminal state within 1 steps`);
    let task = await this.getTask(id);
    while (task.status !== this.ends) task = await this.advanceTask(id);
    return task;
  }

  async signalTask(id: string, signal: SignalTask): Promise<Task> {
    this.orders.push(["signal", id, signal]);
    return this.getTask(id);
  }

  async cancelTask(id: string): Promise<Task> {
    this.orders.push(["cancel", id]);
    await this.whileRunning?.();
    const task: Task = { ...(await this.getTask(id)), status: "CANCELLED" };
    this.tasks.set(id, task);
    return task;
  }

  async retryTask(id: string): Promise<Task> {
    this.orders.push(["retry", id]);
    throw new TaskonautError("task_not_retryable", `Task ${id} cannot be retried: it is PLANNED.`);
  }

  async resumeTask(id: string): Promise<Task> {
    this.orders.push(["resume", id]);
    throw new TaskonautError("task_parked", `Task ${id} is parked. Another flow.`);
  }

  async resolveTask(): Promise<Task> {
    throw new Error("not asked for here");
  }

  async listWorkers(): Promise<readonly Worker[]> {
    return [];
  }

  async getTask(id: string): Promise<Task> {
    const task = this.tasks.get(id);
    if (!task) throw new TaskonautError("task_not_found", `Task ${id} not found`, { details: { task_id: id } });
    return task;
  }

  async listTasks({ limit, cursor }: { limit: number; cursor?: string }): Promise<{ tasks: Task[]; next?: string }> {
    this.pages.push(limit);
    const from = Number(cursor ?? 0);
    const to = Math.min(from + limit, this.total);
    const tasks = Array.from({ length: to - from }, (_, i) => makeTask(`task-${from + i}`, {}));
    return to < this.total ? { tasks, next: String(to) } : { tasks };
  }

  async checkReady(): Promise<void> {}

  async close(): Promise<void> {
    this.closed++;
  }
}

function makeTask(id: string, input: Json): Task {
  const step: TaskStep = {
    id: `${id}-1`,
    task_id: id,
    step_index: 1,
    step_name: "echo",
    status: "PLANNED",
    input_payload: input,
    output_payload: null,
    error_message: null,
    doubt: null,
    created_at: AT,
    updated_at: AT,
    tool_calls: [],
  };
  return {
    id,
    status: "PLANNED",
    flow_name: "echo_add",
    current_step: 0,
    input_payload: input,
    output_payload: null,
    error_message: null,
    lease_owner: null,
    parked_reason: null,
    waiting_for: [],
    parent_task_id: null,
    priority: 5,
    due_at: null,
    created_at: AT,
    updated_at: AT,
    steps: [step],
    tool_calls: [],
  };
}

function transit(task: Task, ends: "COMPLETED" | "FAILED"): Task {
  if (task.status === "PLANNED") return { ...task, status: "RUNNING" };
  if (task.status === "RUNNING") {
    const steps = task.steps.map((step): TaskStep => ({ ...step, status: "COMPLETED", output_payload: "out" }));
    return { ...task, status: "WAITING_OBSERVATION", steps };
  }
  return ends === "COMPLETED"
    ? { ...task, status: ends, output_payload: { echo: "out" } }
    : { ...task, status: ends, error_message: "the tool gave up" };
}

interface Options extends Omit<CliCall, "taskonaut"> {
  readonly taskonaut?: FakeTaskonaut;
}

async function cli(
  argv: readonly string[],
  { taskonaut = new FakeTaskonaut(), ...options }: Options = {},
  signals = new Signals(),
): Promise<CliResult & { readonly taskonaut: FakeTaskonaut }> {
  return { ...(await callCli(argv, { ...options, taskonaut }, signals)), taskonaut };
}

test("any text given as --text reaches createTask exactly", async () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("", "007", "-5", "--help", "=x", "--", "--json"),
  );
  await fc.assert(
    fc.asyncProperty(text, fc.boolean(), async (value, attached) => {
      const { code, taskonaut } = await cli([
        "run-flow",
        ...(attached ? [`--text=${value}`] : ["--text", value]),
        "--a",
        "-5",
      ]);
      expect(code).toBe(0);
      expect(taskonaut.created).toEqual([{ flow: "echo_add", input: { text: value, a: -5 } }]);
    }),
  );
});

test("run-flow runs echo_add on its defaults, and prints the task as one line of JSON", async () => {
  const { code, stdout, stderr, taskonaut } = await cli(["run-flow"]);
  expect(code).toBe(0);
  expect(stderr).toBe("");
  expect(stdout.endsWith("}\n")).toBe(true);
  expect(stdout.trimEnd()).not.toContain("\n");
  expect(JSON.parse(stdout)).toMatchObject({ status: "COMPLETED", output_payload: { echo: "out" } });
  expect(taskonaut.created).toEqual([{ flow: "echo_add", input: {} }]);
  expect(taskonaut.closed).toBe(1);
});

test("the modes create, advance and run", async () => {
  const create = await cli(["run-flow", "--mode", "create"]);
  expect(JSON.parse(create.stdout)).toMatchObject({ status: "PLANNED" });
  const advance = await cli(["run-flow", "--mode=advance"]);
  expect(JSON.parse(advance.stdout)).toMatchObject({ status: "RUNNING" });
  const run = await cli(["run-flow", "--mode", "run", "--max-steps", "7"]);
  expect(JSON.parse(run.stdout)).toMatchObject({ status: "COMPLETED" });
  expect(run.taskonaut.runs).toEqual([7]);
  expect((await cli(["run-flow", "--mode", "create", "--max-steps", "7"])).code).toBe(2);
});

test("a task that FAILED is printed, and the exit code is 1; to look at it is 0", async () => {
  const taskonaut = new FakeTaskonaut();
  taskonaut.ends = "FAILED";
  const { code, stdout } = await cli(["run-flow"], { taskonaut });
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ status: "FAILED", error_message: "the tool gave up" });
  expect((await cli(["run-task", ID], { taskonaut })).code).toBe(1);
  expect((await cli(["advance-task", ID], { taskonaut })).code).toBe(1);
  expect((await cli(["get-task", ID], { taskonaut })).code).toBe(0);
});

test("signal-task sends exactly what was typed", async () => {
  const taskonaut = new FakeTaskonaut();
  await cli(["run-flow", "--mode", "create"], { taskonaut });
  const path = join(await mkdtemp(join(tmpdir(), "taskonaut-cli-")), "payload.json");
  await writeFile(path, '\ufeff{"from":"a file"}\n');
  const send = (...argv: string[]) => cli(["signal-task", ID, "approved", ...argv], { taskonaut, stdin: "[2.50]" });
  for (const argv of [
    [],
    ["--payload", '{"by":"ann \\ud800"}'],
    ["--payload=-5"],
    ["--payload", `@${path}`],
    ["--payload", "-", "--idempotency-key", "mail 17"],
  ]) {
    const { code, stdout, stderr } = await send(...argv);
    expect([code, stderr, (JSON.parse(stdout) as Task).id]).toEqual([0, "", ID]);
  }
  await rm(dirname(path), { recursive: true });
  expect(taskonaut.orders).toEqual([
    ["signal", ID, { name: "approved", payload: null }],
    ["signal", ID, { name: "approved", payload: { by: "ann \ud800" } }],
    ["signal", ID, { name: "approved", payload: -5 }],
    ["signal", ID, { name: "approved", payload: { from: "a file" } }],
    ["signal", ID, { name: "approved", payload: [2.5], idempotencyKey: "mail 17" }],
  ]);
});

test.each([
  ["hello", "--payload: Not valid JSON at line 1, column 1"],
  ["", "--payload: Not valid JSON"],
  ["@/nowhere/payload.json", "--payload: /nowhere/payload.json: "],
  ["@.", "--payload: .: "],
  ["-", "--payload: stdin: Not valid JSON at line 1, column 2"],
  ["9007199254740993", "send it as text"],
])("signal-task --payload %p is refused before anything is opened", async (payload, message) => {
  const { code, stderr, taskonaut } = await cli(["signal-task", ID, "approved", "--payload", payload], { stdin: "{" });
  expect(code).toBe(2);
  expect(stderr).toContain(message);
  expect([taskonaut.orders, taskonaut.closed]).toEqual([[], 0]);
});

test("a payload on stdin that is not UTF-8 is refused", async () => {
  const { code, stderr } = await cli(["signal-task", ID, "s", "--payload", "-"], {
    stdin: new Uint8Array([34, 255, 34]),
  });
  expect([code, stderr.split("\n")[0]]).toEqual([2, "error: --payload: stdin: not UTF-8"]);
});

test("to cancel a task succeeds when it is CANCELLED; retry and resume pass on why not", async () => {
  const taskonaut = new FakeTaskonaut();
  await cli(["run-flow", "--mode", "create"], { taskonaut });
  const cancel = await cli(["cancel-task", ID], { taskonaut });
  expect([cancel.code, JSON.parse(cancel.stdout)]).toMatchObject([0, { status: "CANCELLED" }]);
  const retry = await cli(["retry-task", ID], { taskonaut });
  expect([retry.code, retry.stdout]).toEqual([4, ""]);
  expect(retry.stderr).toContain("cannot be retried: it is PLANNED");
  const resume = await cli(["resume-task", ID], { taskonaut });
  expect([resume.code, resume.stdout]).toEqual([4, ""]);
  expect(resume.stderr).toContain("hint: When the reason is gone, `taskonaut resume-task <id>`");
  expect(taskonaut.orders).toEqual([
    ["cancel", ID],
    ["retry", ID],
    ["resume", ID],
  ]);
});

test("a cancel that another process carries out is said to be on its way", async () => {
  const taskonaut = new FakeTaskonaut();
  const { stdout } = await cli(["run-flow", "--mode", "create"], { taskonaut });
  taskonaut.cancelTask = async () => JSON.parse(stdout) as Task;
  const cancel = await cli(["cancel-task", ID], { taskonaut });
  expect([cancel.code, cancel.stdout]).toEqual([0, stdout]);
  expect(cancel.stderr).toContain("The cancel is recorded");
  expect((await cli(["cancel-task", ID, "--json"], { taskonaut })).stderr).toBe("");
});

test("Ctrl-C while a task is being cancelled says how to go on", async () => {
  const signals = new Signals();
  const taskonaut = new FakeTaskonaut();
  await cli(["run-flow", "--mode", "create"], { taskonaut });
  taskonaut.whileRunning = () => {
    signals.send();
    return new Promise(() => {});
  };
  const { code, stderr } = await cli(["cancel-task", ID], { taskonaut }, signals);
  expect(code).toBe(130);
  expect(stderr).toContain(`taskonaut run-task ${ID}`);
});

test("Ctrl-C against a server says that the server goes on, and how to look", async () => {
  for (const argv of [
    ["cancel-task", ID],
    ["run-task", ID],
    ["run-task", ID, "--wait"],
    ["advance-task", ID],
  ]) {
    const signals = new Signals();
    const taskonaut = new FakeTaskonaut();
    await cli(["run-flow", "--mode", "create"], { taskonaut });
    taskonaut.whileRunning = () => {
      signals.send();
      return new Promise(() => {});
    };
    const env = { TASKONAUT_API_URL: "http://127.0.0.1:1" };
    const { code, stderr } = await cli(argv, { taskonaut, env }, signals);
    expect(code).toBe(130);
    expect(stderr).toBe(
      `Stopped waiting. The server goes on with the task; \`taskonaut get-task ${ID}\` shows how far it is.\n`,
    );
  }
});

test("what --wait contradicts is said", async () => {
  for (const argv of [
    ["run-flow", "--wait", "--mode", "create"],
    ["run-flow", "--wait", "--mode", "advance"],
    ["run-flow", "--wait", "--max-steps", "3"],
    ["run-task", ID, "--wait", "--max-steps", "3"],
  ]) {
    const { code, stderr, taskonaut } = await cli(argv);
    expect(code).toBe(2);
    expect(stderr).toContain("--wait: ");
    expect(taskonaut.created).toEqual([]);
  }
});

test("exit codes come from the error table", async () => {
  expect((await cli(["get-task", "nope"])).code).toBe(3);
  expect((await cli(["run-flow", "nope", "--text", "x"])).code).toBe(3);
  expect((await cli(["run-flow", "--max-steps", "1"])).code).toBe(4);
  expect((await cli(["run-flow", "--a", "x"])).code).toBe(2);
  const taskonaut = new FakeTaskonaut();
  taskonaut.fails = new TaskonautError("database_unavailable", "gone");
  expect((await cli(["run-flow"], { taskonaut })).code).toBe(5);
});

test.each(["database_unavailable", "task_busy"] as const)(
  "the message of %s says what to do, so no hint repeats it",
  async (code) => {
    const taskonaut = new FakeTaskonaut();
    taskonaut.fails = new TaskonautError(code, "It is so. Do this.");
    expect((await cli(["run-flow"], { taskonaut })).stderr).toBe("error: It is so. Do this.\n");
  },
);

test("an error says what is wrong, each violation on a line, and what to do next; stdout stays empty", async () => {
  const { stdout, stderr } = await cli(["run-flow", "--a", "abc", "--b", "2.5"]);
  expect(stdout).toBe("");
  expect(stderr.split("\n")).toEqual([
    "error: There are 2 problems with the command line",
    '  --a: expected an integer, got "abc"',
    '  --b: expected an integer, got "2.5"',
    "hint: `taskonaut run-flow --help` shows what can be typed.",
    "",
  ]);
});

test("with --json an error is one JSON object on stderr", async () => {
  const { code, stderr } = await cli(["get-task", "nope", "--json"]);
  expect(code).toBe(3);
  expect(JSON.parse(stderr)).toEqual({
    code: "task_not_found",
    message: "Task nope not found",
    errors: [],
    details: { task_id: "nope" },
  });
});

test("an error that nobody foresaw exits with 70, and shows its stack at debug level only", async () => {
  const taskonaut = new FakeTaskonaut();
  taskonaut.fails = new RangeError("bad \u001b[31mthing");
  const quiet = await cli(["run-flow"], { taskonaut });
  expect(quiet.code).toBe(70);
  expect(quiet.stderr).toStartWith("error: bad \\x1b[31mthing\n");
  expect(quiet.stderr).not.toContain("run-cli.test.ts");
  expect((await cli(["run-flow", "--log-level", "debug"], { taskonaut })).stderr).toContain("run-cli.test.ts");
  expect(taskonaut.closed).toBe(2);
});

test("what the operating system refuses is not called a fault of the program", async () => {
  const taskonaut = new FakeTaskonaut();
  taskonaut.fails = Object.assign(new Error("ENOSPC: no space left on device"), { errno: -28, code: "ENOSPC" });
  expect((await cli(["run-flow"], { taskonaut })).stderr).toBe("error: ENOSPC: no space left on device\n");
});

test("--help and --version wire nothing", async () => {
  for (const argv of [["--help"], ["-h"], ["get-task", "--help"], ["--version"], ["--version", "--json"]]) {
    const { code, stdout, settings } = await cli(argv);
    expect(code).toBe(0);
    expect(stdout).not.toBe("");
    expect(settings).toBeUndefined();
  }
  expect((await cli(["--version"])).stdout).toBe("taskonaut 1.2.3 (commit abc1234, Bun 1.4.5)\n");
});

test("the help names every command, and that of a command its options and examples", async () => {
  const { stdout } = await cli(["--help"]);
  const names = ["run-flow", "get-task", "get-tasks", "advance-task", "run-task", "run-app", "migrate"];
  for (const name of [...names, "signal-task", "cancel-task", "retry-task", "resume-task"])
    expect(stdout).toContain(`  ${name} `);
  const help = (await cli(["run-flow", "--help"])).stdout;
  for (const part of [
    "run-flow [flow]",
    "--mode <mode>",
    "--max-steps <N>",
    "--wait",
    "--database-url <url>",
    "Examples:",
  ])
    expect(help).toContain(part);
});

test("without a command the help goes to stderr and the exit code is 2", async () => {
  const { code, stdout, stderr } = await cli([]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain("Commands:");
});

test("get-tasks streams one JSON array page by page", async () => {
  const taskonaut = new FakeTaskonaut();
  taskonaut.total = 250;
  const all = await cli(["get-tasks"], { taskonaut });
  expect((JSON.parse(all.stdout) as Task[]).map(({ id }) => id)).toEqual(
    Array.from({ length: 250 }, (_, i) => `task-${i}`),
  );
  expect(taskonaut.pages).toEqual([100, 100, 100]);
  expect(JSON.parse((await cli(["get-tasks", "--limit", "101"], { taskonaut })).stdout)).toHaveLength(101);
  taskonaut.total = 0;
  expect((await cli(["get-tasks"], { taskonaut })).stdout).toBe("[]\n");
});

test("get-tasks stops quietly when nobody reads any more", async () => {
  const taskonaut = new FakeTaskonaut();
  taskonaut.total = 100_000;
  const { code, stderr } = await cli(["get-tasks"], { taskonaut, writesMax: 1 });
  expect(code).toBe(0);
  expect(stderr).toBe("");
  expect(taskonaut.pages).toHaveLength(2);
});

test("on a terminal get-tasks is a table of the newest, and says that there are more", async () => {
  const taskonaut = new FakeTaskonaut();
  taskonaut.total = 30;
  const { stdout, stderr } = await cli(["get-tasks"], { taskonaut, isTTY: true, env: { NO_COLOR: "1" } });
  expect(stdout.trimEnd().split("\n")).toHaveLength(21);
  expect(stdout).toStartWith("TASK ");
  expect(stdout).not.toContain("\u001b");
  expect(stderr).toContain("--limit");
});

test("on a terminal --json is indented, and its texts are as safe as they are exact", async () => {
  const text = "\u001b[31m\u009b\u202e\n";
  const { stdout } = await cli(["run-flow", "--text", text, "--json"], { isTTY: true });
  expect(stdout).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u);
  expect(stdout.split("\n").length).toBeGreaterThan(5);
  expect((JSON.parse(stdout) as { input_payload: Json }).input_payload).toEqual({ text });
});

test("on a terminal run-flow asks, refuses what does not fit, and shows the steps", async () => {
  // the text; a: no integer, too many, good; b: its default; the mode: run
  const types = ["hi\r", "x\r\u0015101\r\u00157\r", "\r", "\r"];
  const { code, stdout, stderr, taskonaut } = await cli(["run-flow"], { isTTY: true, env: { NO_COLOR: "1" }, types });
  expect(taskonaut.created).toEqual([{ flow: "echo_add", input: { text: "hi", a: 7, b: 2 } }]);
  expect(code).toBe(0);
  expect(stderr).toContain('1 echo  COMPLETED    "out"');
  expect(stdout).toContain("status   COMPLETED");
  expect(taskonaut.runs).toEqual([]);
});

test("Ctrl-C at a question creates nothing and exits with 130", async () => {
  const { code, stdout, stderr, taskonaut } = await cli(["run-flow"], { isTTY: true, types: ["\r", "\u0003"] });
  expect(code).toBe(130);
  expect(stdout).toBe("");
  expect(stderr).toBe("Cancelled. No task was created.\n");
  expect(taskonaut.created).toEqual([]);
  expect(taskonaut.closed).toBe(1);
});

test("--max-steps bounds a run with questions as it does every other", async () => {
  const { code, stderr } = await cli(["run-flow", "--max-steps", "2"], { isTTY: true, types: ["\r", "\r", "\r"] });
  expect(code).toBe(4);
  expect(stderr).toContain(`Task ${ID} did not reach terminal state within 2 steps`);
});

test("on a terminal run-flow asks for what is missing of a flow that is named, and for nothing else", async () => {
  class Orders extends FakeTaskonaut {
    override async describeFlow(name: string): Promise<FlowDescription> {
      const properties = {
        sku: { type: "string", minLength: 2, description: "the article" },
        qty: { type: "integer", default: 1 },
        note: { type: "string" },
      };
      return { ...ECHO_ADD, name, input_schema: { type: "object", properties, required: ["sku", "qty"] } };
    }
  }
  const run = (argv: readonly string[], types: readonly string[] = [], isTTY = true) =>
    cli(["run-flow", "order", ...argv], { isTTY, types, taskonaut: new Orders(), env: { NO_COLOR: "1" } });

  const asked = await run(["--note", "soon"], ["x\r1\r"]);
  expect(asked.taskonaut.created).toEqual([{ flow: "order", input: { note: "soon", sku: "x1" } }]);
  expect(asked.stderr).toContain("1 echo  COMPLETED");
  expect((await run(["--sku", "A1"])).taskonaut.created).toEqual([{ flow: "order", input: { sku: "A1" } }]);
  expect((await run(["--input", "{}"])).taskonaut.created).toEqual([{ flow: "order", input: {} }]);
  expect((await run(["--json"])).taskonaut.created).toEqual([{ flow: "order", input: {} }]);
  expect((await run([], [], false)).taskonaut.created).toEqual([{ flow: "order", input: {} }]);
  // what was typed is judged before anybody is asked
  const refused = await run(["--qty", "many"]);
  expect([refused.code, refused.taskonaut.created]).toEqual([2, []]);
});

test("a flow that lacks nothing, a field or --json on a terminal means: do not ask", async () => {
  for (const argv of [
    ["run-flow", "echo_add"],
    ["run-flow", "--text", "x"],
    ["run-flow", "--json"],
  ]) {
    expect((await cli(argv, { isTTY: true })).taskonaut.runs).toEqual([undefined]);
  }
});

test("a signal lets the running step end, and says how to go on", async () => {
  const signals = new Signals();
  const taskonaut = new FakeTaskonaut();
  const step = Promise.withResolvers<void>();
  const order: string[] = [];
  taskonaut.whileRunning = async () => {
    signals.send();
    await step.promise;
    order.push("step ended");
    throw new TaskonautError("shutting_down", "closing");
  };
  taskonaut.close = () => {
    if (taskonaut.closed++ > 0) return Promise.resolve();
    step.resolve();
    // later than the work's own failure, which must not be what is told
    return new Promise((resolve) =>
      setImmediate(() => {
        order.push("closed");
        resolve();
      }),
    );
  };
  const { code, stdout, stderr } = await cli(["run-flow"], { taskonaut }, signals);
  expect(code).toBe(130);
  expect(order[0]).toBe("step ended");
  expect(stdout).toBe("");
  expect(stderr).toContain(`taskonaut run-task ${ID}`);
  expect(stderr).not.toContain("closing");
});

test("a task that comes to its end in spite of the signal is printed as ever", async () => {
  const signals = new Signals();
  const taskonaut = new FakeTaskonaut();
  const ended = Promise.withResolvers<void>();
  taskonaut.whileRunning = async () => {
    taskonaut.whileRunning = undefined;
    signals.send();
    setImmediate(ended.resolve);
    await Promise.resolve();
  };
  const wiring = { openTaskonaut: async () => Object.assign(taskonaut, { close: () => ended.promise }) };
  const { code, stdout } = await cli(["run-flow"], { taskonaut, wiring }, signals);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ status: "COMPLETED" });
});

test("a second signal waits for nothing", async () => {
  const signals = new Signals();
  const taskonaut = new FakeTaskonaut();
  taskonaut.close = () => {
    signals.send();
    return new Promise(() => {});
  };
  taskonaut.whileRunning = () => {
    signals.send();
    return new Promise(() => {});
  };
  const { code, stderr } = await cli(["run-flow"], { taskonaut }, signals);
  expect(code).toBe(130);
  expect(stderr).toContain("Stopped at once.");
});

test("run-app serves until a signal comes, then stops the server", async () => {
  const signals = new Signals();
  const asked: unknown[] = [];
  const stop = mock(async () => {});
  const startServer: Wiring["startServer"] = async (options) => {
    asked.push(options);
    setImmediate(() => signals.send());
    return { url: "http://127.0.0.1:9", worker: undefined, stop };
  };
  const { code, settings } = await cli(["run-app", "--port", "9", "--insecure"], { wiring: { startServer } }, signals);
  expect(code).toBe(0);
  expect(stop).toHaveBeenCalledTimes(1);
  expect(asked).toEqual([{ host: "127.0.0.1", port: 9, insecure: true, worker: { concurrency: 100 } }]);
  expect(settings?.logLevel).toBe("info");
});

test("run-app ends in good order when its supervisor dismisses it", async () => {
  const stop = mock(async () => {});
  const startServer: Wiring["startServer"] = async () => ({ url: "http://127.0.0.1:9", worker: undefined, stop });
  expect((await cli(["run-app"], { wiring: { startServer }, dismissed: true })).code).toBe(0);
  expect(stop).toHaveBeenCalledTimes(1);
});

test("a second signal ends run-app at once with 130", async () => {
  const signals = new Signals();
  const startServer: Wiring["startServer"] = async () => {
    setImmediate(() => signals.send());
    return {
      url: "http://127.0.0.1:9",
      worker: undefined,
      stop: () => {
        signals.send();
        return new Promise(() => {});
      },
    };
  };
  expect((await cli(["run-app"], { wiring: { startServer } }, signals)).code).toBe(130);
});

test("run-app --reload is supervised until a signal comes", async () => {
  const signals = new Signals();
  const superviseServer: Wiring["superviseServer"] = (_options, signal) => {
    setImmediate(() => signals.send());
    return new Promise((resolve) => {
      signal.addEventListener("abort", () => {
        resolve();
      });
    });
  };
  expect((await cli(["run-app", "--reload"], { wiring: { superviseServer } }, signals)).code).toBe(0);
});

test("migrate tells what it applied, and --status what there is", async () => {
  const close = mock(async () => {});
  const missing = { number: 2, name: "workers", applied_at: null };
  const done = { number: 1, name: "tasks", applied_at: Date.parse(AT) };
  const migrator: Migrator = {
    location: "sqlite:x.db",
    status: async () => [done, missing],
    migrate: async () => [],
    close,
  };
  const wiring = { openMigrator: async () => migrator };
  expect((await cli(["migrate"], { wiring, isTTY: true })).stdout).toBe("Nothing was missing in sqlite:x.db.\n");
  expect(JSON.parse((await cli(["migrate"], { wiring })).stdout)).toEqual({ location: "sqlite:x.db", applied: [] });
  expect(JSON.parse((await cli(["migrate", "--status"], { wiring })).stdout)).toEqual({
    location: "sqlite:x.db",
    migrations: [{ ...done, applied_at: AT }, missing],
  });
  const { stdout } = await cli(["migrate", "--status"], { wiring, isTTY: true, env: { NO_COLOR: "1" } });
  expect(stdout.split("\n")).toEqual([
    "sqlite:x.db",
    "     1  tasks    2026-11-23 03:39:25.130Z",
    "     2  workers  pending",
    "",
  ]);
  expect(close).toHaveBeenCalledTimes(4);
});
