// The whole CLI, without a process: arguments in, text and exit code out. Behind it is a Taskonaut that lives in memory.

import { expect, mock, test } from "bun:test";
import { PassThrough } from "node:stream";
import fc from "fast-check";
import { TaskonautError } from "../core/errors.ts";
import { SILENT } from "../core/log.ts";
import type { Migrator } from "../core/migrator.ts";
import type { Json, Task, TaskStep } from "../core/task.ts";
import type { CreateTask, FlowDescription, Taskonaut } from "../core/taskonaut.ts";
import type { Env, Io, Output } from "./io.ts";
import { runCli } from "./run-cli.ts";
import type { Settings, Wiring } from "./wiring.ts";

const AT = "2026-11-23T03:39:25.130Z";
const ID = "019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071";

const ECHO_ADD: FlowDescription = {
  name: "echo_add",
  description: "Echoes a text, then adds two integers.",
  form: "plan",
  input_schema: {
    type: "object",
    properties: {
      text: { type: "string", default: "hello", description: "the text to echo" },
      a: { type: "integer", default: 1, maximum: 100 },
      b: { type: "integer", default: 2 },
    },
    additionalProperties: false,
  },
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

interface Options {
  readonly env?: Env;
  /** A terminal at all three ends. */
  readonly isTTY?: boolean;
  /** What a person types there, one entry for each question. */
  readonly types?: readonly string[];
  readonly taskonaut?: FakeTaskonaut;
  readonly wiring?: Partial<Wiring>;
  /** Nobody reads stdout after so many writes. */
  readonly writesMax?: number;
  /** The supervisor wants the process to leave as soon as it listens for that. */
  readonly dismissed?: boolean;
}

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly settings: Settings | undefined;
  readonly taskonaut: FakeTaskonaut;
}

/** Signals for `io.onSignal`, sent by the test. */
class Signals {
  private readonly listeners = new Set<() => void>();

  readonly listen = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  send(): void {
    for (const listener of this.listeners) listener();
  }

  get count(): number {
    return this.listeners.size;
  }
}

function unwired(): never {
  throw new Error("not wired in this test");
}

async function cli(argv: readonly string[], options: Options = {}, signals = new Signals()): Promise<Result> {
  const {
    env = {},
    isTTY = false,
    taskonaut = new FakeTaskonaut(),
    types = [],
    writesMax = Number.POSITIVE_INFINITY,
  } = options;
  const written = { stdout: "", stderr: "" };
  let writes = 0;
  const output = (name: "stdout" | "stderr"): Output => ({
    isTTY,
    columns: 100,
    write: async (text) => {
      if (name === "stdout" && ++writes > writesMax) return false;
      written[name] += text;
      return true;
    },
  });
  const io: Io = {
    stdout: output("stdout"),
    stderr: output("stderr"),
    stdinIsTTY: isTTY,
    openTerminal: () => openTerminal(types),
    onSignal: signals.listen,
    onDismissal(listener) {
      if (options.dismissed) setImmediate(listener);
      return () => {};
    },
  };
  let settings: Settings | undefined;
  const code = await runCli({
    argv,
    env,
    io,
    version: { version: "1.2.3", commit: "abc1234", bun: "1.4.5" },
    wire: (resolved) => {
      settings = resolved;
      return {
        log: SILENT,
        openTaskonaut: async () => taskonaut,
        openMigrator: unwired,
        startServer: unwired,
        superviseServer: unwired,
        ...options.wiring,
      };
    },
  });
  // nobody listens any more, unless the second signal cut everything short
  if (!written.stderr.includes("at once. ")) expect(signals.count).toBe(0);
  return { code, ...written, settings, taskonaut };
}

/** Types the next answer whenever a question begins. */
function openTerminal(answers: readonly string[]): ReturnType<Io["openTerminal"]> {
  const input = new PassThrough();
  const output = new PassThrough();
  const left = [...answers];
  output.on("data", (chunk: Buffer) => {
    // clack hides the cursor when a question begins
    if (!chunk.toString().includes("\u001b[?25l")) return;
    const answer = left.shift();
    if (answer !== undefined) setImmediate(() => input.write(answer));
  });
  return { input, output };
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

test("exit codes come from the error table", async () => {
  expect((await cli(["get-task", "nope"])).code).toBe(3);
  expect((await cli(["run-flow", "nope", "--text", "x"])).code).toBe(3);
  expect((await cli(["run-flow", "--max-steps", "1"])).code).toBe(4);
  expect((await cli(["run-flow", "--a", "x"])).code).toBe(2);
  const taskonaut = new FakeTaskonaut();
  taskonaut.fails = new TaskonautError("database_unavailable", "gone");
  expect((await cli(["run-flow"], { taskonaut })).code).toBe(5);
});

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
  for (const name of ["run-flow", "get-task", "get-tasks", "advance-task", "run-task", "run-app", "migrate"])
    expect(stdout).toContain(name);
  const help = (await cli(["run-flow", "--help"])).stdout;
  for (const part of ["run-flow [flow]", "--mode <mode>", "--max-steps <N>", "--database-url <url>", "Examples:"])
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

test("a flow, a field or --json on a terminal means: do not ask", async () => {
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
    return { url: "http://127.0.0.1:9", stop };
  };
  const { code, settings } = await cli(["run-app", "--port", "9", "--insecure"], { wiring: { startServer } }, signals);
  expect(code).toBe(0);
  expect(stop).toHaveBeenCalledTimes(1);
  expect(asked).toEqual([{ host: "127.0.0.1", port: 9, insecure: true }]);
  expect(settings?.logLevel).toBe("info");
});

test("run-app ends in good order when its supervisor dismisses it", async () => {
  const stop = mock(async () => {});
  const startServer: Wiring["startServer"] = async () => ({ url: "http://127.0.0.1:9", stop });
  expect((await cli(["run-app"], { wiring: { startServer }, dismissed: true })).code).toBe(0);
  expect(stop).toHaveBeenCalledTimes(1);
});

test("a second signal ends run-app at once with 130", async () => {
  const signals = new Signals();
  const startServer: Wiring["startServer"] = async () => {
    setImmediate(() => signals.send());
    return {
      url: "http://127.0.0.1:9",
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
