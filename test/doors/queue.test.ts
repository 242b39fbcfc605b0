// The queue, a step in doubt and what settles it, from the command line down to the rows of an SQLite file, with a real
// worker: commands at home beside a worker's process, and commands of a server that has its worker inside.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import * as v from "valibot";
import { createClient } from "../../src/client/client.ts";
import type { Flow } from "../../src/core/flow/flow.ts";
import type { Task } from "../../src/core/api/task.ts";
import type { Taskonaut } from "../../src/core/api/taskonaut.ts";
import type { Worker } from "../../src/core/api/worker.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import { call, defineFlow, defineTool } from "../../src/sdk/taskonaut.ts";
import { startServer } from "../../src/server/serve.ts";
import { callCli, type CliCall, type CliResult } from "../support/cli.ts";
import { DATABASES, type EngineDatabase } from "../support/databases.ts";
import { engineOn } from "../support/engine.ts";
import { until } from "../support/until.ts";

let calls = 0;
/** Its first call never comes back: nobody can know what it did. */
const pay = defineTool({
  name: "pay",
  input: v.strictObject({}),
  output: v.strictObject({ receipt: v.string() }),
  execution: "at-most-once",
  timeout: "20ms",
  run: () => (++calls === 1 ? new Promise<never>(() => {}) : { receipt: `R-${calls}` }),
});

const pays = defineFlow({
  name: "pays",
  input: v.strictObject({}),
  *run() {
    try {
      return (yield* call(pay, {})).receipt;
    } catch (error) {
      return (error as Error).message;
    }
  },
});

const FLOWS: readonly Flow[] = [pays];

interface Door {
  /** What the next command speaks to. */
  open(): Promise<Taskonaut>;
  close(): Promise<void>;
}

const DOORS: Readonly<Record<string, (database: EngineDatabase, worker: Engine) => Promise<Door>>> = {
  "at home": async (database, worker) => ({
    open: async () => engineOn(await database.openStore(), { flows: FLOWS }),
    close: () => worker.close(),
  }),
  "by way of a server": async (_database, taskonaut) => {
    const server = await startServer({ taskonaut, host: "127.0.0.1", port: 0, insecure: false });
    return { open: async () => createClient({ baseUrl: server.url }), close: () => server.stop() };
  },
};

const sqlite = DATABASES[0]?.[1] as () => Promise<EngineDatabase>;
const TERMINAL = { isTTY: true, env: { NO_COLOR: "1" } };

describe.each(Object.keys(DOORS))("%s", (name) => {
  let database: EngineDatabase;
  let door: Door;

  beforeEach(async () => {
    calls = 0;
    database = await sqlite();
    const worker = engineOn(await database.openStore(), { flows: FLOWS });
    await worker.startWorker({ concurrency: 10 });
    door = await (DOORS[name] as (typeof DOORS)[string])(database, worker);
  });

  afterEach(async () => {
    await door.close();
    await database.drop();
  });

  async function cli(argv: readonly string[], options: Partial<CliCall> = {}): Promise<CliResult> {
    return callCli(argv, { ...options, taskonaut: await door.open() });
  }

  async function dataOf<T = Task>(...argv: string[]): Promise<T> {
    const { code, stdout, stderr } = await cli(argv);
    if (code !== 0) throw new Error(`Exit code ${code}:\n${stderr}`);
    return JSON.parse(stdout) as T;
  }

  async function untilTask(id: string, holds: (task: Task) => boolean): Promise<Task> {
    let task = await dataOf("get-task", id);
    await until(async () => holds((task = await dataOf("get-task", id))));
    return task;
  }

  /** A task whose only step is in doubt, left so by the worker. */
  async function doubtful(): Promise<string> {
    const { id } = await dataOf("run-flow", "pays", "--mode", "enqueue");
    await untilTask(id, ({ steps }) => typeof steps[0]?.doubt === "string");
    return id;
  }

  test("a task that is enqueued is taken by the worker and ends", async () => {
    const queued = await dataOf("run-flow", "--mode", "enqueue", "--priority", "2");
    expect(queued).toMatchObject({ status: "PLANNED", priority: 2, due_at: expect.any(String) });
    const ended = await untilTask(queued.id, ({ status }) => status === "COMPLETED");
    expect(ended).toMatchObject({ due_at: null, output_payload: { add: { sum: 3 } } });
  });

  test("one that is due later waits in the queue, and says so", async () => {
    const at = new Date(Date.now() + 3_600_000).toISOString();
    const { id } = await dataOf("run-flow", "--mode", "enqueue", "--at", at);
    // one that came after it is done
    const next = await dataOf("run-flow", "--mode", "enqueue");
    await untilTask(next.id, ({ status }) => status === "COMPLETED");
    expect(await dataOf("get-task", id)).toMatchObject({ status: "PLANNED", due_at: at });
    expect((await cli(["get-task", id], TERMINAL)).stdout).toContain(`due      ${at.replace("T", " ")}  (in the queue`);
  });

  test("workers shows the worker", async () => {
    const workers = await dataOf<Worker[]>("workers");
    expect(workers).toMatchObject([{ state: "alive", concurrency: 10, tasks: 0 }]);
  });

  test("a doubt is plain in every list, and its settlement takes the task to its end", async () => {
    const id = await doubtful();
    expect((await cli(["get-tasks"], TERMINAL)).stdout).toMatch(
      new RegExp(`^${id.slice(0, 13)}\\S* +IN DOUBT +pays `, "m"),
    );
    const shown = (await cli(["get-task", id], TERMINAL)).stdout;
    expect(shown).toContain(`next     taskonaut resolve ${id} --retry\n`);
    const wrong = await cli(["resolve", id, "--output", '{"receipt":1}']);
    expect([wrong.code, wrong.stdout]).toEqual([2, ""]);
    expect(wrong.stderr).toContain("output.receipt: ");
    expect((await cli(["resolve", id, "--retry", "--step", "9"])).code).toBe(2);

    expect((await dataOf("resolve", id, "--output", '{"receipt":"R-17"}')).id).toBe(id);
    const ended = await untilTask(id, ({ status }) => status === "COMPLETED");
    expect([ended.output_payload, calls]).toEqual(["R-17", 1]);
    const late = await cli(["resolve", id, "--retry"]);
    expect([late.code, late.stdout]).toEqual([4, ""]);
  });

  test("--retry calls the tool once more, --fail lets the flow catch the failure", async () => {
    const retried = await doubtful();
    await dataOf("resolve", retried, "--retry", "--step", "1");
    expect((await untilTask(retried, ({ status }) => status === "COMPLETED")).output_payload).toBe("R-2");
    calls = 0;
    const failed = await doubtful();
    await dataOf("resolve", failed, "--fail", "The bank refused it");
    expect((await untilTask(failed, ({ status }) => status === "COMPLETED")).output_payload).toContain(
      "The bank refused it",
    );
  });

  test("who follows a task is told of the doubt once, and sees the end that a person brings about", async () => {
    const waits = Promise.withResolvers<string>();
    const following = cli(["run-flow", "pays", "--wait"], { onStderr: (text) => waits.resolve(text) });
    const told = await waits.promise;
    expect(told).toStartWith("The task waits for somebody who settles step 1 pay, which is in doubt.\nhint: ");
    const id = /taskonaut resolve (\S+) --retry/.exec(told)?.[1] ?? "";
    await dataOf("resolve", id, "--output", '{"receipt":"R-17"}');
    const { code, stdout, stderr } = await following;
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { status: "COMPLETED", output_payload: "R-17" }]);
    expect(stderr.split("The task waits")).toHaveLength(2);
  });
});
