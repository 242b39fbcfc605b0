// Migrations as data: what the binary carries, what a database has, and what follows from both. Each dialect reads and
// applies them in its own way (`sqlite/migrate.ts`, `postgres/migrate.ts`).

import { TaskonautError } from "../core/errors.ts";
import type { MigrationStatus } from "../core/api/migrator.ts";

export interface Migration {
  /** 1, 2, 3 … without a gap; the same number means the same in both dialects. */
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

export interface AppliedMigration {
  readonly number: number;
  readonly name: string;
  /** SHA-256 of the SQL text, hex. */
  readonly checksum: string;
  /** Milliseconds since 1970. */
  readonly applied_at: number;
}

export function checksumOf(migration: Migration): string {
  return new Bun.CryptoHasher("sha256").update(migration.sql).digest("hex");
}

/**
 * The migrations that are missing in the database at `location`, which is for messages. Throws `migration_changed` if
 * an applied migration differs from the binary's, `database_ahead` if the database has one that the binary does not
 * know.
 */
export function findPending(
  known: readonly Migration[],
  applied: readonly AppliedMigration[],
  location: string,
): readonly Migration[] {
  if (applied.some(isFromBeforeRelease)) throw databaseFromBeforeRelease(location);
  const byNumber = new Map(known.map((migration) => [migration.number, migration]));
  for (const row of applied) {
    const migration = byNumber.get(row.number);
    if (!migration) {
      throw new TaskonautError(
        "database_ahead",
        `The database ${location} has migration ${row.number} (${row.name}), which this taskonaut does not know: it was written by a newer version. Use that version or a newer one.`,
        { details: { location, number: row.number, name: row.name } },
      );
    }
    if (checksumOf(migration) !== row.checksum) {
      throw new TaskonautError(
        "migration_changed",
        `The database ${location} was made by another state of taskonaut: its migration ${row.number} (${row.name}) is not the one that this taskonaut has. Nothing was changed in it. Use the taskonaut that made it, or name another file, database or schema.`,
        { details: { location, number: row.number, name: row.name } },
      );
    }
  }
  const done = new Set(applied.map((row) => row.number));
  return known.filter((migration) => !done.has(migration.number));
}

/** Before the first release, several steps created the tables; the first step had this name. */
function isFromBeforeRelease({ number, name }: AppliedMigration): boolean {
  return number === 1 && name === "tasks";
}

function databaseFromBeforeRelease(location: string): TaskonautError {
  return new TaskonautError(
    "migration_changed",
    `The database ${location} was made by a taskonaut from before the first release, and no migration leads on from there; nothing was changed in it. Name another file or database, or another schema in TASKONAUT_SCHEMA, and migrate it. What is under way in the old one can only be finished with the taskonaut that made it.`,
    { details: { location } },
  );
}

/** Every migration of the binary with the time it was applied. Throws as `findPending` does. */
export function describeMigrations(
  known: readonly Migration[],
  applied: readonly AppliedMigration[],
  location: string,
): readonly MigrationStatus[] {
  findPending(known, applied, location);
  const at = new Map(applied.map((row) => [row.number, row.applied_at]));
  return known.map(({ number, name }) => ({ number, name, applied_at: at.get(number) ?? null }));
}

export function databaseBehind(pending: readonly Migration[]): TaskonautError {
  const names = pending.map(({ number, name }) => `${number} (${name})`).join(", ");
  return new TaskonautError(
    "database_behind",
    `The database lacks ${pending.length === 1 ? "migration" : "migrations"} ${names}. It has to be migrated first.`,
    { details: { pending: pending.map((migration) => migration.number) } },
  );
}

/** Where migrations are recorded. */
export const RECORD = { table: "schema_migrations", columns: ["number", "name", "checksum", "applied_at"] } as const;

/** `tables`: existing tables that are not ours. */
export function databaseForeign(location: string, tables: readonly string[], advice: string): TaskonautError {
  const names = tables.length > SHOWN_MAX ? [...tables.slice(0, SHOWN_MAX), "…"] : tables;
  return new TaskonautError(
    "database_foreign",
    `The database ${location} has ${tables.length === 1 ? "a table" : "tables"} of another program (${names.join(", ")}), and nothing was changed in it. ${advice}`,
    { details: { location, tables } },
  );
}

const SHOWN_MAX = 5;
