// What is said of a table: its columns, and what follows from them for each dialect.

/**
 * The type of a column in PostgreSQL; SQLite only has texts and integers. Outside the store, a `time` is milliseconds
 * since 1970.
 */
export type ColumnType = "uuid" | "text" | "smallint" | "integer" | "bigint" | "boolean" | "json" | "time";

export interface Column {
  readonly type: ColumnType;
  /** A change of the row writes this column. Other columns stay as created, or have their own rule. */
  readonly changes?: true;
  /** Its value in nearly every new row, which is also its default. */
  readonly begins?: null | 0;
  /** It may be null; one that begins as null may as well. */
  readonly nullable?: true;
  /** It is one of these. The first one is the most harmless. */
  readonly words?: readonly string[];
  /** The least and the greatest number. */
  readonly range?: readonly [least: number, greatest: number];
  /** A text that is JSON of this kind. */
  readonly json?: "names" | "object";
  /** The database derives it from other columns: nobody writes it. */
  readonly derived?: true;
}

interface Definition<Row> {
  readonly name: string;
  /** The columns that identify a row. */
  readonly key: readonly NameOf<Row>[];
  readonly columns: { readonly [Name in NameOf<Row>]: Column };
  /** The name of the first rule about several columns that the row breaks. */
  readonly brokenBy?: (row: Row) => string | undefined;
}

export interface Table<Row> extends Definition<Row> {
  readonly names: readonly NameOf<Row>[];
  /** The columns that a new row is written with. */
  readonly written: readonly NameOf<Row>[];
  /** The columns that a change of a row writes. */
  readonly changed: readonly NameOf<Row>[];
  /** The columns that differ from their usual value in few new rows, with that value. */
  readonly begins: readonly { readonly name: NameOf<Row>; readonly value: null | 0 }[];
  /**
   * The columns of JSON text, which may be stored separately (`payloads.ts`); and those of them that a change writes.
   */
  readonly payloads: readonly NameOf<Row>[];
  readonly changedPayloads: readonly NameOf<Row>[];
}

export type NameOf<Row> = keyof Row & string;

/** Whether the row has only initial values in the columns that have one. */
export function isAsMade<Row>({ begins }: Table<Row>, row: Row): boolean {
  for (const { name, value } of begins) if (row[name] !== value) return false;
  return true;
}

export function define<Row>(definition: Definition<Row>): Table<Row> {
  const { columns } = definition;
  const names = Object.keys(columns) as NameOf<Row>[];
  const isChanged = (name: NameOf<Row>): boolean => columns[name].changes === true;
  const payloads = names.filter((name) => columns[name].type === "json");
  return {
    ...definition,
    names,
    written: names.filter((name) => columns[name].derived !== true),
    changed: names.filter(isChanged),
    begins: names.flatMap((name) => {
      const { begins } = columns[name];
      return begins === undefined ? [] : [{ name, value: begins }];
    }),
    payloads,
    changedPayloads: payloads.filter(isChanged),
  };
}
