// What the statements of `commit.ts` write: rows of named fields, and the SQL that names them.

import type { Schema } from "./schema.ts";

/** A part of a statement, and the fields of the rows that it writes. */
export interface Part<Row> {
  readonly fields: Fields<Row>;
  read(schema: Schema, rows: Rows): string;
}

/** What may stand after `from`: the rows of a part, as relation `alias`. */
export type Rows = (alias: string) => string;

/** As a column has it; `time` goes in as milliseconds since 1970. */
export type FieldType = "uuid" | "text" | "smallint" | "integer" | "bigint" | "boolean" | "json" | "time";

/** The fields of a row, in the order in which they travel. The first one is never null. */
export type Fields<Row> = Readonly<Partial<Record<keyof Row & string, FieldType>>>;

/** Whether task `id` is in `won`. Not by a join: where the planner expects one row, it would compare each with each. */
export function isWon(id: string): string {
  return `(${id} in (select id from won)) is true`;
}

/** For the two lists of an insert: the names, and the same of relation `alias`. */
export function columnList<Row>(fields: Fields<Row>, alias?: string): string {
  return namesOf(fields)
    .map((name) => (alias === undefined ? name : `${alias}.${name}`))
    .join(", ");
}

/** The list of an update: every field but those of `key` from relation `alias`. */
export function assignments<Row>(fields: Fields<Row>, alias: string, key: readonly (keyof Row)[]): string {
  return namesOf(fields)
    .filter((name) => !key.includes(name))
    .map((name) => `${name} = ${alias}.${name}`)
    .join(", ");
}

export function namesOf<Row>(fields: Fields<Row>): (keyof Row & string)[] {
  return Object.keys(fields) as (keyof Row & string)[];
}

export function typesOf<Row>(fields: Fields<Row>): FieldType[] {
  return Object.values<FieldType | undefined>(fields).filter((type) => type !== undefined);
}
