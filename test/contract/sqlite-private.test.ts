// Who may read the files, and which file it is that answers.

import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { Database } from "bun:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import type { Store } from "../../src/store/store.ts";
import { startChild } from "./process.ts";
import { plannedRecord } from "./rows.ts";
import { recordsOf } from "../support/listed.ts";

const WORKER = { id: "01a20709-d9fc-76df-913b-d3b3a13c8836", name: "test:1", leaseMs: 60_000, concurrency: 1 };

let folder: string;
let path: string;
let umask: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "taskonaut-private-"));
  path = join(folder, "tasks.db");
  umask = process.umask();
});

afterEach(() => {
  process.umask(umask);
  rmSync(folder, { recursive: true, force: true });
});

/** Uses a store as a worker does, so that every file there may be is there. */
async function use(during: (store: Store) => void | Promise<void>): Promise<void> {
  const store = await openSqliteStore({ path });
  try {
    await store.registerWorker(WORKER);
    const watch = await store.watch(() => {});
    await store.insertTasks([plannedRecord()]);
    await store.announce();
    await during(store);
    await watch.close();
  } finally {
    await store.close();
  }
}

/** Of everything below the folder, as `ls -l` would say it: `600 tasks.db`. */
function modes(): string[] {
  const names = readdirSync(folder, { recursive: true }) as string[];
  return names.map((name) => `${(lstatSync(join(folder, name)).mode & 0o777).toString(8)} ${name}`).toSorted();
}

for (const mask of [0o000, 0o022, 0o277]) {
  test(`under umask ${mask.toString(8)} the database and all beside it are for their owner alone`, async () => {
    process.umask(mask);
    await use(() => {
      expect(modes()).toEqual([
        "600 tasks.db",
        "600 tasks.db-shm",
        "600 tasks.db-wal",
        `600 tasks.db-workers/${WORKER.id}.lock`,
        "600 tasks.db-workers/announced",
        "700 tasks.db-workers",
      ]);
    });
  });
}

test("a database that its owner has shared stays shared", async () => {
  process.umask(0);
  writeFileSync(path, "", { mode: 0o660 });
  await use(() => expect(modes()).toContain("660 tasks.db"));
});

test("a link to a database that is still to be made is followed, and what is made is private", async () => {
  process.umask(0);
  const target = join(folder, "elsewhere.db");
  symlinkSync(target, path);
  await use(() => expect(statSync(target).mode & 0o777).toBe(0o600));
});

test("a link in the place of the announcements leads nowhere: news is told without it", async () => {
  const victim = join(folder, "victim");
  writeFileSync(victim, "mine");
  mkdirSync(`${path}-workers`, { mode: 0o700 });
  symlinkSync(victim, join(`${path}-workers`, "announced"));
  await use(() => {});
  expect(readFileSync(victim, "utf8")).toBe("mine");
});

test("a link in the place of a worker's lock is refused, and what it leads to stays as it is", async () => {
  const victim = join(folder, "victim");
  writeFileSync(victim, "mine");
  mkdirSync(`${path}-workers`, { mode: 0o700 });
  symlinkSync(victim, join(`${path}-workers`, `${WORKER.id}.lock`));
  await expect(use(() => {})).rejects.toMatchObject({ code: "database_unavailable" });
  expect(readFileSync(victim, "utf8")).toBe("mine");
});

test("a link in the place of the locks' folder is refused", async () => {
  const other = join(folder, "other");
  mkdirSync(other);
  symlinkSync(other, `${path}-workers`);
  await expect(use(() => {})).rejects.toMatchObject({
    code: "database_unavailable",
    message: expect.stringMatching(/tasks\.db-workers.*is not a folder.*Remove it/s),
  });
  expect(readdirSync(other)).toEqual([]);
});

// ---- a file that was taken away

const taken: Record<string, { take: () => void; says: RegExp }> = {
  "was deleted": { take: () => rmSync(path), says: /tasks\.db cannot be used: the file is gone.*\(deleted\)/s },
  "was moved": {
    take: () => renameSync(path, join(folder, "moved.db")),
    says: /tasks\.db cannot be used: the file is gone.*moved\.db/s,
  },
  "was replaced": {
    take: () => {
      copyFileSync(path, join(folder, "copy.db"));
      renameSync(join(folder, "copy.db"), path);
    },
    says: /tasks\.db cannot be used: another file stands in its place.*\(deleted\)/s,
  },
};

for (const [what, { take, says }] of Object.entries(taken)) {
  test(`a database file that ${what} under a store is neither read from nor written to any more`, async () => {
    await use(async (store) => {
      const [known] = recordsOf(await store.listTasks({ limit: 1 }));
      take();
      const gone = { code: "database_unavailable", message: expect.stringMatching(says) };
      await expect(store.insertTasks([plannedRecord()])).rejects.toMatchObject(gone);
      await expect(store.readTask(known?.task.id ?? "")).rejects.toMatchObject(gone);
      await expect(store.checkReady()).rejects.toMatchObject(gone);
      await expect(store.renewWorker(WORKER.id, 60_000)).rejects.toMatchObject(gone);
    });
  });
}

test("a database file that is put back is used again", async () => {
  await use(async (store) => {
    renameSync(path, join(folder, "moved.db"));
    await expect(store.checkReady()).rejects.toMatchObject({ code: "database_unavailable" });
    renameSync(join(folder, "moved.db"), path);
    await store.insertTasks([plannedRecord()]);
    expect(recordsOf(await store.listTasks({ limit: 10 }))).toHaveLength(2);
  });
  expect(existsSync(path)).toBe(true);
});

test("whoever watches makes the file of announcements anew when somebody has cleaned it away", async () => {
  await use(async (store) => {
    const other = await openSqliteStore({ path });
    const heard = Promise.withResolvers<void>();
    const watch = await store.watch(heard.resolve);
    rmSync(`${path}-workers`, { recursive: true });
    await store.findDeadWorkers();
    await other.announce();
    await heard.promise;
    expect(modes()).toContain("600 tasks.db-workers/announced");
    await watch.close();
    await other.close();
  });
});

// ---- a log that was taken away

test("a store whose log was removed, because a tool read the file within its process, acknowledges nothing any more", async () => {
  const child = startChild("keepWhileRead", { dialect: "sqlite", path });
  await child.ready;
  /** As a program does that takes itself for the last one to have the file: what the log holds goes into the file, then it goes. */
  const visit = (): unknown[] => {
    using database = new Database(path);
    database.run("pragma wal_checkpoint(truncate)");
    const found = ["select count(*) as tasks from tasks", "pragma integrity_check"].map((sql) => {
      using statement = database.prepare(sql);
      return statement.get();
    });
    for (const ending of ["-wal", "-shm"]) rmSync(`${path}${ending}`);
    return found;
  };
  const sound = [{ tasks: 1 }, { integrity_check: "ok" }];
  expect(visit()).toEqual(sound);
  await child.go();
  const refusal = ["database_unavailable", expect.stringMatching(/tasks\.db-wal was taken away.*Restart/s)] as unknown;
  expect(await child.result()).toEqual([refusal, refusal, refusal, refusal]);
  expect(visit()).toEqual(sound);
});
