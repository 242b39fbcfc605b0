// What every store must hold to (`src/store/store.ts`), whatever lies beneath: migrations, on an empty database and on one that something is wrong with.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";

import { migrate, openMigrator, openStore, type Place } from "./place.ts";
import { runTogether, startChild } from "./process.ts";

export function migrationContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: migrations`, () => {
    let place: Place;

    beforeEach(async () => {
      place = await create();
    });

    afterEach(() => place.drop());

    test("status changes nothing, migrate applies what is missing, and again does nothing", async () => {
      const migrator = openMigrator(place.address);
      const before = await migrator.status();
      expect(before.length).toBeGreaterThan(0);
      expect(before.map(({ number, applied_at }) => [number, applied_at])).toEqual(before.map((_, i) => [i + 1, null]));
      expect(await migrator.status()).toEqual(before);
      const applied = await migrator.migrate();
      expect(applied.map(({ number, name }) => ({ number, name }))).toEqual(
        before.map(({ number, name }) => ({ number, name })),
      );
      expect(Math.abs((applied[0]?.applied_at ?? 0) - Date.now())).toBeLessThan(60_000);
      expect(await migrator.migrate()).toEqual([]);
      expect(await migrator.status()).toEqual(applied);
      await migrator.close();
    });

    test("ten processes at once are as good as one", async () => {
      const applied = await runTogether(10, () => startChild("migrate", place.address));
      expect(applied.flat().length).toBe((await statusOf(place)).length);
    }, 60_000);

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

async function statusOf(place: Place): ReturnType<ReturnType<typeof openMigrator>["status"]> {
  const migrator = openMigrator(place.address);
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
