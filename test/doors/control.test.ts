// Signals, waits, cancel, retry and resume, from the command line down to the rows of an SQLite file: at home, where each
// command is an engine of its own, and by way of a server. The door must not show.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import * as v from "valibot";
import { createClient } from "../../src/client/client.ts";
import type { Flow } from "../../src/core/flow/flow.ts";
import type { Task } from "../../src/core/api/task.ts";
import type { Taskonaut } from "../../src/core/api/taskonaut.ts";
import { echo } from "../../src/flows/tools.ts";
import { call, defineFlow, defineTool, runChild, sleep, waitForSignal } from "../../src/sdk/taskonaut.ts";
import { startServer } from "../../src/server/serve.ts";
import { callCli, type CliCall, type CliResult, Signals } from "../support/cli.ts";
import { DATABASES, type EngineDatabase } from "../support/databases.ts";
import { engineOn } from "../support/engine.ts";

const order = defineFlow({
  name: "order",
  input: v.strictObject({}),
  signals: { approved: v.strictObject({ by: v.string() }) },
  *run() {
    try {
      const { by } = yield* waitForSignal<{ by: string }>("approved", { timeout: "2d" });
      yield* sleep("30ms");
      return by;
    } finally {
      yield* call(echo, { text: "cleaned up" });
    }
  },
});

const parent = defineFlow({
  name: "parent",
  input: v.strictObject({}),
  *run() {
    return yield* runChild(order, {});
  },
});

let isBroken = true;
const flaky = defineFlow({
  name: "flaky",
  input: v.strictObject({}),
  *run() {
    return yield* call(pay, {});
  },
});
const pay = defineTool({
  name: "pay",
  input: v.strictObject({}),
  output: v.string(),
  retry: { attempts: 1 },
  run: (_input, { idempotencyKey }) => {
    if (isBroken) throw new Error("no money");
    return idempotencyKey;
  },
});

const FLOWS: readonly Flow[] = [order, parent, flaky];

interface Door {
  /** What the next command speaks to. */
  open(): Promise<Taskonaut>;
  close(): Promise<void>;
}

const DOORS: Readonly<Record<string, (database: EngineDatabase) => Promise<Door>>> = {
  "at home": async (database) => ({
    open: async () => engineOn(await database.openStore(), { flows: FLOWS }),
    close: async () => {},
  }),
  "by way of a server": async (database) => {
    const taskonaut = engineOn(await database.openStore(), { flows: FLOWS });
    const server = await startServer({ taskonaut, host: "127.0.0.1", port: 0, insecure: false });
    return {
      open: async () => createClient({ baseUrl: server.url }),
      close: () => server.stop(),
    };
  },
};

const sqlite = DATABASES[0]?.[1] as () => Promise<EngineDatabase>;

