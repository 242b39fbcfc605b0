import { expect, test } from "bun:test";

import { MIGRATIONS as POSTGRES } from "./postgres/migrate.ts";
import { MIGRATIONS as SQLITE } from "./sqlite/migrate.ts";
import { checksumOf, databaseBehind, describeMigrations, findPending, type Migration } from "./migrations.ts";

const KNOWN: readonly Migration[] = [
  { number: 1, name: "one", sql: "select 1" },
  { number: 2, name: "two", sql: "select 2" },
];
const [ONE, TWO] = KNOWN as [Migration, Migration];
const PLACE = "sqlite:x.db";
const applied = (migration: Migration) => ({ ...migration, checksum: checksumOf(migration), applied_at: 5 });

test("what is missing is found, in order", () => {
  expect(findPending(KNOWN, [], PLACE)).toEqual([ONE, TWO]);
  expect(findPending(KNOWN, [applied(ONE)], PLACE)).toEqual([TWO]);
  expect(findPending(KNOWN, [applied(ONE), applied(TWO)], PLACE)).toEqual([]);
});

test("the status has every known migration, with its time", () => {
  expect(describeMigrations(KNOWN, [applied(ONE)], PLACE)).toEqual([
    { number: 1, name: "one", applied_at: 5 },
    { number: 2, name: "two", applied_at: null },
  ]);
});

test("a changed migration and a newer database are told apart", () => {
  const changed = { ...applied(ONE), checksum: checksumOf(TWO) };
  expect(() => findPending(KNOWN, [changed], PLACE)).toThrow(
    expect.objectContaining({ code: "migration_changed", message: expect.stringContaining(PLACE) }),
  );
  expect(() => findPending([ONE], [applied(TWO)], PLACE)).toThrow(
    expect.objectContaining({ code: "database_ahead", message: expect.stringContaining(PLACE) }),
  );
});

test("a database from before the first release is told by its first migration, whatever else it has", () => {
  const before = [
    { number: 1, name: "tasks", checksum: "x", applied_at: 5 },
    { number: 4, name: "sound", checksum: "y", applied_at: 5 },
  ];
  for (const found of [before, before.slice(0, 1)]) {
    expect(() => findPending(KNOWN, found, PLACE)).toThrow(
      expect.objectContaining({
        code: "migration_changed",
        message: expect.stringMatching(/sqlite:x\.db .*before the first release.* Name another file or database/),
      }),
    );
  }
});

test("a database that is behind is told which migrations it lacks and what to run", () => {
  expect(databaseBehind([ONE, TWO])).toMatchObject({
    code: "database_behind",
    message: "The database lacks migrations 1 (one), 2 (two). It has to be migrated first.",
  });
});

test("both dialects have the same migrations, numbered without a gap", () => {
  const names = (migrations: readonly Migration[]) => migrations.map(({ number, name }) => [number, name]);
  expect(names(SQLITE)).toEqual(names(POSTGRES));
  expect(SQLITE.map(({ number }) => number)).toEqual(SQLITE.map((_, index) => index + 1));
});

/** SHA-256 of each released file: lines are added here, and none is ever changed. */
const RELEASED = {
  "sqlite 1": "c3cbc5375f37f44f958d1c815fd28b240ac422be24a13d84058d1065a23b6d7e",
  "postgres 1": "f56386f5f08f717d8e4935896447f503483ff8a10da1aa746929c1b232d90419",
};

test("no released migration was edited", () => {
  const checksums = (dialect: string, migrations: readonly Migration[]) =>
    migrations.map((migration) => [`${dialect} ${migration.number}`, checksumOf(migration)]);
  const carried = Object.fromEntries([...checksums("sqlite", SQLITE), ...checksums("postgres", POSTGRES)]);
  expect(carried, "A released migration is never edited: add the next number, and its line here.").toEqual(RELEASED);
});
