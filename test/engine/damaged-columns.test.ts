// Every column of every table, with values that no taskonaut writes: no command and no route takes it for a fault of its
// own, lists tell of all other rows, and workers go on with all other tasks. Tables and columns are those of the
// migrations, so a new one is tested as soon as it is there.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { hasCode } from "../../src/core/errors.ts";
import { isTerminal } from "../../src/core/record/status.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import { createApp } from "../../src/server/app.ts";
import type { Store } from "../../src/store/store.ts";
import { callCli } from "../support/cli.ts";
import { DATABASES } from "../support/databases.ts";
import { type Column, valuesFor } from "../support/damaged-database.ts";
import { effort } from "../support/effort.ts";
import { engineOn } from "../support/engine.ts";
import { until } from "../support/until.ts";
import { Watchdog } from "../support/watchdog.ts";
import { onPostgres, onSqlite, type Place } from "./damage-place.ts";
import { FLOWS, type World } from "./damage-world.ts";

/** So many damages, chosen at random; a failure names its own. */
const DAMAGES = effort({ check: 30, long: Number.POSITIVE_INFINITY });

const TEST_MS_MAX = effort({ check: 110_000, long: 1_800_000 });

/** One takes a part of a second. What takes so long does not end. */
const DAMAGE_MS_MAX = 60_000;

interface Damage {
  readonly column: Column;
  readonly value: string;
}

const MAKE: Readonly<Record<string, () => Promise<Place>>> = { sqlite: onSqlite, postgres: onPostgres };

describe.each(DATABASES.map(([name]) => name))("a damaged value on %s", (name) => {
  let place: Place;
  let watchdog: Watchdog;
  beforeAll(async () => {
    watchdog = await Watchdog.start();
    const make = MAKE[name];
    if (!make) throw new Error(`No test on ${name}.`);
    place = await make();
  }, 120_000);
  afterAll(async () => {
    watchdog.stop();
    await place.close();
  });

  test(
    "is nowhere taken for a fault of taskonaut, hides no other row, and keeps no worker from its work",
    async () => {
      const { database } = place;
      for (const table of new Set(database.columns.map((column) => column.table))) {
        expect([table, (await database.count(table)) > 0]).toEqual([table, true]);
      }
      const all = database.columns.flatMap((column) => valuesFor(column.type).map((value) => ({ column, value })));
      for (const damage of pick(all, DAMAGES)) {
        await database.restore();
        if (!(await database.damage(damage.column, damage.value))) continue;
        const what = `${damage.column.table}.${damage.column.name} = ${damage.value}`;
        const faults = await watchdog.watch(what, DAMAGE_MS_MAX, () => faultsOf(place, damage));
        expect({ [what]: faults }).toEqual({ [what]: [] });
      }
    },
    TEST_MS_MAX,
  );
});

