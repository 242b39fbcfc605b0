// What every store must hold to (`src/store/store.ts`), whatever lies beneath: migrations, on an empty database and on one
// that something is wrong with.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";

import type { Migrator } from "../../src/core/api/migrator.ts";
import type { Migration } from "../../src/store/migrations.ts";
import { MIGRATIONS as POSTGRES } from "../../src/store/postgres/migrate.ts";
import { MIGRATIONS as SQLITE } from "../../src/store/sqlite/migrate.ts";
import { openMigrator, openStore } from "../../src/store/open.ts";
import { migrate, type Place } from "./place.ts";
import { startChild } from "./process.ts";
import { runTogether } from "../support/children.ts";
import { callRow, plannedRecord, stepRow, taskRow } from "./rows.ts";

/** A server's clock is not quite this machine's. */
const CLOCK_MS = 5000;

export function migrationContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: migrations`, () => {
    let place: Place;

    beforeEach(async () => {
      place = await create();
    });

    afterEach(() => place.drop());

    test("status changes nothing, migrate applies what is missing, and again does nothing", async () => {
      const migrator = await openMigrator(place.address);
      const before = await migrator.status();
      expect(before.length).toBeGreaterThan(0);
      expect(before.map(({ number, applied_at }) => [number, applied_at])).toEqual(before.map((_, i) => [i + 1, null]));
      expect(await migrator.status()).toEqual(before);
      const asked = Date.now();
      const applied = await migrator.migrate();
      expect(applied.map(({ number, name }) => ({ number, name }))).toEqual(
        before.map(({ number, name }) => ({ number, name })),
      );
      expect(applied[0]?.applied_at).toBeWithin(asked - CLOCK_MS, Date.now() + CLOCK_MS);
      expect(await migrator.migrate()).toEqual([]);
      expect(await migrator.status()).toEqual(applied);
      await migrator.close();
    });

    test("ten processes at once are as good as one", async () => {
      const applied = await runTogether(Array.from({ length: 10 }, () => startChild("migrate", place.address)));
      expect(applied.flat().length).toBe((await statusOf(place)).length);
    }, 120_000);

    test("what comes later is applied in order, once, by however many at a time, and keeps every row", async () => {
      await migrate(place.address);
      const store = await openStore(place.address);
      const record = plannedRecord();
      await store.insertTasks([record]);
      const later = [...MIGRATIONS[place.address.dialect], ...LATER];
      const migrators = await Promise.all(
        Array.from({ length: 5 }, () => openMigrator(place.address, { known: later })),
      );
      const applied = await Promise.all(migrators.map((migrator) => migrator.migrate()));
      // each by one of them; the second migration needs what the first one makes
      const numbers = applied.flat().map(({ number }) => number);
      expect(numbers.toSorted((one, other) => one - other)).toEqual([NEXT, NEXT + 1]);
      for (const status of await migrators[0]!.status()) expect(status.applied_at).not.toBeNull();
      expect(await place.count("later")).toBe(1);
      expect(await store.readTask(record.task.id)).toEqual(record);
      await Promise.all([store.close(), ...migrators.map((migrator) => migrator.close())]);
      await expectEverywhere(place, "database_ahead");
    });

    test("a migration that fails leaves nothing of itself, and what came before it", async () => {
      const broken = {
        number: NEXT + 1,
        name: "broken",
        sql: "create table half (id integer); insert into nowhere values (1)",
      };
      const known = [...MIGRATIONS[place.address.dialect], ...LATER.slice(0, 1), broken];
      const migrator = await openMigrator(place.address, { known });
      await expect(migrator.migrate()).rejects.toThrow();
      expect((await migrator.status()).map(({ applied_at }) => applied_at === null)).toEqual(
        known.map((each) => each === broken),
      );
      await expect(place.count("half")).rejects.toThrow();
      expect(await place.count("later")).toBe(0);
      await migrator.close();
    });

    test("what belongs to a task goes with it", async () => {
      await migrate(place.address);
      const store = await openStore(place.address);
      const long = JSON.stringify("x".repeat(10_000));
      const task = taskRow({ input_payload: long });
      const step = stepRow(task.id, { step_index: 1, status: "RUNNING" });
      await store.insertTasks([{ task, steps: [step], calls: [callRow(step)] }]);
      const signal = {
        kind: "signal",
        name: "go",
        step_id: null,
        attempt_epoch: null,
        payload: "1",
        error: null,
      } as const;
      await store.postToTask({ task_id: task.id, ...signal, idempotency_key: "k" });
      await store.close();
      const tables = ["task_steps", "tool_calls", "task_inbox", "payloads"];
      const counts = (): Promise<number[]> => Promise.all(tables.map((table) => place.count(table)));
      expect(await counts()).toEqual([1, 1, 1, 1]);
      await place.execute(DELETE_ALL[place.address.dialect]);
      expect(await counts()).toEqual([0, 0, 0, 0]);
    });

    test("a migration that was changed since is refused", async () => {
      await migrate(place.address);
      await place.execute("update schema_migrations set checksum = 'other' where number = 1");
      await expectEverywhere(place, "migration_changed");
    });

    test("a database of a newer version is refused", async () => {
      await migrate(place.address);
      await place.execute(NEWER[place.address.dialect]);
      await expectEverywhere(place, "database_ahead");
    });

    for (const [what, script] of FOREIGN) {
      test(`where another program has ${what} nothing is changed, and it is said`, async () => {
        if (place.address.dialect === "postgres") await place.execute(`create schema ${place.address.schema}`);
        await place.execute(script);
        const before = await place.shape();
        const refused = {
          code: "database_foreign",
          message: expect.stringMatching(ADVICE[place.address.dialect]),
        };
        await expect(migrate(place.address)).rejects.toMatchObject(refused);
        const opening = (async () => {
          const store = await openStore(place.address);
          try {
            await store.checkReady();
          } finally {
            await store.close();
          }
        })();
        await expect(opening).rejects.toMatchObject({ code: expect.stringMatching(/database_(foreign|behind)/) });
        expect(await place.shape()).toEqual(before);
      });
    }
  });
}

const MIGRATIONS = { sqlite: SQLITE, postgres: POSTGRES };

/** The number of the next one. */
const NEXT = SQLITE.length + 1;

const LATER: readonly Migration[] = [
  { number: NEXT, name: "later", sql: "create table later (id integer not null primary key)" },
  { number: NEXT + 1, name: "last", sql: "insert into later values (1)" },
];

const DELETE_ALL = {
  sqlite: "pragma foreign_keys = on; delete from tasks",
  postgres: "delete from tasks",
};

const FOREIGN = [
  ["tables of our names", "create table tasks (id integer primary key, title text); create table workers (name text)"],
  ["a record of its migrations under our name", "create table schema_migrations (version text primary key)"],
] as const;

const ADVICE = {
  sqlite: /tables? of another program \((tasks, workers|schema_migrations)\).*Name another file/,
  postgres: /tables? of another program \(s_\w+\.(tasks, s_\w+\.workers|schema_migrations)\).*TASKONAUT_SCHEMA/,
};

const NEWER = {
  sqlite: "insert into schema_migrations (number, name, checksum, applied_at) values (9999, 'later', 'x', 1)",
  postgres: "insert into schema_migrations (number, name, checksum) values (9999, 'later', 'x')",
};

async function statusOf(place: Place): ReturnType<Migrator["status"]> {
  const migrator = await openMigrator(place.address);
  try {
    return await migrator.status();
  } finally {
    await migrator.close();
  }
}

/** The store does not open, or refuses everything; the migrator too. */
async function expectEverywhere(place: Place, code: string): Promise<void> {
  const opening = (async () => {
    const store = await openStore(place.address);
    try {
      await store.listTasks({ limit: 1 });
    } finally {
      await store.close();
    }
  })();
  await expect(opening).rejects.toMatchObject({ code });
  await expect(statusOf(place)).rejects.toMatchObject({ code });
  await expect(migrate(place.address)).rejects.toMatchObject({ code });
}
