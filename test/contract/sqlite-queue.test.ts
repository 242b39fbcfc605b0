// What the queue on a file owes to the file: its migration, locks that belong to a process, the folder that tells.

import { afterEach, beforeEach, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { Worker } from "node:worker_threads";

import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import type { ClaimRequest } from "../../src/store/store.ts";
import { rejection } from "../support/rejection.ts";
import { changeOf, inStatus, plannedRecord } from "./rows.ts";
import type { Renewal } from "./sqlite-child.ts";
import { commitsInLog } from "./sqlite-log.ts";
import { until } from "../support/until.ts";

const HOUR_MS = 3_600_000;
const CHILD = join(import.meta.dir, "sqlite-child.ts");

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "taskonaut-sqlite-"));
  path = join(folder, "tasks.db");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const FLOW = { name: "echo_add", limit: 10, heldMax: 5 };

const WORKER = crypto.randomUUID();
const OTHER = crypto.randomUUID();

const request = (over: Partial<ClaimRequest> = {}): ClaimRequest => ({
  workerId: WORKER,
  limit: 10,
  flows: [FLOW],
  deadOwners: [],
  ...over,
});

async function runChild(command: string, at = path): Promise<unknown> {
  const child = Bun.spawn([process.execPath, CHILD, command, at], { stdout: "pipe", stderr: "inherit" });
  const text = await new Response(child.stdout).text();
  expect(await child.exited).toBe(0);
  return JSON.parse(text);
}

test("no row is checked against a list of more than two, for which SQLite builds an index each time", async () => {
  const store = await openSqliteStore({ path });
  await store.close();
  const database = new Database(path);
  expect(schemaOf(database).filter((sql) => /\bin \([^)]*,[^)]*,/.test(sql))).toEqual([]);
  for (const insert of [
    "tasks (id) values ('a')",
    "task_steps (task_id) values ('a')",
    "tool_calls (task_id) values ('a')",
  ]) {
    const program = database.query<{ opcode: string }, []>(`explain insert into ${insert}`).all();
    expect(program.map(({ opcode }) => opcode)).not.toContain("OpenEphemeral");
  }
  database.close();
});

test("two stores of one process do not lose each other's locks, in the eyes of any process", async () => {
  const [holder, asker] = await Promise.all([openSqliteStore({ path }), openSqliteStore({ path })]);
  const id = crypto.randomUUID();
  await holder.registerWorker({ id, name: "w", leaseMs: HOUR_MS, concurrency: 1 });
  for (let times = 0; times < 5; times++) {
    expect(await asker.readWorkerState(id)).toBe("alive");
    expect(await asker.findDeadWorkers()).toEqual([]);
  }
  // A process loses all its locks on a file when it closes the file once, whoever in it took them: SQLite knows that.
  expect(await runChild("findDead")).toEqual([]);
  await asker.close();
  expect(await runChild("findDead")).toEqual([]);
  const lock = join(`${path}-workers`, `${id}.lock`);
  expect(existsSync(lock)).toBe(true);
  // As those of a process that nobody can find: then the lock counts.
  const others = new Database(path);
  others.run("update workers set process = 'in another container', lease_ms = 10 * lease_ms");
  expect(await runChild("findDead")).toEqual([]);
  await holder.close();
  // Its file went with the store that held it.
  writeFileSync(lock, "");
  expect(await runChild("findDead")).toEqual([id]);
  others.close();
});

test("a lock file that somebody removes is no death, and is made anew, with its folder", async () => {
  const [holder, asker] = await Promise.all([openSqliteStore({ path }), openSqliteStore({ path })]);
  const id = crypto.randomUUID();
  const locks = `${path}-workers`;
  const lock = join(locks, `${id}.lock`);
  await holder.registerWorker({ id, name: "w", leaseMs: HOUR_MS, concurrency: 1 });
  const others = new Database(path);
  for (const process of ["as it is", "in another container"]) {
    if (process !== "as it is") others.run("update workers set process = ?, lease_ms = 10 * lease_ms", [process]);
    rmSync(process === "as it is" ? lock : locks, { recursive: true });
    expect(await runChild("findDead")).toEqual([]);
    expect(await asker.readWorkerState(id)).toBe("alive");
    expect(await asker.findDeadWorkers()).toEqual([]);
    await (process === "as it is" ? holder.findDeadWorkers() : holder.renewWorker(id, HOUR_MS));
    expect(existsSync(lock)).toBe(true);
    // and it is locked: else who looks would remove it
    others.run("update workers set lease_ms = 10 * lease_ms");
    expect(await runChild("findDead")).toEqual([]);
    expect(existsSync(lock)).toBe(true);
  }
  others.close();
  await Promise.all([holder.close(), asker.close()]);
});

