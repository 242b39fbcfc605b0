// What the statements of `commit.ts` write: rows of named fields, and the SQL that names them.

import type { ColumnType, NameOf, Table } from "../table.ts";
import type { Schema } from "./schema.ts";

/** A part of a statement, and the fields of the rows that it writes. */
export interface Part<Row> {
  readonly fields: Fields<Row>;
  read(schema: Schema, rows: Rows): string;
}

/** What may stand after `from`: the rows of a part, as relation `alias`. */
export type Rows = (alias: string) => string;

/** The fields of a row, in the order in which they travel. The first one is never null. */
export type Fields<Row> = Readonly<Partial<Record<NameOf<Row>, ColumnType>>>;

/** For whole rows. */
export function fieldsOf<Row>(table: Table<Row>): Fields<Row> {
  return pickFields(table, table.written);
}

/** For changes of rows: the identifying columns, and the columns that a change writes. */
export function changeFieldsOf<Row>(table: Table<Row>): Fields<Row> {
  return pickFields(table, [...table.key, ...table.changed]);
}

function pickFields<Row>({ columns }: Table<Row>, names: readonly NameOf<Row>[]): Fields<Row> {
  return Object.fromEntries(names.map((name) => [name, columns[name].type])) as Fields<Row>;
}

/** Whether task `id` is in `won`. Not by a join: if the planner expects one row, it would compare every pair. */
export function isWon(id: string): string {
  return `(${id} in (select id from won)) is true`;
}

/** For the two lists of an insert: the names, and the same names of relation `alias`. */
export function columnList<Row>({ written }: Table<Row>, alias?: string): string {
  return written.map((name) => (alias === undefined ? name : `${alias}.${name}`)).join(", ");
}

/** The list of an update: the columns that a change writes, from relation `alias`. */
export function assignments<Row>({ changed }: Table<Row>, alias: string): string {
  return changed.map((name) => `${name} = ${alias}.${name}`).join(", ");
}

export function namesOf<Row>(fields: Fields<Row>): NameOf<Row>[] {
  return Object.keys(fields) as NameOf<Row>[];
}

export function typesOf<Row>(fields: Fields<Row>): ColumnType[] {
  return Object.values<ColumnType | undefined>(fields).filter((type) => type !== undefined);
}
