// The texts of statements about whole rows, built from the columns of the table.

import { isAsMade, type Table } from "../table.ts";
import { parametersOf, type SqliteConnection } from "./connection.ts";

/**
 * Columns with their default value are left out of an insert, as in nearly all rows, because each column has a cost.
 */
export interface Inserts<Row> {
  readonly table: Table<Row>;
  readonly whole: string;
  readonly asMade: string;
}

/** `onConflict`: the text after the values. */
export function insertsInto<Row>(table: Table<Row>, onConflict = ""): Inserts<Row> {
  const { name, written, begins } = table;
  const leftOut = new Set(begins.map(({ name: column }) => column));
  const insert = (columns: readonly string[]): string =>
    `insert into ${name} (${columns.join(", ")}) values (${columns.map((column) => `$${column}`).join(", ")}) ${onConflict}`;
  return {
    table,
    whole: insert(written),
    asMade: insert(written.filter((column) => !leftOut.has(column))),
  };
}

/** Returns how many rows were inserted. */
export function insertRow<Row extends object>(
  connection: SqliteConnection,
  { table, whole, asMade }: Inserts<Row>,
  row: Row,
): number {
  return connection.prepare(isAsMade(table, row) ? asMade : whole).run(parametersOf(row)).changes;
}

/** The list of an update: the columns that a change writes. */
export function assignments<Row>({ changed }: Table<Row>): string {
  return changed.map((name) => `${name} = $${name}`).join(", ");
}

/** The condition that identifies the row. */
export function isRow<Row>({ key }: Table<Row>): string {
  return key.map((name) => `${name} = $${name}`).join(" and ");
}

/** Whether the value is a number, as a bound of a range of an index: texts and blobs of damaged rows come after all numbers. */
export function isNumber(column: string): string {
  return `${column} < ''`;
}

/** A whole row of relation `alias`, for every statement that returns one; `except`: without these columns. */
export function columnList<Row>({ names }: Table<Row>, alias: string, except?: keyof Row): string {
  return names
    .filter((name) => name !== except)
    .map((name) => `${alias}.${name}`)
    .join(", ");
}
