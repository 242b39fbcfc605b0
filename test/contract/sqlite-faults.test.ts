// What only a file can do to us: be something else, be locked, be out of reach.

import { afterEach, beforeEach, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openCreating } from "../../src/store/sqlite/connection.ts";
import { openSqliteMigrator } from "../../src/store/sqlite/migrate.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import type { StoreAddress } from "../../src/store/address.ts";
import { startChild } from "./process.ts";
import { runTogether } from "../support/children.ts";
import { changeOf, plannedRecord } from "./rows.ts";
import { until } from "../support/until.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "taskonaut-sqlite-"));
  path = join(folder, "tasks.db");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const address = (): StoreAddress => ({ dialect: "sqlite", path });

function unavailable(...words: string[]): object {
  return { code: "database_unavailable", message: expect.stringMatching(new RegExp(words.join(".*"), "s")) };
}

test("a file that is no database is refused, and left as it is", async () => {
  const garbage = "This is a letter, not a database.\n".repeat(200);
  writeFileSync(path, garbage);
  await expect(openSqliteStore({ path })).rejects.toMatchObject(unavailable("tasks.db", "not an SQLite database"));
  expect(await Bun.file(path).text()).toBe(garbage);
});

test("a folder in the file's place, a file in the folder's place, and a folder that cannot be are told", async () => {
  mkdirSync(path);
  await expect(openSqliteStore({ path })).rejects.toMatchObject(unavailable("tasks.db", "it is a folder"));
  const file = join(folder, "file");
  writeFileSync(file, "");
  await expect(openSqliteStore({ path: join(file, "tasks.db") })).rejects.toMatchObject(
    unavailable("folder cannot be created"),
  );
  await expect(openSqliteStore({ path: "/proc/none/tasks.db" })).rejects.toMatchObject(
    unavailable("folder cannot be created"),
  );
});

test("a damaged file is told apart", async () => {
  const store = await openSqliteStore({ path });
  await store.insertTasks(Array.from({ length: 200 }, () => plannedRecord()));
  await store.close();
  const bytes = new Uint8Array(await Bun.file(path).arrayBuffer());
  bytes.fill(0xff, 8192);
  writeFileSync(path, bytes);
  const damaged = (async () => {
    const again = await openSqliteStore({ path });
    try {
      await again.listTasks({ limit: 1000 });
    } finally {
      await again.close();
    }
  })();
  await expect(damaged).rejects.toMatchObject(unavailable("tasks.db", "damaged"));
});

test("the folder of a new file is created, for its owner only", async () => {
  path = join(folder, "a", "b", "tasks.db");
  const store = await openSqliteStore({ path });
  await store.close();
  expect(statSync(join(folder, "a", "b")).mode & 0o777).toBe(0o700);
});

test("a file that another process keeps locked is waited for, without blocking, until the deadline", async () => {
  const store = await openSqliteStore({ path, deadlineMs: 300 });
  const record = plannedRecord();
  await store.insertTasks([record]);
  const blocker = new Database(path);
  blocker.run("begin immediate");
  let ticks = 0;
  const ticking = setInterval(() => (ticks += 1), 5);
  const start = performance.now();
  await expect(store.commitChanges([changeOf(record.task)])).rejects.toMatchObject(
    unavailable("tasks.db", "locked for 0.3 s"),
  );
  expect(performance.now() - start).toBeGreaterThanOrEqual(300);
  expect(ticks).toBeGreaterThan(10); // while it was blocked there would be none
  clearInterval(ticking);
  // Readers do not wait for a writer.
  expect(await store.readTask(record.task.id)).toEqual(record);
  // Nor does a writer wait longer than it must.
  const writing = store.commitChanges([changeOf(record.task)]);
  blocker.run("rollback");
  expect(await writing).toEqual([true]);
  blocker.close();
  await store.close();
});

test("a folder that another process creates at the same moment is as good as one's own", () => {
  path = join(folder, "new", "tasks.db");
  const database = openCreating(path, (...folderAndOptions) => {
    mkdirSync(...folderAndOptions);
    return mkdirSync(...folderAndOptions);
  });
  database.close();
  expect(existsSync(path)).toBe(true);
});

