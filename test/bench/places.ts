// The databases that a bench measures on: both stores as they are by default, each beside bare statements on the same one.

import { Database } from "bun:sqlite";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import type { Wiring } from "../../src/cli/wiring.ts";
import { LineWriter } from "../../src/cli/line-writer.ts";
import { createWire } from "../../src/wire.ts";
import { testDatabase } from "../support/postgres.ts";

export interface Place {
  readonly store: "SQLite" | "PostgreSQL";
  readonly databaseUrl: string;
  /** What a commit means here. */
  readonly durability: string;
  readonly wiring: Wiring;
  dispose(): Promise<void>;
}

/** Inserts one row into a table of its own and commits, on a connection of its own. */
export interface BareInsert {
  insert(): unknown;
  close(): unknown;
}

/** Both stores, migrated and empty. */
export async function openPlaces(): Promise<readonly Place[]> {
  const places = [await openSqlite(), await openPostgres()];
  for (const { wiring } of places) {
    const migrator = await wiring.openMigrator();
    await migrator.migrate();
    await migrator.close();
  }
  return places;
}

async function openSqlite(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "taskonaut-bench-"));
  const databaseUrl = `sqlite:${join(folder, "taskonaut.db")}`;
  return {
    store: "SQLite",
    databaseUrl,
    durability: "WAL, synchronous=FULL",
    wiring: wireTo(databaseUrl),
    dispose: () => rm(folder, { recursive: true }),
  };
}

async function openPostgres(): Promise<Place> {
  const { url, drop } = await testDatabase();
  const sql = postgres(url, { max: 1 });
  const [row] = await sql<{ fsync: string; commit: string; version: string }[]>`
    select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
      current_setting('server_version') as version`;
  await sql.end();
  return {
    store: "PostgreSQL",
    databaseUrl: url,
    durability: `${row?.version}: fsync=${row?.fsync}, synchronous_commit=${row?.commit}`,
    wiring: wireTo(url),
    dispose: drop,
  };
}

function wireTo(databaseUrl: string): Wiring {
  const settings = {
    databaseUrl,
    apiBaseUrl: undefined,
    apiToken: undefined,
    makesDatabase: true,
    flows: [],
    loadsFlows: false,
    logLevel: "error",
    logStyle: "json",
  } as const;
  return createWire({}, { lines: new LineWriter() })(settings);
}

export async function openBareInsert(databaseUrl: string): Promise<BareInsert> {
  if (databaseUrl.startsWith("sqlite:")) {
    const db = new Database(databaseUrl.slice("sqlite:".length));
    db.run("pragma journal_mode = wal");
    db.run("pragma synchronous = full");
    db.run("pragma busy_timeout = 5000"); // the server writes to the file now and then
    db.run("create table if not exists bare_rows (id integer primary key, payload text not null)");
    const statement = db.query("insert into bare_rows (payload) values (?)");
    return { insert: () => statement.run(PAYLOAD), close: () => db.close() };
  }
  const sql = postgres(databaseUrl, { onnotice: () => {} });
  await sql`create table if not exists bare_rows (id bigint generated always as identity primary key, payload text not null)`;
  return { insert: () => sql`insert into bare_rows (payload) values (${PAYLOAD})`, close: () => sql.end() };
}

const PAYLOAD = JSON.stringify({ text: "hello", a: 2, b: 3 });
