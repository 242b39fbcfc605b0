// Migrations of a PostgreSQL database. Each is one script, sent as one message: PostgreSQL runs that in one transaction
// of its own, without a `begin` that could outlive a lost connection. The script takes an advisory lock that ends with
// the transaction (so it works behind a pooler as well) and records the migration before it runs it: a second process
// fails on the record, changes nothing, and finds it done.

import type { TellWait } from "../../core/waiting.ts";
import type { MigrationStatus, Migrator } from "../../core/api/migrator.ts";
import initial from "../../../sql/postgres/0001_initial.sql" with { type: "text" };
import {
  type AppliedMigration,
  checksumOf,
  databaseBehind,
  databaseForeign,
  describeMigrations,
  findPending,
  type Migration,
  RECORD,
} from "../migrations.ts";
import { TABLES } from "../tables.ts";
import { PostgresClient } from "./connection.ts";
import { databaseReadOnly, isMissingColumn, isMissingTable } from "./failures.ts";
import { milliseconds, quoteSchema, type Schema } from "./schema.ts";

export const MIGRATIONS: readonly Migration[] = [{ number: 1, name: "initial", sql: initial }];

/** A migration may have to rewrite a large table. */
const MIGRATION_MS_MAX = 60 * 60_000;

export interface MigratorOptions {
  readonly url: string;
  /** The schema that holds all tables; created if it is missing. */
  readonly schema?: string;
  /** The deadline for reading the applied migrations; applying may take an hour. */
  readonly deadlineMs?: number;
  /** Receives the reason why a call waits. */
  readonly tellWait?: TellWait | undefined;
  /** Default: the binary's migrations. */
  readonly known?: readonly Migration[];
}

/** Throws `usage` for a malformed name or URL; connects with the first query. */
export function openPostgresMigrator({
  url,
  schema = "taskonaut",
  deadlineMs = 10_000,
  known = MIGRATIONS,
  tellWait,
}: MigratorOptions): Migrator {
  const quoted = quoteSchema(schema);
  const reader = new PostgresClient({ url, connectionsMax: 1, deadlineMs, tellWait });
  const waitsFor = `the migration of ${reader.location}, by this process or by another one`;
  const writer = new PostgresClient({ url, connectionsMax: 1, deadlineMs: MIGRATION_MS_MAX, tellWait, waitsFor });
  return {
    location: reader.location,
    status: async () => describeMigrations(known, await listApplied(reader, quoted), reader.location),
    migrate: () => migrate({ reader, writer, schema: quoted, known }),
    async close() {
      await Promise.all([reader.close(), writer.close()]);
    },
  };
}

/** Throws `database_behind`, `database_ahead`, `migration_changed`, `database_unavailable`. One round trip. */
export async function checkMigrated(client: PostgresClient, schema: Schema): Promise<readonly ListedMigration[]> {
  const applied = await listApplied(client, schema);
  const pending = findPending(MIGRATIONS, applied, client.location);
  if (pending.length > 0) throw databaseBehind(pending);
  return applied;
}

/** The same, and checks that it takes writes: a standby, which has every migration too, does not. One round trip. */
export async function checkReady(client: PostgresClient, schema: Schema): Promise<void> {
  const applied = await checkMigrated(client, schema);
  if (applied.some((row) => row.read_only)) throw databaseReadOnly(client.location);
}

interface Migrating {
  readonly reader: PostgresClient;
  readonly writer: PostgresClient;
  readonly schema: Schema;
  readonly known: readonly Migration[];
}

async function migrate({ reader, writer, schema, known }: Migrating): Promise<MigrationStatus[]> {
  const done = new Set<number>();
  let applied = await listApplied(reader, schema);
  if (applied.length === 0) await refuseForeign(reader, schema);
  for (const migration of findPending(known, applied, reader.location)) {
    if (applied.some((row) => row.number === migration.number)) continue;
    try {
      await writer.execute(script(migration, schema));
      done.add(migration.number);
      applied = await listApplied(reader, schema);
    } catch (error) {
      // Another process may have been first; its migrations are checked like all others.
      applied = await listApplied(reader, schema);
      if (findPending(known, applied, reader.location).includes(migration)) throw error;
    }
  }
  return describeMigrations(known, applied, reader.location).filter((status) => done.has(status.number));
}

/** The lock is one for all schemas: two of them may be created at once. */
function script(migration: Migration, schema: Schema): string {
  return `
    select pg_advisory_xact_lock(hashtextextended('taskonaut:migrate', 0));
    create schema if not exists ${schema};
    set local search_path to ${schema};
    create table if not exists schema_migrations (
      number integer not null primary key,
      name text not null,
      checksum text not null,
      applied_at timestamptz not null default now()
    );
    insert into schema_migrations (number, name, checksum)
      values (${migration.number}, '${migration.name}', '${checksumOf(migration)}');
    ${migration.sql}`;
}

/** Includes whether the server is read-only, which costs no extra round trip here. */
type ListedMigration = AppliedMigration & { readonly read_only: boolean };

async function listApplied(client: PostgresClient, schema: Schema): Promise<ListedMigration[]> {
  try {
    return await client.read<ListedMigration>(
      `select number, name, checksum, ${milliseconds("applied_at")} as applied_at,
         current_setting('transaction_read_only')::boolean as read_only
       from ${schema}.schema_migrations order by number`,
    );
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (isMissingColumn(error.cause)) throw foreign(client, schema, [RECORD.table]);
    if (isMissingTable(error.cause)) return [];
    throw error;
  }
}

/** If no migration was recorded, none of our tables can exist. In one query: another process may be migrating. */
async function refuseForeign(client: PostgresClient, schema: Schema): Promise<void> {
  const names = TABLES.map(({ name }) => `'${name}'`).join(", ");
  const found = await client.read<{ name: string }>(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where '"' || n.nspname || '"' = $1 and c.relname in (${names})
       and not exists (select from pg_class r where r.relnamespace = n.oid and r.relname = '${RECORD.table}')
     order by c.relname`,
    [schema],
  );
  if (found.length === 0) return;
  throw foreign(
    client,
    schema,
    found.map(({ name }) => name),
  );
}

function foreign({ location }: PostgresClient, schema: Schema, tables: readonly string[]): Error {
  return databaseForeign(
    location,
    tables.map((name) => `${schema.slice(1, -1)}.${name}`),
    "Let taskonaut have a schema of its own: set TASKONAUT_SCHEMA to another name, or leave it unset.",
  );
}
