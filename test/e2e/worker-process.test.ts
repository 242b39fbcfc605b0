// `work`, and the worker inside `run-app`, as processes: what they take, how they leave, and what they leave behind.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Task } from "../../src/core/api/task.ts";
import type { Worker } from "../../src/core/api/worker.ts";
import { openSandbox, type Sandbox } from "./harness.ts";
import { DIALECTS, openPlace } from "./place.ts";
import type { Started } from "./served.ts";
import { insist } from "../support/insist.ts";
import { until } from "../support/until.ts";

/** A tool that runs until the file `go` is there. */
const FLOW = `
import { call, defineFlow, defineTool } from "taskonaut";
import { existsSync, writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import * as v from "valibot";

const gated = defineTool({
  name: "gated",
  input: v.object({}),
  output: v.string(),
  async run(_input, { signal }) {
    writeFileSync("running", "");
    while (!existsSync("go")) await setTimeout(5, undefined, { signal });
    return "done";
  },
});

export default defineFlow({ name: "gated", input: v.object({}), plan: () => [call(gated, {})] });
`;

describe.each(DIALECTS)("%s", (dialect) => {
  let sandbox: Sandbox;

  beforeEach(async () => {
    sandbox = await openPlace(dialect);
    await Bun.write(join(sandbox.folder, "flows/gated.ts"), FLOW);
  });

  afterEach(() => sandbox[Symbol.asyncDispose]());

  async function dataOf<T = Task>(...argv: string[]): Promise<T> {
    const { exit, stdout, stderr } = await sandbox.run(argv);
    if (exit !== 0) throw new Error(`Exit code ${exit}:\n${stderr}`);
    return JSON.parse(stdout) as T;
  }

  /** Returns when it works. */
  async function work(more: Record<string, string> = {}): Promise<Started> {
    const working = sandbox.start(["work", "--concurrency", "5"], { env: more });
    await working.see('"message":"Worker started"');
    return working;
  }

  const isRunning = (): boolean => existsSync(join(sandbox.folder, "running"));
  const go = (): Promise<number> => Bun.write(join(sandbox.folder, "go"), "");

  test("SIGTERM lets the running tool end, and leaves nobody's name behind", async () => {
    const worker = await work();
    expect(await dataOf<Worker[]>("workers")).toMatchObject([{ state: "alive", concurrency: 5 }]);
    const { id } = await dataOf("run-flow", "gated", "--mode", "enqueue");
    await until(isRunning);
    process.kill(worker.pid, "SIGTERM");
    await worker.see("Stopping");
    await go();
    await worker.see('"message":"Stopped"');
    expect((await worker.ended()).exit).toBe(0);
    const task = await dataOf("get-task", id);
    expect(task.tool_calls).toMatchObject([{ status: "COMPLETED", retry_count: 0, response_payload: "done" }]);
    expect(task.lease_owner).toBeNull();
    expect(await dataOf<Worker[]>("workers")).toEqual([]);
  });

  test("a tool that outlives the grace period is released, and another worker takes the task at once", async () => {
    const leaving = await work({ TASKONAUT_GRACE_MS: "100" });
    const { id } = await dataOf("run-flow", "gated", "--mode", "enqueue");
    await until(isRunning);
    const askedAt = performance.now();
    expect((await leaving.stop()).exit).toBe(0);
    // a tenth of a second is meant; where nothing is said the grace period is 10 s
    expect(performance.now() - askedAt).toBeLessThan(5_000);
    expect(await dataOf("get-task", id)).toMatchObject({ lease_owner: null, due_at: expect.any(String) });
    await go();
    await (await work()).see('"message":"task ended"');
    expect(await dataOf("get-task", id)).toMatchObject({ status: "COMPLETED", output_payload: { gated: "done" } });
  });

  test("a second signal leaves at once", async () => {
    const worker = await work();
    await dataOf("run-flow", "gated", "--mode", "enqueue");
    await until(isRunning);
    process.kill(worker.pid, "SIGINT");
    await worker.see("Stopping");
    expect((await insist(() => process.kill(worker.pid, "SIGINT"), worker.ended())).exit).toBe(130);
  });

  test("run-app has a worker inside; with --no-worker it serves, and others work", async () => {
    const create = async (url: string): Promise<string> => {
      const headers = { "Content-Type": "application/json" };
      const response = await fetch(`${url}/tasks?start=now`, { method: "POST", headers, body: "{}" });
      return ((await response.json()) as Task).id;
    };
    const idle = await sandbox.serve(["--no-worker"]);
    const id = await create(idle.url);
    expect(await dataOf<Worker[]>("workers", "--api-base-url", idle.url)).toEqual([]);
    expect(await dataOf("get-task", id)).toMatchObject({ status: "PLANNED", due_at: expect.any(String) });

    const busy = await sandbox.serve([], { env: { TASKONAUT_CONCURRENCY: "3" } });
    expect(await dataOf<Worker[]>("workers")).toMatchObject([{ state: "alive", concurrency: 3 }]);
    const ids = [id, await create(busy.url), await create(idle.url)];
    await until(async () =>
      (await Promise.all(ids.map((each) => dataOf("get-task", each)))).every(({ status }) => status === "COMPLETED"),
    );
    const ends = await Promise.all([idle.stop(), busy.stop()]);
    expect(ends.map(({ exit }) => exit)).toEqual([0, 0]);
    expect(await dataOf<Worker[]>("workers")).toEqual([]);
  });
});

test.each([
  ["TASKONAUT_LEASE_MS", "999", 1000],
  ["TASKONAUT_LEASE_MS", "9000000000000000", 1000],
  ["TASKONAUT_GRACE_MS", "soon", 1],
  ["TASKONAUT_STUCK_MS", "soon", 1000],
])("%s=%s is refused with its range", async (name, text, min) => {
  await using sandbox = await openSandbox({ [name]: text });
  const { exit, stderr } = await sandbox.run(["work"]);
  expect([exit, stderr.split("\n")[0]]).toEqual([
    2,
    `error: ${name} must be an integer from ${min} to 86400000, got "${text}".`,
  ]);
});
