// The texts of statements about whole rows, made of the columns that the table has.

import { isAsMade, type Table } from "../tables.ts";
import { parametersOf, type SqliteConnection } from "./connection.ts";

/** What a column has by itself is left out of a row that has nothing else there, as nearly all have: each column has its price. */
export interface Inserts<Row> {
  readonly table: Table<Row>;
  readonly whole: string;
  readonly asMade: string;
}

/** `onConflict`: what stands behind the values. */
export function insertsInto<Row>(table: Table<Row>, onConflict = ""): Inserts<Row> {
  const { name, names, begins } = table;
  const leftOut = new Set(begins.map(({ name: column }) => column));
  const insert = (columns: readonly string[]): string =>
    `insert into ${name} (${columns.join(", ")}) values (${columns.map((column) => `$${column}`).join(", ")}) ${onConflict}`;
  return {
    table,
    whole: insert(names),
    asMade: insert(names.filter((column) => !leftOut.has(column))),
  };
}

/** Gives how many rows were inserted. */
export function insertRow<Row extends object>(
  connection: SqliteConnection,
  { table, whole, asMade }: Inserts<Row>,
  row: Row,
): number {
  return connection.prepare(isAsMade(table, row) ? asMade : whole).run(parametersOf(row)).changes;
}

/** The list of an update: what a change writes. */
export function assignments<Row>({ changed }: Table<Row>): string {
  return changed.map((name) => `${name} = $${name}`).join(", ");
}

/** Which row it is. */
export function isRow<Row>({ key }: Table<Row>): string {
  return key.map((name) => `${name} = $${name}`).join(" and ");
}

/** A whole row of relation `alias`, in every statement that gives one; `except`: but for this. */
export function columnList<Row>({ names }: Table<Row>, alias: string, except?: keyof Row): string {
  return names
    .filter((name) => name !== except)
    .map((name) => `${alias}.${name}`)
    .join(", ");
}
