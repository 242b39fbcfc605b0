// A place for a store: a database of a test's own, which other processes can be sent to; empty, or with all tables.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import postgres from "postgres";

import type { PostgresAddress, SqliteAddress, StoreAddress } from "../../src/store/address.ts";
import { openMigrator } from "../../src/store/open.ts";
import { migratedDatabase } from "../support/migrated-database.ts";
import { copyMigrated } from "../support/migrated-file.ts";
import { testDatabase } from "../support/postgres.ts";

export interface Place {
  readonly address: StoreAddress;
  /** SQL past the store, as a person with a database tool would write it. Table names stand alone. */
  execute(script: string): Promise<void>;
  /** How many rows a table has. */
  count(table: string): Promise<number>;
  /** What is there, with every column, and how the file is kept: equal where nothing was changed. */
  shape(): Promise<unknown>;
  drop(): Promise<void>;
}

export type PostgresPlace = Place & { readonly address: PostgresAddress };

type SqlitePlace = Place & { readonly address: SqliteAddress };

/** Of one dialect. */
export interface Places<P extends Place = Place> {
  /** Without tables. */
  empty(): Promise<P>;
  migrated(): Promise<P>;
}

export const SQLITE: Places<SqlitePlace> = {
  empty: sqlitePlace,
  async migrated() {
    const place = await sqlitePlace();
    await copyMigrated(place.address.path);
    return place;
  },
};

export const POSTGRES: Places<PostgresPlace> = {
  async empty() {
    const database = await testDatabase();
    return { ...postgresPlace(database.url), drop: () => database.drop() };
  },
  async migrated() {
    const schema = "s_migrated";
    const database = await migratedDatabase(schema);
    return { ...postgresPlace(database.url, schema), drop: () => database.drop() };
  },
};

export async function migrate(address: StoreAddress): Promise<void> {
  const migrator = await openMigrator(address);
  try {
    await migrator.migrate();
  } finally {
    await migrator.close();
  }
}

async function sqlitePlace(): Promise<SqlitePlace> {
  const folder = mkdtempSync(join(tmpdir(), "taskonaut-store-"));
  const path = join(folder, "tasks.db");
  return {
    address: { dialect: "sqlite", path },
    async execute(script) {
      const database = new Database(path);
      database.run(script);
      database.close();
    },
    async count(table) {
      const database = new Database(path, { readonly: true });
      const [row] = database.query<{ count: number }, []>(`select count(*) as count from ${table}`).all();
      database.close();
      return row?.count ?? 0;
    },
    async shape() {
      const database = new Database(path, { readonly: true });
      const journal = database.query("pragma journal_mode").get();
      const objects = database.query("select type, name, sql from sqlite_schema order by name").all();
      database.close();
      return { journal, objects };
    },
    async drop() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A schema of its own in the database of `url`. */
export function postgresPlace(url: string, schema = `s_${crypto.randomUUID().replaceAll("-", "")}`): PostgresPlace {
  const execute = async (script: string): Promise<unknown> => {
    const sql = postgres(url, { max: 1, onnotice: () => {} });
    try {
      return await sql.unsafe(`set search_path to ${schema}; ${script}`);
    } finally {
      await sql.end({ timeout: 5 });
    }
  };
  return {
    address: { dialect: "postgres", url, schema },
    execute: async (script) => {
      await execute(script);
    },
    count: async (table) => {
      const results = (await execute(`select count(*)::int as count from ${table}`)) as readonly unknown[];
      const [row] = results.at(-1) as readonly { readonly count: number }[];
      return row?.count ?? 0;
    },
    shape: () =>
      execute(
        `select table_name, column_name, data_type from information_schema.columns
         where table_schema = '${schema}' order by table_name, ordinal_position`,
      ),
    drop: async () => {
      await execute(`drop schema if exists ${schema} cascade`);
    },
  };
}
