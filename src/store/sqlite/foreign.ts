// A file with another program's data stays as it is: even the switch to WAL would change it for good.

import type { Database } from "bun:sqlite";

import { databaseForeign, RECORD } from "../migrations.ts";

const NAMES = `select name from sqlite_schema where type in ('table', 'view') and name not like 'sqlite\\_%' escape '\\'`;

/** Throws `database_foreign` if the file has tables, and is not taskonaut's; SQLite's errors as they are. */
export function refuseForeign(database: Database, path: string): void {
  const names = database.query<{ name: string }, []>(NAMES).all();
  if (names.length === 0) return; // new
  const columns = database.query<{ name: string }, [string]>("select name from pragma_table_info(?)").all(RECORD.table);
  if (RECORD.columns.every((column) => columns.some(({ name }) => name === column))) return;
  throw databaseForeign(
    path,
    names.map(({ name }) => name),
    "Name another file in the database URL: one that is not there yet is created.",
  );
}
