// The columns of a table, for tests that copy its rows.

import type { Place } from "./place.ts";

/** Those that can be written: a generated column makes itself. */
export async function columnsOf(place: Place, table: string): Promise<readonly string[]> {
  const rows = await place.query<{ name: string }>(
    place.dialect === "sqlite"
      ? `select name from pragma_table_info('${table}')`
      : `select column_name as name from information_schema.columns
         where table_schema = 'taskonaut' and table_name = '${table}' and is_generated = 'NEVER'`,
  );
  return rows.map(({ name }) => name);
}