test("twenty processes that open a new file in a new folder at once all succeed", async () => {
  path = join(folder, "new", "tasks.db");
  expect(await runTogether(Array.from({ length: 20 }, () => startChild("open", address())))).toEqual(
    Array(20).fill("opened"),
  );
}, 120_000);

test("what is no regular file, and a link that leads nowhere, are told", async () => {
  expect(Bun.spawnSync(["mkfifo", path]).exitCode).toBe(0);
  await expect(openSqliteStore({ path })).rejects.toMatchObject(unavailable("tasks.db", "not a regular file"));
  const link = join(folder, "link.db");
  symlinkSync(join("gone", "tasks.db"), link);
  await expect(openSqliteStore({ path: link })).rejects.toMatchObject(
    unavailable("link.db", "a link to gone/tasks.db, which is not there"),
  );
  const circle = join(folder, "circle.db");
  symlinkSync("circle.db", circle);
  await expect(openSqliteStore({ path: circle })).rejects.toMatchObject(unavailable("circle.db", "a link"));
});

test("a file or a folder that this user may not write to is told", async () => {
  const store = await openSqliteStore({ path });
  await store.close();
  // Root may write anywhere, so the child becomes somebody else.
  chmodSync(folder, 0o555);
  chmodSync(path, 0o444);
  const [readOnly] = await runTogether([startChild("openAsNobody", address())]);
  expect(readOnly).toEqual(["database_unavailable", expect.stringMatching(/cannot be written|cannot be opened/)]);
  path = join(folder, "new.db");
  const [noFile] = await runTogether([startChild("openAsNobody", address())]);
  expect(noFile).toEqual(["database_unavailable", expect.stringContaining("cannot be opened")]);
  const [noPlace] = await runTogether([startChild("measureAsNobody", address())]);
  expect(noPlace).toEqual(noFile);
  path = join(folder, "new", "new.db");
  const [noFolder] = await runTogether([startChild("openAsNobody", address())]);
  expect(noFolder).toEqual(["database_unavailable", expect.stringContaining("folder cannot be created")]);
});

test("a database in memory needs no file, and its workers no lock file", async () => {
  const store = await openSqliteStore({ path: ":memory:" });
  const record = plannedRecord();
  const id = crypto.randomUUID();
  await store.insertTasks([record]);
  expect(await store.readTask(record.task.id)).toEqual(record);
  await store.registerWorker({ id, name: "w", leaseMs: 1000, concurrency: 0 });
  expect(await store.readWorkerState(id)).toBe("alive");
  await store.removeWorker(id);
  expect(await store.readWorkerState(id)).toBe("dead");
  await store.close();
  expect(existsSync(":memory:-workers")).toBe(false);
});

test("the store's time is the one that it was given", async () => {
  let now = 1000;
  const store = await openSqliteStore({ path: ":memory:", now: () => now });
  await store.registerWorker({ id: "w", name: "w", leaseMs: 500, concurrency: 0 });
  expect(await store.now()).toBe(1000);
  now = 1499;
  expect(await store.readWorkerState("w")).toBe("alive");
  now = 1500;
  expect(await store.readWorkerState("w")).toBe("dead");
  await store.close();
});

test("the lock file of a killed worker is removed by whoever finds it, that of a living one never", async () => {
  const store = await openSqliteStore({ path });
  // By another name, the file is the same.
  const link = join(folder, "link.db");
  symlinkSync(path, link);
  const id = crypto.randomUUID();
  const child = startChild("work", { dialect: "sqlite", path: link }, id);
  await child.ready;
  expect(await store.readWorkerState(id)).toBe("alive");
  expect(readdirSync(`${path}-workers`)).toEqual([`${id}.lock`]);
  await child.kill();
  await until(async () => (await store.readWorkerState(id)) === "dead");
  expect(readdirSync(`${path}-workers`)).toEqual([]);
  await store.close();
});

test("the status of a file that is not there creates none", async () => {
  const migrator = openSqliteMigrator({ path });
  expect((await migrator.status()).every((migration) => migration.applied_at === null)).toBe(true);
  expect(existsSync(path)).toBe(false);
});
