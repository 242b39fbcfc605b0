import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { commitsInLog } from "../../../test/contract/sqlite-log.ts";
import { rejection } from "../../../test/support/rejection.ts";
import { openConnection, type SqliteConnection } from "./connection.ts";

const DEADLINE_MS = 300;

let folder: string;
let connection: SqliteConnection;
let other: SqliteConnection;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "taskonaut-connection-"));
  const options = { path: join(folder, "tasks.db"), deadlineMs: DEADLINE_MS };
  connection = await openConnection(options);
  other = await openConnection(options);
  await connection.write(() => connection.execute("create table words (word text primary key)"));
});

afterEach(() => {
  connection.close();
  other.close();
  rmSync(folder, { recursive: true, force: true });
});

function put(word: string): string {
  connection.prepare("insert into words (word) values (?1)").run(word);
  return word;
}

async function words(): Promise<string[]> {
  const rows = await other.read(() => other.prepare<{ word: string }>("select word from words order by rowid").all());
  return rows.map(({ word }) => word);
}

test("what joins a write comes after it, in the same transaction", async () => {
  const before = commitsInLog(connection.path);
  const joined = [connection.joinWrite(() => put("second")), connection.joinWrite(() => put("third"))];
  expect(await connection.write(() => put("first"))).toBe("first");
  expect(commitsInLog(connection.path)).toBe(before + 1);
  expect(await Promise.all(joined)).toEqual([{ result: "second" }, { result: "third" }]);
  expect(await words()).toEqual(["first", "second", "third"]);
});

test("where no write comes in this turn, there is none to join", async () => {
  expect(await connection.joinWrite(() => put("alone"))).toBeUndefined();
  expect(await connection.write(() => put("later"))).toBe("later");
  expect(await words()).toEqual(["later"]);
});

test("what joins a write and fails is left out, and takes nothing with it", async () => {
  const joined = connection.joinWrite(() => put(put("twice")));
  expect(await connection.write(() => put("first"))).toBe("first");
  expect(await joined).toBeUndefined();
  expect(await words()).toEqual(["first"]);
});

test("a write that fails leaves out what would have joined it", async () => {
  await connection.write(() => put("first"));
  const joined = connection.joinWrite(() => put("second"));
  expect((await rejection(connection.write(() => put("first")))).message).toContain("refused a statement");
  expect(await joined).toBeUndefined();
  expect(await words()).toEqual(["first"]);
});

test("where there is no space left for both, the write is made without what would have joined it", async () => {
  const { page_count } = connection.prepare<{ page_count: number }>("pragma page_count").get() ?? { page_count: 0 };
  connection.execute(`pragma max_page_count = ${page_count}`);
  const joined = connection.joinWrite(() => put("long ".repeat(10_000)));
  expect(await connection.write(() => put("first"))).toBe("first");
  expect(await joined).toBeUndefined();
  expect(await words()).toEqual(["first"]);
});

test("while another process has the lock both wait for it, and no longer than one of them alone", async () => {
  other.prepare("begin immediate").run();
  // a timer of this process: it is as late as everything else that waits here
  const late = Bun.sleep(1.5 * DEADLINE_MS);
  const joined = rejection(connection.joinWrite(() => put("second")));
  const alone = rejection(connection.write(() => put("first")));
  expect(await Promise.race([Promise.all([joined, alone]), late])).toMatchObject([
    { code: "database_unavailable" },
    { code: "database_unavailable" },
  ]);
  other.prepare("rollback").run();
});

test("no plan is made for the value of a parameter, which each run would have to make anew", async () => {
  await connection.write(() => connection.execute("create index long_words on words (word) where length(word) = 9"));
  const plan = "explain query plan select word from words where length(word) = $length limit $limit";
  const looked = connection.prepare<{ detail: string }>(plan).all({ length: 9, limit: 1 });
  expect(looked.map(({ detail }) => detail).join()).not.toContain("long_words");
  const known = connection.prepare<{ detail: string }>(plan.replace("$length", "9")).all({ limit: 1 });
  expect(known.map(({ detail }) => detail).join()).toContain("long_words");
});