describe.each(Object.keys(DOORS))("%s", (name) => {
  let database: EngineDatabase;
  let door: Door;

  beforeEach(async () => {
    isBroken = true;
    database = await sqlite();
    door = await (DOORS[name] as (typeof DOORS)[string])(database);
  });

  afterEach(async () => {
    await door.close();
    await database.drop();
  });

  async function cli(argv: readonly string[], options: Partial<CliCall> = {}, signals?: Signals): Promise<CliResult> {
    return callCli(argv, { ...options, taskonaut: await door.open() }, signals);
  }

  async function taskOf(...argv: string[]): Promise<Task> {
    const { code, stdout, stderr } = await cli(argv);
    if (code !== 0) throw new Error(`Exit code ${code}:\n${stderr}`);
    return JSON.parse(stdout) as Task;
  }

  test("a task that waits is printed with what it waits for, and exits with 0", async () => {
    const { code, stdout, stderr } = await cli(["run-flow", "order"]);
    const task = JSON.parse(stdout) as Task;
    expect(code).toBe(0);
    expect(task).toMatchObject({ status: "WAITING_OBSERVATION", waiting_for: [{ kind: "signal", name: "approved" }] });
    expect(stderr).toMatch(/^The task waits for signal approved, until \d{4}-.*Z\.\nnext: taskonaut signal-task .*\n$/);
    expect((await cli(["run-task", task.id, "--json"])).stderr).toBe("");
    const shown = await cli(["run-task", task.id], { isTTY: true, env: { NO_COLOR: "1" } });
    expect(shown.stdout).toContain(`next     taskonaut signal-task ${task.id} approved --payload '{"by":"text"}'\n`);
    expect(shown.stderr).not.toContain("next");
  });

  test("a signal is checked, delivered once, and taken by the next run", async () => {
    const { id } = await taskOf("run-flow", "order", "--json");
    const wrong = await cli(["signal-task", id, "approved", "--payload", '{"by":1}']);
    expectRefused(wrong, 2, ": by: ");
    const unknown = await cli(["signal-task", id, "aproved"]);
    expectRefused(unknown, 2, "approved");

    const send = ["signal-task", id, "approved", "--idempotency-key", "k", "--payload"];
    for (let i = 0; i < 2; i++) expect((await taskOf(...send, '{"by":"ann"}')).id).toBe(id);
    expect((await cli([...send, '{"by":"bob"}'])).code).toBe(4);

    expect(await taskOf("run-task", id, "--wait")).toMatchObject({ status: "COMPLETED", output_payload: "ann" });
    const late = await cli(["signal-task", id, "approved", "--payload", '{"by":"ann"}']);
    expectRefused(late, 4, "COMPLETED");
  });

  test("run-flow --wait follows a task through a signal and a sleep to its end", async () => {
    const waits = Promise.withResolvers<string>();
    const following = cli(["run-flow", "order", "--wait"], { onStderr: (text) => waits.resolve(text) });
    const id = /signal-task (\S+) approved/.exec(await waits.promise)?.[1] ?? "";
    await taskOf("signal-task", id, "approved", "--payload", '{"by":"ann"}');
    const { code, stdout, stderr } = await following;
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { status: "COMPLETED", output_payload: "ann" }]);
    expect(stderr.match(/^The task waits for signal/gm)).toHaveLength(1);
  });

  test("on a terminal run-flow --wait shows each step once, over all waits", async () => {
    const waits = Promise.withResolvers<string>();
    // of the flows the third, in order of name: echo_add, flaky, order, parent
    const following = cli(["run-flow", "--wait"], {
      isTTY: true,
      env: { NO_COLOR: "1" },
      types: ["\u001b[B\u001b[B\r"],
      onStderr: (text) => {
        if (text.includes("signal-task")) waits.resolve(text);
      },
    });
    const id = /signal-task (\S+) approved/.exec(await waits.promise)?.[1] ?? "";
    await taskOf("signal-task", id, "approved", "--payload", '{"by":"ann"}');
    const { code, stdout, stderr } = await following;
    expect(code).toBe(0);
    expect(stdout).toContain("status   COMPLETED");
    for (const step of ["1 approved", "2 sleep", "3 echo"]) expect(stderr.split(`${step}  COMPLETED`)).toHaveLength(2);
    expect(stderr.split("1 approved  WAITING for signal")).toHaveLength(2);
  });

  test("Ctrl-C stops following, leaves the task as it is, and says how to go on", async () => {
    const signals = new Signals();
    const onStderr = (text: string): void => {
      if (text.startsWith("The task waits")) setImmediate(() => signals.send());
    };
    const { code, stdout, stderr } = await cli(["run-flow", "order", "--wait"], { onStderr }, signals);
    expect([code, stdout]).toEqual([130, ""]);
    const id = /taskonaut run-task (\S+) --wait/.exec(stderr)?.[1] ?? "";
    expect(await taskOf("get-task", id)).toMatchObject({ status: "WAITING_OBSERVATION", parked_reason: null });
    await taskOf("signal-task", id, "approved", "--payload", '{"by":"ann"}');
    expect((await taskOf("run-task", id, "--wait")).status).toBe("COMPLETED");
  });

  test("cancel-task runs what the flow has to clean up, and a second one changes nothing", async () => {
    const { id } = await taskOf("run-flow", "order", "--json");
    const cancelled = await taskOf("cancel-task", id);
    expect(cancelled.status).toBe("CANCELLED");
    expect(cancelled.steps.map(({ step_name, status }) => [step_name, status])).toEqual([
      ["approved", "CANCELLED"],
      ["echo", "COMPLETED"],
    ]);
    expect(await taskOf("cancel-task", id)).toEqual(cancelled);
    expect((await cli(["run-task", id])).code).toBe(1);
  });

  test("who follows a task that another cancels is told, with exit code 1", async () => {
    const waits = Promise.withResolvers<string>();
    const following = cli(["run-flow", "order", "--wait"], { onStderr: (text) => waits.resolve(text) });
    await taskOf("cancel-task", /signal-task (\S+) approved/.exec(await waits.promise)?.[1] ?? "");
    const { code, stdout } = await following;
    expect([code, JSON.parse(stdout)]).toMatchObject([1, { status: "CANCELLED" }]);
  });

  test("retry-task opens the failed step again, under the same key; run-task goes on", async () => {
    const failed = await cli(["run-flow", "flaky"], { isTTY: true, env: { NO_COLOR: "1" } });
    expect(failed.code).toBe(1);
    const id = /next {5}taskonaut retry-task (\S+)\n/.exec(failed.stdout)?.[1] ?? "";
    isBroken = false;
    expect(await taskOf("retry-task", id)).toMatchObject({ status: "RUNNING", error_message: null });
    const { tool_calls, output_payload } = await taskOf("run-task", id);
    expect(tool_calls).toMatchObject([{ status: "COMPLETED", idempotency_key: output_payload }]);
    expectRefused(await cli(["retry-task", id]), 4, "it is COMPLETED");
  });

  test("a parent waits for its child, which knows it; both go on when the child does", async () => {
    const task = await taskOf("run-flow", "parent", "--json");
    const child = task.waiting_for[0]?.task_id ?? "";
    expect(task.waiting_for).toEqual([{ kind: "child", name: "order", until: null, task_id: child }]);
    const shown = await cli(["get-task", child], { isTTY: true, env: { NO_COLOR: "1" } });
    expect(shown.stdout).toContain(`parent   ${task.id}\n`);
    await taskOf("signal-task", child, "approved", "--payload", '{"by":"ann"}');
    expect(await taskOf("run-task", task.id, "--wait")).toMatchObject({ status: "COMPLETED", output_payload: "ann" });
    expect((await taskOf("get-task", child)).parent_task_id).toBe(task.id);
  });

  test("the signals of a flow are described as JSON Schema", async () => {
    const taskonaut = await door.open();
    const described = await taskonaut.describeFlow("order");
    await taskonaut.close();
    expect(described.signals).toEqual({
      approved: expect.objectContaining({ type: "object", required: ["by"], properties: { by: { type: "string" } } }),
    });
  });
});

