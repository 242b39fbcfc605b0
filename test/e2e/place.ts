// A sandbox with a database of its own, in either dialect, that has all tables; and a way into that database past the
// program.

import { Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import postgres from "postgres";
import { migratedDatabase } from "../support/migrated-database.ts";
import { copyMigrated } from "../support/migrated-file.ts";
import type { TestDatabase } from "../support/postgres.ts";
import { openSandbox, type Sandbox } from "./harness.ts";

export const DIALECTS = ["sqlite", "postgres"] as const;
export type Dialect = (typeof DIALECTS)[number];

export interface Place extends Sandbox {
  readonly dialect: Dialect;
  /** The database, as every command that runs here takes it from DATABASE_URL. */
  readonly url: string;
  /** Runs SQL past the program; table names stand alone. Several statements give the rows of none. */
  query<Row>(script: string): Promise<Row[]>;
}

/** Use it with `await using`; `env` reaches everything that runs there. */
export async function openPlace(dialect: Dialect, env: Readonly<Record<string, string>> = {}): Promise<Place> {
  return dialect === "sqlite" ? openSqlitePlace(env) : openPostgresPlace(await migratedDatabase(), env);
}

/** The same on a PostgreSQL database of the test's own, which goes with the place; the program makes the tables. */
export async function openPlaceOn(database: TestDatabase, env: Readonly<Record<string, string>> = {}): Promise<Place> {
  const place = await openPostgresPlace(database, env);
  const { exit, stderr } = await place.run(["migrate"]);
  if (exit === 0) return place;
  await place[Symbol.asyncDispose]();
  throw new Error(`The database was not migrated:\n${stderr}`);
}

/** The embedded database, where the program puts it when nobody says otherwise. */
async function openSqlitePlace(env: Readonly<Record<string, string>>): Promise<Place> {
  const sandbox = await openSandbox(env);
  const path = join(sandbox.folder, "taskonaut", "taskonaut.db");
  mkdirSync(dirname(path), { mode: 0o700 });
  await copyMigrated(path);
  return {
    ...sandbox,
    dialect: "sqlite",
    url: `sqlite:${path}`,
    async query<Row>(script: string) {
      using database = new Database(path, { readwrite: true });
      database.run("pragma busy_timeout = 10000");
      return database.prepare<Row, []>(script).all();
    },
  };
}

async function openPostgresPlace({ url, drop }: TestDatabase, env: Readonly<Record<string, string>>): Promise<Place> {
  const sandbox = await openSandbox({ DATABASE_URL: url, ...env });
  const sql = postgres(url, { max: 1, onnotice: () => {}, connection: { search_path: "taskonaut" } });
  return {
    ...sandbox,
    dialect: "postgres",
    url,
    async query<Row>(script: string) {
      return [...(await sql.unsafe<(Row & postgres.Row)[]>(script))];
    },
    async [Symbol.asyncDispose]() {
      await sandbox[Symbol.asyncDispose]();
      await sql.end();
      await drop();
    },
  };
}