function pick<T>(all: readonly T[], count: number): readonly T[] {
  if (all.length <= count) return all;
  return all
    .map((each) => ({ each, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .slice(0, count)
    .map(({ each }) => each);
}

async function faultsOf({ world, open }: Place, { column }: Damage): Promise<readonly string[]> {
  const faults: string[] = [];
  let store: Store;
  try {
    store = await open();
  } catch (error) {
    // what migrations have noted is told by whoever opens the database
    return column.table === "schema_migrations" ? [] : [`open: ${String(error)}`];
  }
  const engine = engineOn(store, { flows: FLOWS, limits: { graceMs: 0, busyMs: 2000 } });
  try {
    await useRoutes(engine, world, column.table, faults);
    await useCommands(engine, world, faults);
    await work(engine, column.table, faults);
  } finally {
    await engine.close().catch((error: unknown) => faults.push(`close: ${String(error)}`));
  }
  return faults;
}

const HEADERS = { authorization: "Bearer owner", "content-type": "application/json", host: "127.0.0.1" };

async function useRoutes(engine: Engine, world: World, table: string, faults: string[]): Promise<void> {
  const access = { host: "127.0.0.1", token: "owner", gate: engine.tokens, sessions: engine.sessions };
  const app = createApp(engine, access);
  const ask = async (
    method: string,
    path: string,
    { body, ...headers }: Record<string, string> = {},
  ): Promise<void> => {
    const request = { method, headers: { ...HEADERS, ...headers }, ...(body !== undefined && { body }) };
    const response = await app.request(`http://127.0.0.1${path}`, request);
    const text = await response.text();
    if (response.status < 500) return;
    const { code, detail } = JSON.parse(text) as { code: string; detail: string };
    if (table === "schema_migrations" && code !== "internal") return;
    if (code !== "record_damaged") faults.push(`${method} ${path}: ${code}, ${detail}`);
    else if (!text.includes(table)) faults.push(`${method} ${path} does not name the table: ${detail}`);
    else if (LISTS.includes(path)) faults.push(`${path} is refused as a whole: ${detail}`);
  };
  for (const path of LISTS) await ask("GET", path);
  for (const id of Object.values(world.ids)) await ask("GET", `/tasks/${id}`);
  for (const path of OTHERS) await ask("GET", path);
  await ask("GET", "/tasks?flow=order", { authorization: `Bearer ${world.secret}` });
  for (const [path, body] of changesOf(world)) await ask("POST", path, { body: JSON.stringify(body) });
}

const LISTS: readonly string[] = [
  "/tasks?view=summary",
  "/tasks?limit=50&status=WAITING_OBSERVATION",
  "/tasks/counts",
  "/workers",
  "/pauses",
  "/limits",
  "/schedules",
  "/tokens",
  "/flows",
  "/audit-log?limit=50",
  "/stats",
];

const OTHERS: readonly string[] = ["/readyz", "/audit-log/verify", "/task-ids/@last", "/schedules/hourly", "/session"];

function changesOf({ ids, token }: World): readonly (readonly [path: string, body: unknown])[] {
  const { waits, signalled, doubtful, failed, done, naps, long, below, above, idle, forked } = ids;
  return [
    [`/tasks/${waits}/signals/approved`, { by: "x" }],
    [`/tasks/${signalled}/run`, {}],
    [`/tasks/${doubtful}/resolve`, { output: 1 }],
    [`/tasks/${failed}/retry`, {}],
    [`/tasks/${done}/fork`, { from: 2 }],
    [`/tasks/${naps}/cancel`, {}],
    [`/tasks/${long}/cancel`, { force: true }],
    [`/tasks/${below}/signals/go`, {}],
    [`/tasks/${above}/run`, {}],
    [`/tasks/${idle}/advance`, {}],
    [`/tasks/${forked}/run`, {}],
    ["/tasks", { text: "new" }],
    ["/schedules/hourly/trigger", {}],
    ["/schedules/nightly/pause", {}],
    ["/limits/limited", { running: 2 }],
    ["/limits/queued/reset", {}],
    ["/pauses/end", { tool: "none" }],
    [`/tokens/${token}/rotate`, { grace: "1m" }],
  ];
}

async function useCommands(engine: Engine, { ids }: World, faults: string[]): Promise<void> {
  // the next command has the same engine
  const taskonaut = new Proxy(engine, {
    get(target, key) {
      if (key === "close") return async () => {};
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  const shown = [ids["doubtful"], ids["failed"], ids["done"], ids["above"]].map((id) => ["get-task", id ?? ""]);
  for (const argv of [...COMMANDS, ...shown, ["traces", ids["done"] ?? ""]]) {
    const { code, stderr } = await callCli(argv, { taskonaut, isTTY: true });
    if (code === 70) faults.push(`${argv.join(" ")}: ${stderr}`);
  }
}

const COMMANDS = ["get-tasks", "workers", "pauses", "limits", "schedules", "tokens", "audit-log", "flows"].map(
  (each) => [each],
);

/** A task that is new, and one that waits for its time, get on. */
async function work(engine: Engine, table: string, faults: string[]): Promise<void> {
  try {
    const { task } = await engine.createTask({ flow: "echo_add", input: {}, start: "now" });
    await engine.startWorker({ concurrency: 4 });
    await until(async () => isTerminal((await engine.getTask(task.id)).status), "the new task has ended", 10_000);
  } catch (error) {
    if (table === "schema_migrations" && !hasCode(error, "internal")) return;
    faults.push(`a worker, with ${table} damaged: ${String(error)}`);
  }
}