/** It is printed like every other task, but without commands: they stand with the reason. */
function expectParked({ code, stdout, stderr }: CliResult): void {
  expect(code).toBe(4);
  expect(stdout).toMatch(/^task .*^status +PARKED$/ms);
  // on a terminal the reason is told once
  expect(stdout).not.toMatch(/^parked /m);
  expect(stdout).not.toMatch(/^next /m);
  expect(stderr).toMatch(/^error: Task \S+ is parked\. [^]+\nhint: .+\n {2}taskonaut resume-task \S+\n/m);
}

function expectRefused({ code, stdout, stderr }: CliResult, exit: number, message: string): void {
  expect([code, stdout]).toEqual([exit, ""]);
  expect(stderr).toContain(message);
}

test("a parked task says why, and resume-task takes it up when the flow is the old one again", async () => {
  const other = defineFlow({
    name: "order",
    input: v.strictObject({}),
    *run() {
      yield* sleep("1h");
    },
  });
  const database = await sqlite();
  let flows: readonly Flow[] = [order];
  const cli = async (...argv: string[]): Promise<CliResult> =>
    callCli(argv, { taskonaut: engineOn(await database.openStore(), { flows }), isTTY: true, env: { NO_COLOR: "1" } });
  const entries = async (): Promise<unknown> =>
    JSON.parse((await cli("audit-log", "--action", "resume-task", "--task", "@last", "--json")).stdout);
  try {
    const id = /^task +(\S+)$/m.exec((await cli("run-flow", "order")).stdout)?.[1] ?? "";
    flows = [other];
    const refused = await cli("run-task", id, "--wait");
    expectParked(refused);
    const { stdout } = await cli("get-task", id);
    expect(stdout).toMatch(/^parked {3}.+$/m);
    expect(stdout).toContain(`\nnext     taskonaut resume-task ${id}\n`);
    const inVain = await cli("resume-task", id);
    expectParked(inVain);
    flows = [order];
    expect(await entries()).toEqual([]); // nothing was changed
    const resumed = await cli("resume-task", id, "--reason", "the old code is back");
    expect(resumed.code).toBe(0);
    expect(await entries()).toEqual([
      expect.objectContaining({
        action: "resume-task",
        way: "cli",
        role: "admin",
        reason: "the old code is back",
        target: { kind: "task", id },
        before: { status: "WAITING_OBSERVATION", parked_reason: expect.any(String) },
      }),
    ]);
    expect(resumed.stdout).toContain("waits    for signal approved");
    expect(resumed.stdout).not.toContain("parked");
  } finally {
    await database.drop();
  }
});
