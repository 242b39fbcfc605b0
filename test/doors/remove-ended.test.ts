// The statements of docs/operations.md that remove ended tasks, as a person would run them on a database that others work on.

import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import postgres from "postgres";
import * as v from "valibot";
import { echoAdd } from "../../src/flows/echo-add.ts";
import { call, defineFlow, runChild, waitForSignal } from "../../src/sdk/taskonaut.ts";
import { echo } from "../../src/flows/tools.ts";
import { DATABASES } from "../support/databases.ts";
import { engineOn } from "../support/engine.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { rejection } from "../support/rejection.ts";
import { tasksOf } from "../support/listed.ts";

const OPERATIONS = join(import.meta.dir, "../../docs/operations.md");
const DAY_MS = 86_400_000;
const BELOW = ["task_steps", "tool_calls", "task_inbox", "payloads"];

const parent = defineFlow({
  name: "parent",
  input: v.unknown(),
  signals: { go: v.unknown() },
  *run() {
    yield* runChild(echoAdd, {});
    yield* waitForSignal("go");
    return yield* call(echo, { text: "went" });
  },
});

async function readStatement(dialect: string): Promise<string> {
  const text = await Bun.file(OPERATIONS).text();
  const statements = [...text.matchAll(/^```sql\n(.*?)^```$/gms)].map(([, sql = ""]) => sql);
  const isSqlite = (sql: string): boolean => sql.includes("pragma");
  return statements.find((sql) => sql.includes("delete from") && isSqlite(sql) === (dialect === "sqlite")) ?? "";
}

/** Runs it past the store; gives the rows of the last statement. */
async function execute(url: string, script: string): Promise<readonly unknown[]> {
  if (url.startsWith("sqlite:")) {
    const database = new Database(url.slice("sqlite:".length));
    // as the shell has it
    database.run("pragma foreign_keys = off");
    try {
      if (script.startsWith("select")) return database.query(script.replaceAll("taskonaut.", "")).all();
      database.run(script);
      return [];
    } finally {
      database.close();
    }
  }
  const sql = postgres(url, { max: 1 });
  try {
    return await sql.unsafe(script);
  } finally {
    await sql.end();
  }
}

test.each(DATABASES)(
  "on %s those that ended long ago go with all their rows, and no others",
  async (dialect, create) => {
    const database = await create();
    const past = engineOn(await database.openStore(), {
      flows: [parent],
      clock: new FakeClock(Date.now() - 31 * DAY_MS),
    });
    const present = engineOn(await database.openStore(), { flows: [parent] });
    try {
      const begin = async (engine: typeof past, flow: string): Promise<string> => {
        const { task } = await engine.createTask({ flow, input: {} });
        return (await engine.runTask(task.id)).id;
      };
      const childOf = async (id: string): Promise<string> =>
        tasksOf(await present.listTasks({ limit: 100 })).find(({ parent_task_id }) => parent_task_id === id)?.id ?? "";
      const ended = await begin(past, "parent");
      await past.signalTask(ended, { name: "go", payload: 1 });
      expect((await past.runTask(ended)).status).toBe("COMPLETED");
      const waits = await begin(past, "parent");
      const planned = (await past.createTask({ flow: "echo_add", input: {} })).task.id;
      const recent = await begin(present, "echo_add");
      const gone = [ended, await childOf(ended), await begin(past, "echo_add")];
      const kept = [waits, await childOf(waits), planned, recent];
      const before = await Promise.all(kept.map((id) => present.getTask(id)));

      await execute(database.url, await readStatement(dialect));

      for (const id of gone) expect(await rejection(present.getTask(id))).toMatchObject({ code: "task_not_found" });
      expect(await Promise.all(kept.map((id) => present.getTask(id)))).toEqual(before);
      for (const table of BELOW) {
        const orphans = `select 1 from taskonaut.${table} where task_id not in (select id from taskonaut.tasks)`;
        expect(await execute(database.url, orphans)).toHaveLength(0);
      }
      await present.signalTask(waits, { name: "go", payload: 1 });
      expect((await present.runTask(waits)).status).toBe("COMPLETED");
    } finally {
      await Promise.all([past.close(), present.close()]);
      await database.drop();
    }
  },
);
