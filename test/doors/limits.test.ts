// Limits from the command line down to the rows, at home beside a worker's process and by way of a server: what is set counts
// at once, and a task says what it waits for.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { whoAmI } from "../../src/cli/reason.ts";
import * as v from "valibot";
import { createClient } from "../../src/client/client.ts";
import type { Limit } from "../../src/core/api/limits.ts";
import type { Task } from "../../src/core/api/task.ts";
import type { Taskonaut } from "../../src/core/api/taskonaut.ts";
import type { Flow } from "../../src/core/flow/flow.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import { call, defineFlow } from "../../src/sdk/taskonaut.ts";
import { startServer } from "../../src/server/serve.ts";
import { callCli, type CliResult } from "../support/cli.ts";
import { DATABASES, type EngineDatabase } from "../support/databases.ts";
import { engineOn } from "../support/engine.ts";
import { ended, enqueue, when } from "../support/queue.ts";
import { Gate } from "../support/tools.ts";

interface Door {
  /** What the next command speaks to. */
  open(): Promise<Taskonaut>;
  close(): Promise<void>;
}

type Flows = readonly Flow[];

const DOORS: Readonly<Record<string, (database: EngineDatabase, worker: Engine, flows: Flows) => Promise<Door>>> = {
  "at home": async (database, worker, flows) => ({
    open: async () => engineOn(await database.openStore(), { flows }),
    close: () => worker.close(),
  }),
  "by way of a server": async (_database, taskonaut) => {
    const server = await startServer({ taskonaut, host: "127.0.0.1", port: 0, insecure: false });
    return { open: async () => createClient({ baseUrl: server.url }), close: () => server.stop() };
  },
};

const PLACES = DATABASES.flatMap(([name, create]) =>
  Object.entries(DOORS).map(([how, open]) => [`${name}, ${how}`, create, open] as const),
);

describe.each(PLACES)("limits on %s", (_name, createDatabase, openDoor) => {
  let database: EngineDatabase;
  let worker: Engine;
  let door: Door;
  let gate: Gate;
  let slow: Gate;

  beforeEach(async () => {
    database = await createDatabase();
    gate = new Gate("ask");
    slow = new Gate("slow");
    const rate = { count: 100, perMs: 3_600_000 };
    const limits = { name: "openai", running: 1, runningPerKey: null, rate, key: undefined };
    const ask = { ...gate.tool, limits };
    const asks = defineFlow({
      name: "asks",
      input: v.unknown(),
      *run() {
        yield* call(ask, null);
      },
    });
    const serial = defineFlow({
      name: "serial",
      input: v.object({ tenant: v.string() }),
      limits: { key: ({ tenant }) => tenant, runningPerKey: 1 },
      *run() {
        yield* call(slow.tool, null);
      },
    });
    const flows = [asks, serial] as Flows;
    worker = engineOn(await database.openStore(), { flows });
    await worker.startWorker({ concurrency: 10 });
    door = await openDoor(database, worker, flows);
  });

  afterEach(async () => {
    for (let n = 0; n < gate.calls.length; n++) gate.end(n, null);
    for (let n = 0; n < slow.calls.length; n++) slow.end(n, null);
    await door.close();
    await database.drop();
  });

  const cli = async (...argv: readonly string[]): Promise<CliResult> =>
    callCli(argv, { taskonaut: await door.open(), env: { USER: "ada" } });
  const task = async (id: string): Promise<Task> => JSON.parse((await cli("get-task", id)).stdout) as Task;
  const limitOf = async (name: string): Promise<Limit | undefined> =>
    (JSON.parse((await cli("limits")).stdout) as Limit[]).find((limit) => limit.name === name);

  test("a step that waits says for which limit, behind how many, and goes on when more may run", async () => {
    const first = await enqueue(worker, "asks");
    await gate.called(1);
    const second = await enqueue(worker, "asks");
    await when(worker, second, ({ waiting_for }) => waiting_for.length > 0);
    const third = await enqueue(worker, "asks");
    await when(worker, third, ({ waiting_for }) => waiting_for.length > 0);
    expect((await task(third)).waiting_for).toMatchObject([
      { kind: "limit", name: "openai", reason: "1 at once", before: 1 },
    ]);
    expect((await cli("get-task", third, "--format", "table")).stdout).toContain(
      'blocked by limit "openai" (1 at once), 1 before it',
    );
    expect(await limitOf("openai")).toMatchObject({
      kind: "tool",
      max: { running: 1, rate: { count: 100, per_ms: 3_600_000 } },
      running: 1,
      waiting: 2,
      rate_left: 99,
      set: null,
    });
    const { stdout } = await cli("limits", "set", "openai", "--running", "2", "--reason", "a larger plan");
    expect(JSON.parse(stdout)).toMatchObject({ max: { running: 2 }, set: { by: whoAmI(), reason: "a larger plan" } });
    await gate.called(2);
    await cli("limits", "set", "openai", "--rate", "2/1h");
    gate.end(0, null);
    await ended(worker, first);
    const blocked = await when(worker, third, ({ waiting_for }) => waiting_for[0]?.reason === "2 in 1h");
    expect(blocked.waiting_for[0]?.until).not.toBeNull();
    expect((await cli("get-task", third, "--format", "table")).stdout).toMatch(
      /blocked by limit "openai" \(2 in 1h\), 0 before it, about \d+ \w+/,
    );
    expect((await limitOf("openai"))?.set).toMatchObject({ running: 2, rate: { count: 2, per_ms: 3_600_000 } });
    await cli("limits", "reset", "openai");
    expect((await limitOf("openai"))?.set).toBeNull();
    gate.end(1, null);
    await gate.called(3);
    gate.end(2, null);
    await ended(worker, third);
  });

  test("a task in the queue says which limit of its flow stands before it", async () => {
    const input = { tenant: "acme" };
    const first = await enqueue(worker, "serial", { input });
    await slow.called(1);
    const waits = [await enqueue(worker, "serial", { input }), await enqueue(worker, "serial", { input })];
    expect((await task(waits[1] ?? "")).waiting_for).toMatchObject([
      { kind: "limit", name: "serial", reason: "1 of a key at once", before: 1 },
    ]);
    const other = await enqueue(worker, "serial", { input: { tenant: "other" } });
    await slow.called(2);
    expect((await task(other)).waiting_for).toEqual([]);
    await cli("limits", "set", "serial", "--per-key", "none");
    await slow.called(4);
    for (let n = 0; n < 4; n++) slow.end(n, null);
    for (const id of [first, other, ...waits]) expect(await ended(worker, id)).toMatchObject({ status: "COMPLETED" });
  });

  test("a limit that there is not is not found, with what was meant", async () => {
    const first = await enqueue(worker, "asks");
    await gate.called(1);
    const { code, stderr } = await cli("limits", "set", "opnai", "--running", "2");
    expect(code).toBe(3);
    expect(stderr).toContain("did you mean openai?");
    gate.end(0, null);
    await ended(worker, first);
  });
});
