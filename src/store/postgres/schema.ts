// The schema that holds all tables, and how columns go in and out.

import { RATE_MS_MAX } from "../../core/limits.ts";
import { TaskonautError } from "../../core/errors.ts";

/** A schema's name, quoted, ready to stand in a statement. */
export type Schema = string & { readonly quoted: true };

/**
 * Throws `usage` for a name that is not a plain identifier: a lower-case letter or _, then those and digits, at most
 * 63.
 */
export function quoteSchema(name: string): Schema {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(name) || name.startsWith("pg_")) {
    throw new TaskonautError(
      "usage",
      `${JSON.stringify(name)} cannot be the name of the database schema: use lower-case letters, digits and _, at most 63, and no pg_ in front.`,
    );
  }
  return `"${name}"` as Schema;
}

/** A condition on row `t` of `tasks` that always holds, for readers of the index of all tasks. */
export const IN_LIST = "t.depth >= 0";

/** Any text (without NUL) as a literal, for a statement that cannot have parameters. */
export function quoteText(text: string): string {
  // Doubled backslashes in an `E` literal: correct for any `standard_conforming_strings`.
  return `E'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

/** Milliseconds since 1970 (float8) to timestamptz. */
export function timestamp(column: string): string {
  return `to_timestamp(${column} / 1000)`;
}

/** Timestamptz to milliseconds since 1970, a float8: no bigint holds an infinite time, and its row would hide all others. */
export function milliseconds(column: string): string {
  return `round(date_part('epoch', ${column}) * 1000)`;
}

/** No longer time of a rate was written; of a damaged one no time can be computed. Null: null. */
export function boundedRate(ms: string): string {
  return `(${ms} - greatest(0, ${ms} - ${RATE_MS_MAX}))`;
}