test("a lease is renewed from another thread while this one writes without a pause", async () => {
  const store = await openSqliteStore({ path });
  const workerId = crypto.randomUUID();
  await store.registerWorker({ id: workerId, name: "w", leaseMs: HOUR_MS, concurrency: 1 });
  const records = Array.from({ length: 2000 }, () => plannedRecord());
  await store.insertTasks(records);
  const renewed = new SharedArrayBuffer(4);
  const renewal: Renewal = { path, workerId, times: 20, renewed };
  const thread = new Worker(CHILD, { workerData: renewal });
  const left = once(thread, "exit");
  const count = new Int32Array(renewed);
  let tasks = records.map(({ task }) => task);
  for (let rounds = 0; rounds < 500 && Atomics.load(count, 0) < renewal.times; rounds++) {
    expect(await store.commitChanges(tasks.map((task) => changeOf(task)))).not.toContain(false);
    tasks = tasks.map((task) => ({ ...task, version: task.version + 1 }));
    await Bun.sleep(0);
  }
  expect(Atomics.load(count, 0)).toBe(renewal.times);
  await left;
  // The thread's store has come and gone; the lock of this one's worker is where it was.
  expect(await runChild("findDead")).toEqual([]);
  await store.close();
}, 120_000);

test("who finds nothing to do does not wait for a writer", async () => {
  const store = await openSqliteStore({ path, deadlineMs: 200 });
  const held = { due_at: 1, lease_owner: OTHER };
  await store.insertTasks([plannedRecord({ due_at: Date.now() + HOUR_MS })]);
  await store.insertTasks(Array.from({ length: 5 }, () => plannedRecord(held)));
  await store.registerWorker({ id: WORKER, name: "w", leaseMs: HOUR_MS, concurrency: 1 });
  const writer = new Database(path);
  writer.run("begin immediate");
  expect((await store.claimTasks(request())).tasks).toEqual([]);
  expect(await store.findDeadWorkers()).toEqual([]);
  expect(await store.forgetDeadWorkers()).toBe(0);
  expect(await store.listWorkers()).toHaveLength(1);
  expect(await store.unparkTasks([{ name: "echo_add", code: "new" }])).toBe(0);
  // One that takes over from the dead has to.
  await expect(store.claimTasks(request({ deadOwners: [OTHER] }))).rejects.toMatchObject({
    code: "database_unavailable",
  });
  writer.run("rollback");
  // Nor does a flow wait that holds all that it may, although more is due.
  writer.run("update tasks set limited = 1 where lease_owner is not null");
  await store.insertTasks([plannedRecord({ due_at: 1 })]);
  writer.run("begin immediate");
  expect((await store.claimTasks(request())).tasks).toEqual([]);
  writer.run("rollback");
  writer.close();
  await store.close();
});

test("a watcher hears through a link what another process announces, once for many, and no other write", async () => {
  const link = join(folder, "link.db");
  const store = await openSqliteStore({ path });
  await store.announce();
  symlinkSync(path, link);
  const linked = await openSqliteStore({ path: link });
  let news = 0;
  const watch = await linked.watch(() => {
    news += 1;
  });
  await store.registerWorker({ id: WORKER, name: "w", leaseMs: HOUR_MS, concurrency: 1 });
  await store.renewWorker(WORKER, HOUR_MS);
  await store.insertTasks([plannedRecord()]);
  expect(await runChild("announce")).toBe(100);
  await until(async () => news > 0);
  expect(news).toBeLessThan(20);
  await watch.close();
  await Promise.all([store.close(), linked.close()]);
});

