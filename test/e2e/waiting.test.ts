// A command that waits says for what, on stderr, after a second; of a task that another process drives it says so sooner.

import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import postgres from "postgres";
import type { Task } from "../../src/core/api/task.ts";
import { DIALECTS, openPlace } from "./place.ts";
import { taskOf } from "./tasks.ts";

setDefaultTimeout(60_000);

const SLOW = `
import { existsSync } from "node:fs";
import { call, defineFlow, defineTool } from "taskonaut";
import * as v from "valibot";
const nap = defineTool({
  name: "nap", input: v.string(), output: v.null(), timeout: "10m",
  async run(file) {
    while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 20));
    return null;
  },
});
export default defineFlow({ name: "slow", input: v.object({ until: v.string() }), *run({ until }) { yield* call(nap, until); } });
`;

test.each(DIALECTS)("for a task that another process drives: which, at what, since when (%s)", async (dialect) => {
  await using place = await openPlace(dialect);
  await writeFile(join(place.folder, "slow.ts"), SLOW);
  const end = join(place.folder, "end");
  const flows = ["--flows", "slow.ts"];
  const { id } = taskOf(await place.run(["run-flow", "slow", "--until", end, "--mode", "create", ...flows]));
  const driver = place.start(["run-task", id, ...flows]);
  const isDriven = async (): Promise<boolean> =>
    (JSON.parse((await place.run(["get-task", id])).stdout) as Task).tool_calls[0]?.status === "RUNNING";
  while (!(await isDriven()));
  const told = new RegExp(
    `Waiting for task ${id}: worker \\S+:${driver.pid} drives it, step 1 nap since \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\dZ`,
  );
  const waiting = place.start(["run-task", id, ...flows]);
  await waiting.see(told);
  const server = await place.serve(flows);
  const remote = place.start(["run-task", id, "--api-base-url", server.url]);
  await remote.see(told);
  const silent = place.start(["run-task", id, "--json", ...flows]);
  await writeFile(end, "");
  for (const each of [driver, waiting, remote, silent]) {
    const { exit, stderr } = await each.ended();
    expect(exit).toBe(0);
    expect(stderr.split("Waiting for")).toHaveLength(each === waiting || each === remote ? 2 : 1);
  }
});

test("for a locked file", async () => {
  await using place = await openPlace("sqlite");
  using database = new Database(place.url.slice("sqlite:".length));
  database.run("begin immediate");
  const waiting = place.start(["run-flow"]);
  await waiting.see(
    `Waiting for the database ${place.url.slice("sqlite:".length)}, which another process keeps locked`,
  );
  database.run("rollback");
  expect((await waiting.ended()).exit).toBe(0);
});

test("for a server that does not answer yet", async () => {
  await using place = await openPlace("postgres");
  const sql = postgres(place.url, { max: 1, onnotice: () => {} });
  await sql.begin(async (transaction) => {
    await transaction`lock table taskonaut.tasks in access exclusive mode`;
    const waiting = place.start(["get-tasks"]);
    await waiting.see(/Waiting for an answer of the database postgres:\S+ \(at most 10 s\)\./);
    await transaction`select 1`;
  });
  await sql.end();
});

test("for the migration of another process", async () => {
  await using place = await openPlace("postgres");
  await place.query("drop schema taskonaut cascade");
  const sql = postgres(place.url, { max: 1 });
  await sql`select pg_advisory_lock(hashtextextended('taskonaut:migrate', 0))`;
  const waiting = place.start(["migrate"]);
  await waiting.see("Waiting for the migration of postgres:");
  await sql`select pg_advisory_unlock_all()`;
  expect((await waiting.ended()).exit).toBe(0);
  await sql.end();
});
