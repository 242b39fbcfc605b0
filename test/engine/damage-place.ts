// A database of `damage-world.ts` whose values can be damaged and made good again.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import type { Store } from "../../src/store/store.ts";
import { type DamagedDatabase, damagedPostgres, damagedSqlite } from "../support/damaged-database.ts";
import { DATABASES, openStore } from "../support/databases.ts";
import { execute } from "../support/past-the-store.ts";
import { makeWorld, type World } from "./damage-world.ts";

/** Rows that no engine makes by itself in so short a time. */
const RARE = {
  sqlite: `insert into duties values ('fold', '${crypto.randomUUID()}', 1);
    insert into schedule_skips values ('hourly', 1, 2, 1, 'missed', 'why', 3);`,
  postgresql: `insert into duties values ('fold', gen_random_uuid(), now());
    insert into schedule_skips values ('hourly', now(), now(), 1, 'missed', 'why', now());`,
};

export interface Place {
  readonly world: World;
  readonly url: string;
  readonly database: DamagedDatabase;
  readonly open: () => Promise<Store>;
  readonly close: () => Promise<void>;
}

export async function onSqlite(): Promise<Place> {
  const [, create] = DATABASES.find(([name]) => name === "sqlite")!;
  const from = await create();
  const world = await makeWorld(() => from.openStore());
  await execute(from.url, RARE);
  const folder = mkdtempSync(join(tmpdir(), "taskonaut-damaged-"));
  const path = join(folder, "tasks.db");
  const source = join(folder, "source.db");
  const sound = new Database(from.url.slice("sqlite:".length));
  sound.run(`vacuum into '${source}'`);
  sound.close();
  await world.close();
  await from.drop();
  const url = `sqlite:${path}`;
  return {
    world,
    url,
    database: damagedSqlite(source, path),
    open: () => openStore(url),
    close: async () => rmSync(folder, { recursive: true }),
  };
}

export async function onPostgres(): Promise<Place> {
  const [, create] = DATABASES.find(([name]) => name === "postgres")!;
  const from = await create();
  const world = await makeWorld(() => from.openStore());
  await execute(from.url, RARE);
  const database = await damagedPostgres(from.url);
  await world.close();
  return {
    world,
    url: from.url,
    database,
    open: () => openStore(from.url),
    async close() {
      await database.close();
      await from.drop();
    },
  };
}
