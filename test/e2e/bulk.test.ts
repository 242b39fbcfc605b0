// Operations on many tasks by the compiled program: on a database, against a server, and killed in the middle.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { BULK_FLOW } from "../../src/core/api/bulk.ts";
import { columnsOf } from "./columns.ts";
import { DIALECTS, openPlace, type Place } from "./place.ts";

setDefaultTimeout(120_000);

const KILLED = 137;
const TASKS = 400;
const KILLS = 6;

const FLOWS = `
import { call, defineFlow, defineTool } from "taskonaut";
import * as v from "valibot";

const refuse = defineTool({
  name: "refuse", input: v.object({}), output: v.null(), retry: { attempts: 1 },
  run() { throw new Error("refused"); },
});
export const fails = defineFlow({ name: "fails", input: v.object({}), *run() { yield* call(refuse, {}); } });
`;

async function json<T>(place: Place, args: readonly string[]): Promise<T> {
  const { exit, stdout, stderr } = await place.run(args);
  expect({ args, exit, stderr }).toEqual({ args, exit: 0, stderr: "" });
  return JSON.parse(stdout) as T;
}

/** As many FAILED tasks as a copy of one makes. */
async function multiply(place: Place): Promise<void> {
  const { dialect } = place;
  const copies =
    dialect === "sqlite" ? `json_each('[${"0,".repeat(TASKS - 2)}0]')` : `generate_series(1, ${TASKS - 1})`;
  const name = dialect === "sqlite" ? "key" : "n";
  const hex = dialect === "sqlite" ? `printf('%012x', c.${name})` : `lpad(to_hex(c.${name}), 12, '0')`;
  const uuid = (sql: string): string => (dialect === "sqlite" ? sql : `(${sql})::uuid`);
  const id = uuid(`'0193d3f0-7c1e-7b7a-9c5e-' || ${hex}`);
  const from = dialect === "sqlite" ? `${copies} c` : `${copies} as c (n)`;
  const copy = async (table: string, key: string): Promise<void> => {
    const names = await columnsOf(place, table);
    const values = names.map((column) => (column === key ? id : `o.${column}`));
    await place.query(
      `insert into ${table} (${names.join(", ")}) select ${values.join(", ")} from (select * from ${table} limit 1) o, ${from}`,
    );
  };
  await copy("tasks", "id");
  await copy("task_steps", "task_id");
}

describe.each(DIALECTS)("%s", (dialect) => {
  test("an operation that is killed again and again acts on each task once in the end", async () => {
    await using place = await openPlace(dialect);
    await place.write("flows/fails.ts", FLOWS);
    await place.run(["run-flow", "fails"]);
    await multiply(place);
    const retry = ["retry-tasks", "--flow", "fails", "--yes"];
    const began = performance.now();
    expect(await json(place, [...retry.slice(0, -1), "--dry-run"])).toMatchObject({ tasks: TASKS });
    const startMs = performance.now() - began;
    let killed = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const { exit } = await place.run(retry, { timeoutMs: Math.ceil(startMs * (0.6 + (1.2 * kill) / KILLS)) });
      expect([0, KILLED]).toContain(exit);
      if (exit === KILLED) killed += 1;
    }
    expect(killed).toBeGreaterThan(0);
    const operations = await json<{ id: string; status: string }[]>(place, ["get-tasks", "--flow", BULK_FLOW]);
    // the lease of who was killed need not have passed: his process is gone
    for (const { id } of operations) expect(await json(place, ["run-task", id])).toMatchObject({ status: "COMPLETED" });
    await place.run(retry);
    const opened = await place.query<{ attempt_epoch: number; count: number | string }>(
      "select attempt_epoch, count(*) as count from task_steps where step_name = 'refuse' group by attempt_epoch",
    );
    expect(opened.map((row) => [row.attempt_epoch, Number(row.count)])).toEqual([[1, TASKS]]);
  });

  test("against a server it says and does the same as on the database", async () => {
    await using place = await openPlace(dialect);
    const server = await place.serve(["--no-worker"]);
    const told: unknown[] = [];
    for (const at of [[], ["--api-base-url", server.url]]) {
      for (let n = 0; n < 3; n++) await place.run(["run-flow", "--mode", "create"]);
      await place.run(["run-flow"]);
      const { sample, token, ...preview } = await json<{ sample: unknown[]; token: string }>(place, [
        "cancel-tasks",
        "--flow",
        "echo_add",
        "--dry-run",
        ...at,
      ]);
      const { task_id, ...cancelled } = await json<{ task_id: string }>(place, [
        "cancel-tasks",
        "--flow",
        "echo_add",
        "--yes",
        ...at,
      ]);
      const removed = await json<{ task_id: string }>(place, ["delete-tasks", "--flow", "echo_add", "--yes", ...at]);
      const purged = await json(place, ["purge", ...at]);
      told.push({ preview, sample: sample.length, cancelled, removed: { ...removed, task_id: null }, purged });
      expect([token, task_id].every(Boolean)).toBe(true);
    }
    expect(told[1]).toEqual(told[0]);
    expect(told[0]).toMatchObject({
      preview: { action: "cancel", tasks: 3 },
      cancelled: { done: 3, status: "COMPLETED" },
      removed: { done: 4 },
      purged: { removed: [], not_loaded: [] },
    });
    await server.stop();
  });

  test("at a terminal it shows what matches, asks, and tells what it did", async () => {
    await using place = await openPlace(dialect);
    await place.run(["run-flow", "--mode", "create"]);
    const terminal = await place.terminal(["cancel-tasks", "--all"]);
    await terminal.see("1 task matches:");
    await terminal.see("Cancel this task?");
    terminal.type("y");
    await terminal.see("1 task was cancelled.");
    expect(await terminal.exited()).toBe(0);
  });
});
