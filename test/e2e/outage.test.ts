// PostgreSQL goes away and comes back while `run-app` serves: nothing hangs, nothing acknowledged is lost, and all is
// well again without a restart of the server.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import postgres from "postgres";
import type { Task } from "../../src/core/api/task.ts";
import type { PostgresServer } from "../support/postgres-server.ts";
import { ownServer } from "../support/postgres.ts";
import { openSandbox, type Sandbox } from "./harness.ts";
import { type Answer, Load } from "./load.ts";
import type { Served } from "./served.ts";
import { expectCompleted } from "./tasks.ts";

setDefaultTimeout(120_000);

/** No answer takes longer: the store gives up after 10 s. */
const ANSWER_MS_MAX = 12_000;
const CLIENTS = 4;

let database: PostgresServer;
let sandbox: Sandbox;
let app: Served;

beforeAll(async () => {
  database = await ownServer();
  sandbox = await openSandbox({ DATABASE_URL: database.url });
  await sandbox.run(["migrate"]);
  app = await sandbox.serve();
});

afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  await database.dispose();
});

const isWell = ({ status }: Answer): boolean => status === 200 || status === 201;
const isAway = ({ status }: Answer): boolean => status === 503;

function startLoad(): Load {
  return new Load(app.url, { clients: CLIENTS, answerMsMax: ANSWER_MS_MAX });
}

/** Every answer was what was asked for, or a 503 that says when to come back; every acknowledged task completes. */
async function expectNothingLost({ answers, acknowledged }: Load): Promise<void> {
  const failures = answers.filter((answer) => !isWell(answer));
  const kinds = new Set(failures.map(({ status, code, retryAfter }) => `${status} ${code} ${retryAfter}`));
  expect([...kinds]).toEqual(["503 database_unavailable 2"]);
  expect(new Set(acknowledged).size).toBe(acknowledged.length);
  for (const id of acknowledged) {
    const response = await fetch(`${app.url}/tasks/${id}/run`, { method: "POST" });
    expect(response.status).toBe(200);
    expectCompleted((await response.json()) as Task);
  }
}

describe.each(["stop", "kill"] as const)("a database server after %s", (end) => {
  test("503 meanwhile, then all is well", async () => {
    const load = startLoad();
    await load.until(40, isWell);
    await database[end]();
    await load.until(CLIENTS, isAway);
    const statuses = await Promise.all(
      ["/readyz", "/tasks", "/healthz"].map(async (path) => (await fetch(app.url + path)).status),
    );
    expect(statuses).toEqual([503, 503, 200]);
    await database.start();
    await load.until(40, isWell);
    await load.stop();
    expect((await fetch(`${app.url}/readyz`)).status).toBe(200);
    await expectNothingLost(load);
  });
});

test("backends that are terminated under load", async () => {
  const sql = postgres(database.url, { max: 1 });
  const load = startLoad();
  for (let round = 0; round < 15; round++) {
    await load.until(round, isWell);
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'taskonaut'`;
  }
  await load.until(40, isWell);
  await load.stop();
  await sql.end();
  await expectNothingLost(load);
});

test("the server ends as ever, after all that", async () => {
  expect((await app.stop()).exit).toBe(0);
});

test("a server that is told to stop while the database is away ends, and with 0", async () => {
  const server = await sandbox.serve();
  await fetch(`${server.url}/tasks`);
  await database.stop();
  expect((await fetch(`${server.url}/tasks`)).status).toBe(503);
  expect((await server.stop()).exit).toBe(0);
});
