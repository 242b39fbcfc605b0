// A copy of a database that is in use.

import { afterEach, beforeEach, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { backUpSqlite } from "../../src/store/sqlite/back-up.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import { plannedRecord } from "./rows.ts";

let folder: string;
let path: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "taskonaut-backup-"));
  path = join(folder, "tasks.db");
  file = join(folder, "copy.db");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function add(count: number): Promise<void> {
  const store = await openSqliteStore({ path });
  await store.insertTasks(Array.from({ length: count }, () => plannedRecord()));
  await store.close();
}

test("a copy holds whole commits, however fast another process writes, and is for its owner alone", async () => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "sqlite-child.ts"), "fill", path], {
    stdout: "pipe",
  });
  try {
    await child.stdout.getReader().read(); // its first tasks are there
    const sizes: number[] = [];
    for (let count = 0; count < 5; count++) {
      const made = await backUpSqlite({ path, file: `${file}-${count}` });
      expect(made).toEqual({
        from: `sqlite:${path}`,
        file: made.file,
        bytes: statSync(made.file).size,
        tasks: made.tasks,
      });
      expect(made.tasks % 10).toBe(0);
      expect(statSync(made.file).mode & 0o777).toBe(0o600);
      const copy = new Database(made.file, { readonly: true });
      expect(copy.query("pragma integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
      copy.close();
      sizes.push(made.tasks);
    }
    expect(sizes[0]).toBeGreaterThan(0);
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
});

test("a copy is a database to go on with", async () => {
  await add(3);
  await backUpSqlite({ path, file });
  const store = await openSqliteStore({ path: file });
  await store.insertTasks([plannedRecord()]);
  expect((await store.listTasks({ limit: 10 })).tasks).toHaveLength(4);
  await store.close();
});

test("a file that is there already is left as it is, the database itself included", async () => {
  await add(1);
  writeFileSync(file, "mine");
  for (const taken of [file, path]) {
    await expect(backUpSqlite({ path, file: taken })).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining("is there already"),
    });
  }
  expect(await Bun.file(file).text()).toBe("mine");
});

test("what cannot be copied leaves nothing behind, and no database is made to be copied", async () => {
  await expect(backUpSqlite({ path, file })).rejects.toMatchObject({ code: "database_not_found" });
  expect(readdirSync(folder)).toEqual([]);
  writeFileSync(path, "no database at all ".repeat(1000));
  await expect(backUpSqlite({ path, file })).rejects.toMatchObject({ code: "database_unavailable" });
  expect(readdirSync(folder)).toEqual(["tasks.db"]);
  await expect(backUpSqlite({ path, file: join(folder, "none", "copy.db") })).rejects.toMatchObject({ code: "usage" });
  expect(existsSync(file)).toBe(false);
});
