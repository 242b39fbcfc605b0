// Many tasks in constant memory: lists are read, sent and printed page by page.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { $ } from "bun";
import type { Launch } from "../bench/launcher.ts";
import { binary } from "./binary.ts";
import { columnsOf } from "./columns.ts";
import { openSandbox } from "./harness.ts";
import { DIALECTS, openPlace, type Place } from "./place.ts";
import { taskOf } from "./tasks.ts";

setDefaultTimeout(120_000);

const TASKS = 20_000;
const TEXT = "x".repeat(500);
/** What the list of them is at least, as JSON. */
const LIST_BYTES_MIN = 140e6;
/** Pages, and garbage that was not collected yet: less than one list. Those of two clients, as objects, are many times that. */
const GROWTH_BYTES_MAX = LIST_BYTES_MIN;
const LAUNCHER = join(import.meta.dir, "../bench/launcher.ts");

/** The task's id as column of each table. */
const ID_COLUMNS = { tasks: "id", task_steps: "task_id", tool_calls: "task_id" } as const;

/** Copies a task with all its rows, in bulk. */
async function multiply(place: Place, id: string): Promise<void> {
  const newId =
    place.dialect === "sqlite"
      ? "printf('00000000-0000-7000-8000-%012d', i)"
      : "('00000000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid";
  for (const [table, idColumn] of Object.entries(ID_COLUMNS)) {
    const columns = await columnsOf(place, table);
    const values = columns.map((column) => (column === idColumn ? newId : column));
    await place.query(`
      with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < ${TASKS - 1})
      insert into ${table} (${columns.join(", ")})
      select ${values.join(", ")} from ${table} cross join numbers where ${idColumn} = '${id}'`);
  }
}

/** Reads a list to its end without keeping it. */
async function measureList({ body }: Response): Promise<{ bytes: number; tasks: number; ends: string }> {
  const decoder = new TextDecoder();
  let bytes = 0;
  let tasks = 0;
  let first = "";
  let rest = "";
  if (body === null) throw new Error("The list has no body.");
  for await (const chunk of body as ReadableStream<Uint8Array>) {
    bytes += chunk.byteLength;
    const text = rest + decoder.decode(chunk, { stream: true });
    first ||= text.slice(0, 1);
    const parts = text.split('"flow_name":');
    tasks += parts.length - 1;
    rest = parts.at(-1)?.slice(-11) ?? "";
  }
  return { bytes, tasks, ends: first + rest.slice(-1) };
}

describe.each(DIALECTS)("%s", (dialect) => {
  let place: Place;
  beforeAll(async () => {
    place = await openPlace(dialect);
    await multiply(place, taskOf(await place.run(["run-flow", "--text", TEXT])).id);
  });
  afterAll(() => place[Symbol.asyncDispose]());

  test("GET /tasks sends all of them, to several clients at once, in a few megabytes", async () => {
    const server = await place.serve();
    await (await fetch(`${server.url}/tasks?limit=100`)).arrayBuffer();
    const before = await memoryOf(server.pid);
    const lists = await Promise.all([1, 2].map(async () => measureList(await fetch(`${server.url}/tasks`))));
    const grown = (await memoryOf(server.pid)) - before;
    for (const { bytes, ...list } of lists) {
      expect(list).toEqual({ tasks: TASKS, ends: "[]" });
      expect(bytes).toBeGreaterThan(LIST_BYTES_MIN);
    }
    expect(grown).toBeLessThan(GROWTH_BYTES_MAX);
    expect((await server.stop()).exit).toBe(0);
  });

  test("get-tasks > /dev/null prints all of them in a few megabytes", async () => {
    const program = await binary();
    await using launcher = await openSandbox({ DATABASE_URL: place.url }, [process.execPath, LAUNCHER]);
    const commands = [["get-tasks", "--limit", "100"], ["get-tasks"]].map((words) =>
      JSON.stringify([program, ...words]),
    );
    const { exit, stdout, stderr } = await launcher.run(["1", ...commands]);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
    const [few, all] = JSON.parse(stdout) as [Launch, Launch];
    expect(all.peakBytes - few.peakBytes).toBeLessThan(GROWTH_BYTES_MAX);
  });

  test("get-tasks | head -n 1 ends as soon as nobody reads any more, and that is no error", async () => {
    const script = '{ "$0" "$@"; echo "exit $?" >&2; } | head -n 1';
    await using shell = await openSandbox({ DATABASE_URL: place.url }, ["sh", "-c", script, await binary()]);
    const { stdout, stderr } = await shell.run(["get-tasks"]);
    expect(stderr).toBe("exit 0\n");
    expect(stdout).toMatch(/^\[\{"id":.*\},\n$/);
  });
});

/** Resident memory of a process: its peak on Linux, elsewhere what it has now. */
async function memoryOf(pid: number): Promise<number> {
  if (process.platform !== "linux") return 1024 * Number(await $`ps -o rss= -p ${pid}`.text());
  const status = await Bun.file(`/proc/${pid}/status`).text();
  return 1024 * Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]);
}
