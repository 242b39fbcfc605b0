// Migrations of an SQLite file. Ten processes may open a new file at once: each migration is a write transaction that
// first checks what is missing, so a second process finds it done.

import { existsSync } from "node:fs";

import type { TellWait } from "../../core/waiting.ts";
import type { MigrationStatus, Migrator } from "../../core/api/migrator.ts";
import initial from "../../../sql/sqlite/0001_initial.sql" with { type: "text" };
import { type AppliedMigration, checksumOf, describeMigrations, findPending, type Migration } from "../migrations.ts";
import { openConnection, type SqliteConnection } from "./connection.ts";

export const MIGRATIONS: readonly Migration[] = [{ number: 1, name: "initial", sql: initial }];

const CREATE_TABLE = `
  create table if not exists schema_migrations (
    number integer not null primary key,
    name text not null,
    checksum text not null,
    applied_at integer not null
  ) strict`;

const HAS_TABLE = "select 1 from sqlite_schema where type = 'table' and name = 'schema_migrations'";

const LIST = "select number, name, checksum, applied_at from schema_migrations order by number";

const INSERT = `
  insert into schema_migrations (number, name, checksum, applied_at) values ($number, $name, $checksum, $applied_at)`;

/**
 * Throws `migration_changed`, `database_ahead`, `database_unavailable`. Returns the migrations that it applied itself.
 */
export async function migrate(
  connection: SqliteConnection,
  now: () => number,
  known: readonly Migration[] = MIGRATIONS,
): Promise<readonly MigrationStatus[]> {
  const applied: MigrationStatus[] = [];
  const location = `sqlite:${connection.path}`;
  let pending = findPending(known, await connection.read(() => listApplied(connection)), location);
  while (pending.length > 0) {
    pending = await connection.write(() => {
      const [next, ...later] = findPending(known, listApplied(connection), location);
      if (next) applied.push(apply(connection, next, now()));
      return later;
    });
  }
  return applied;
}

/** Throws `migration_changed`, `database_ahead`; returns the missing ones. */
export function readPending(connection: SqliteConnection): Promise<readonly Migration[]> {
  return connection.read(() => findPending(MIGRATIONS, listApplied(connection), `sqlite:${connection.path}`));
}

/** A migrator of the file; it opens the file only when asked to do something. */
export function openSqliteMigrator({
  path,
  deadlineMs = 10_000,
  now = Date.now,
  known = MIGRATIONS,
  tellWait,
}: MigratorOptions): Migrator {
  const opened = async <Result>(use: (connection: SqliteConnection) => Promise<Result>): Promise<Result> => {
    const connection = await openConnection({ path, deadlineMs, tellWait });
    try {
      return await use(connection);
    } finally {
      connection.close();
    }
  };
  const location = `sqlite:${path}`;
  return {
    location,
    async status() {
      // Read-only: a missing file is not created.
      if (!existsSync(path)) return describeMigrations(known, [], location);
      return opened(async (connection) =>
        describeMigrations(known, await connection.read(() => listApplied(connection)), location),
      );
    },
    migrate: () => opened((connection) => migrate(connection, now, known)),
    async close() {},
  };
}

export interface MigratorOptions {
  readonly path: string;
  /** How long to wait for a locked file. */
  readonly deadlineMs?: number;
  readonly tellWait?: TellWait | undefined;
  readonly now?: () => number;
  /** Default: the binary's migrations. */
  readonly known?: readonly Migration[];
}

function apply(connection: SqliteConnection, migration: Migration, at: number): MigrationStatus {
  const { number, name, sql } = migration;
  connection.execute(CREATE_TABLE);
  connection.execute(sql);
  connection.prepare(INSERT).run({ number, name, checksum: checksumOf(migration), applied_at: at });
  return { number, name, applied_at: at };
}

function listApplied(connection: SqliteConnection): AppliedMigration[] {
  if (!connection.prepare(HAS_TABLE).get()) return [];
  return connection.prepare<AppliedMigration>(LIST).all();
}
