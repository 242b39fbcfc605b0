// How rows travel into a statement. Measured, in the server's and the client's time together: as columns, a few hundred
// rows take half the time of JSON; one row is faster as JSON, which is one parameter instead of many.
//
// `same` always equals the key. The planner does not know how many rows come. It guesses some hundred, and would then
// rather read a small table whole than look rows up; a condition on two columns brings its guess to one row. With
// `offset 0` each field is read once, however often it is named.

import type { ColumnType } from "../table.ts";
import { type Fields, namesOf, typesOf } from "./fields.ts";
import { timestamp } from "./schema.ts";

export interface RowEncoding {
  /** The parameters that hold the rows: their number does not depend on the rows. */
  write<Row>(fields: Fields<Row>, rows: readonly Row[]): (string | null)[];
  /** What may stand after `from`: the rows in the parameters `source` (`$7`, `$8`, …), as relation `alias`. */
  read<Row>(fields: Fields<Row>, source: readonly string[], alias: string): string;
}

/** One JSON text, an array of fields for each row. */
export const asJson: RowEncoding = {
  write(fields, rows) {
    const names = namesOf(fields);
    return [JSON.stringify(rows.map((row) => names.map((name) => row[name])))];
  },
  read(fields, [text], alias) {
    const types = typesOf(fields);
    const columns = namesOf(fields).map((name, place) => `${cast(`row ->> ${place}`, types[place])} as ${name}`);
    return `(
      select * from (
        select ${columns.join(", ")}, ${cast("row ->> 0", types[0])} as same
        from jsonb_array_elements(${text}::text::jsonb) as rows (row) offset 0
      ) as rows where ${namesOf(fields)[0]} = same
    ) as ${alias}`;
  },
};

/**
 * For each column an array, and beside it the common value if all rows agree. `unnest` in a select list returns rows
 * one by one and stores nothing (a third faster than after `from`), and fills shorter arrays up with nulls.
 */
export const byColumns: RowEncoding = {
  write(fields, rows) {
    const [key = [], ...columns] = namesOf(fields).map((name) => rows.map((row) => row[name]));
    return [writeArray(key), ...columns.flatMap(writeColumn)];
  },
  read(fields, [keys, ...others], alias) {
    const [key = "", ...names] = namesOf(fields);
    const [keyType = "text", ...types] = typesOf(fields);
    const unnestKeys = unnest(keys, keyType);
    const arrays = names.map((name, place) => `${unnest(others[2 * place], types[place])} as ${name}`);
    const columns = names.map((name, place) => {
      const value = cast(`${others[2 * place + 1]}::text`, types[place]);
      return `coalesce(${types[place] === "time" ? timestamp(name) : name}, ${value}) as ${name}`;
    });
    return `(
      select ${[key, ...columns].join(", ")} from (
        select ${[`${unnestKeys} as ${key}`, `${unnestKeys} as same`, ...arrays].join(", ")}
      ) as rows where ${key} = same offset 0
    ) as ${alias}`;
  },
};

function cast(text: string, type: ColumnType | undefined): string {
  if (type === "text") return text;
  return type === "time" ? timestamp(`(${text})::float8`) : `(${text})::${type}`;
}

function unnest(array: string | undefined, type: ColumnType | undefined): string {
  return `unnest(${array}::${type === "time" ? "float8" : type}[])`;
}

function writeColumn(values: readonly unknown[]): [array: string, value: string | null] {
  const [first] = values;
  if (values.some((value) => value !== first)) return [writeArray(values), null];
  return ["{}", first === null ? null : textOf(first)];
}

/**
 * As the text of an array. PostgreSQL writes arrays like JSON, except for the brackets, and that `\n` is an n there.
 */
export function writeArray(values: readonly unknown[]): string {
  const json = JSON.stringify(values);
  return `{${/\\[^"\\]/.test(json) ? values.map(writeElement).join(",") : json.slice(1, -1)}}`;
}

function writeElement(value: unknown): string {
  return typeof value === "string" ? `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"` : JSON.stringify(value);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