test("who only looks when there is news misses nothing of what another process adds", async () => {
  const store = await openSqliteStore({ path });
  await store.registerWorker({ id: WORKER, name: "w", leaseMs: HOUR_MS, concurrency: 1 });
  let claimed = 0;
  const claim = async (): Promise<void> => {
    claimed += (await store.claimTasks(request({ flows: [{ ...FLOW, heldMax: null }] }))).tasks.length;
  };
  let claiming: Promise<unknown> = Promise.resolve();
  const watch = await store.watch(() => {
    claiming = Promise.all([claiming, claim()]);
  });
  const added = runChild("add");
  for (let told = 1; told <= 30; told++) await until(async () => claimed >= told);
  expect(await added).toBe(30);
  await watch.close();
  await claiming;
  await store.close();
});

test("a watch does not keep its process alive", async () => {
  expect(await runChild("watch")).toBe("notified");
});

test("a database in memory has a queue too, and nobody to hear from", async () => {
  const store = await openSqliteStore({ path: ":memory:" });
  const watch = await store.watch(() => {
    throw new Error("There is nobody who could have written.");
  });
  await store.insertTasks([plannedRecord({ due_at: 1 })]);
  await store.registerWorker({ id: WORKER, name: "w", leaseMs: HOUR_MS, concurrency: 1 });
  expect((await store.claimTasks(request())).tasks).toHaveLength(1);
  expect(await store.listWorkers()).toMatchObject([{ id: WORKER, state: "alive", tasks: 1 }]);
  expect(await store.findDeadWorkers()).toEqual([]);
  await watch.close();
  await store.close();
});

function schemaOf(database: Database): string[] {
  return database
    .query<{ sql: string }, []>(
      "select sql from sqlite_schema where name not like '%migrations%' and sql is not null order by name",
    )
    .all()
    .map(({ sql }) => sql);
}

test("a claim beside a commit shares its transaction, and finds free what that has let go of", async () => {
  let commits = 0;
  const store = await openSqliteStore({ path, onCommit: () => (commits += 1) });
  await store.registerWorker({ id: WORKER, name: "w", leaseMs: HOUR_MS, concurrency: 1 });
  const records = Array.from({ length: 2 }, () => plannedRecord({ due_at: Date.now() - 1000 }));
  await store.insertTasks(records);
  const flows = [{ ...FLOW, heldMax: 1 }];
  const [first] = (await store.claimTasks(request({ flows }))).tasks;
  const before = { inLog: commitsInLog(path), told: commits };
  const next = store.claimTasks(request({ flows }));
  const ended = { ...inStatus("COMPLETED"), lease_owner: null, due_at: null };
  expect(await store.commitChanges([changeOf(first!.record.task, ended)])).toEqual([true]);
  expect((await next).tasks.map(({ record }) => record.task.id)).toEqual([
    records.map(({ task }) => task.id).find((id) => id !== first!.record.task.id) ?? "",
  ]);
  expect({ inLog: commitsInLog(path), told: commits }).toEqual({ inLog: before.inLog + 1, told: before.told + 1 });
  await store.close();
});

test("a claim that is refused takes no commit beside it with it", async () => {
  const store = await openSqliteStore({ path });
  const record = plannedRecord({ due_at: Date.now() - 1000 });
  await store.insertTasks([record]);
  const refused = rejection(store.claimTasks(request()));
  expect(await store.commitChanges([changeOf(record.task, inStatus("RUNNING"))])).toEqual([true]);
  expect(await refused).toMatchObject({ code: "worker_not_registered" });
  await store.close();
});

test("a claim beside a commit waits for a lock no longer than it would alone", async () => {
  const deadlineMs = 300;
  const store = await openSqliteStore({ path, deadlineMs });
  await store.registerWorker({ id: WORKER, name: "w", leaseMs: HOUR_MS, concurrency: 1 });
  const record = plannedRecord({ due_at: Date.now() - 1000 });
  await store.insertTasks([record]);
  const other = new Database(path);
  other.run("begin immediate");
  // a timer of this process: it is as late as whatever else waits here
  const late = Bun.sleep(1.5 * deadlineMs);
  const claimed = rejection(store.claimTasks(request()));
  const committed = rejection(store.commitChanges([changeOf(record.task, inStatus("RUNNING"))]));
  expect(await Promise.race([Promise.all([claimed, committed]), late])).toMatchObject([
    { code: "database_unavailable" },
    { code: "database_unavailable" },
  ]);
  other.run("rollback");
  other.close();
  await store.close();
});
