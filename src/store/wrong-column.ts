// Whether a row holds what its table's columns hold. Databases see to that themselves; a row that does not was damaged, or
// written by other means.

import type { Judged } from "../core/record/judged.ts";
import type { Column, ColumnType, Table } from "./table.ts";

/** A check of one column, and what it says of a value that is wrong. */
interface Rule {
  readonly name: string;
  readonly type: ColumnType;
  readonly isNullable: boolean;
  /** Any text is right; any whole number of the range is. */
  readonly plainly: "text" | "number" | undefined;
  readonly words: ReadonlySet<unknown> | undefined;
  readonly range: readonly [number, number];
  readonly json: "names" | "object" | undefined;
}

const PLAINLY: Readonly<Record<ColumnType, Rule["plainly"]>> = {
  text: "text",
  json: "text",
  uuid: undefined,
  boolean: undefined,
  smallint: "number",
  integer: "number",
  bigint: "number",
  time: "number",
};

/** The largest number of milliseconds that a date can hold. */
const TIME_MAX = 8.64e15;

const ID_LENGTH = 36;

const NO_ID = "00000000-0000-0000-0000-000000000000";

const rules = new WeakMap<object, readonly Rule[]>();

/**
 * What is wrong with the first column that is: `its since is not a time`. Undefined: nothing. JSON is not parsed, except for
 * the short texts of which `tables.ts` says what they hold.
 */
export function wrongColumn<Row>(table: Table<Row>, row: Row): string | undefined {
  for (const rule of rulesOf(table)) {
    const value = (row as Readonly<Record<string, unknown>>)[rule.name];
    if (isPlainly(rule, value)) continue;
    const wrong = wrongIn(rule, value);
    if (wrong !== undefined) return `its ${rule.name} ${wrong}`;
  }
  const broken = table.brokenBy?.(row);
  return broken === undefined ? undefined : `it breaks the rule ${broken}`;
}

/** A sound row as it is. Of a damaged one what can be read, and what is wrong with it. */
export function judge<Row, Found extends Row & object>(table: Table<Row>, row: Found): Judged<Found> {
  const damage = wrongColumn(table, row);
  if (damage === undefined) return row;
  const readable = { ...row } as Record<string, unknown>;
  for (const rule of rulesOf(table)) {
    const value = readable[rule.name];
    if (wrongIn(rule, value) !== undefined) readable[rule.name] = inPlaceOf(rule, value);
  }
  return { ...(readable as Found), damage };
}

function rulesOf<Row>(table: Table<Row>): readonly Rule[] {
  let known = rules.get(table);
  if (!known) {
    known = Object.entries<Column>(table.columns).map(([name, column]) => {
      const { type, begins, nullable, words, json, range = rangeOf(type) } = column;
      const isNullable = begins === null || nullable === true;
      const isAny = words === undefined && json === undefined;
      const plainly = isAny ? PLAINLY[type] : undefined;
      return { name, type, plainly, isNullable, words: words && new Set<unknown>(words), range, json };
    });
    rules.set(table, known);
  }
  return known;
}

/** As PostgreSQL has it. */
function rangeOf(type: ColumnType): readonly [number, number] {
  if (type === "smallint") return [-32_768, 32_767];
  if (type === "time") return [-TIME_MAX, TIME_MAX];
  return type === "integer" ? [-2_147_483_648, 2_147_483_647] : [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
}

/** The usual values, at once: every row of a task that is read passes here. */
function isPlainly({ plainly, isNullable, range }: Rule, value: unknown): boolean {
  if (value === null) return isNullable;
  if (plainly === "text") return typeof value === "string";
  if (plainly === undefined) return false;
  return typeof value === "number" && value >= range[0] && value <= range[1] && Number.isInteger(value);
}

function wrongIn(
  { type, isNullable, words, range: [least, greatest], json }: Rule,
  value: unknown,
): string | undefined {
  if (value === null || value === undefined) return isNullable ? undefined : "is missing";
  switch (type) {
    case "time":
      return Number.isInteger(value) && Math.abs(value as number) <= TIME_MAX ? undefined : "is not a time";
    case "smallint":
    case "integer":
    case "bigint":
      if (!Number.isSafeInteger(value)) return "is not a whole number";
      return (value as number) >= least && (value as number) <= greatest ? undefined : `is ${value as number}`;
    case "boolean":
      return value === true || value === false || value === 0 || value === 1 ? undefined : "is neither true nor false";
    case "uuid":
      return typeof value === "string" && value.length === ID_LENGTH ? undefined : "is not a UUID";
    case "json":
    case "text":
      if (typeof value !== "string") return "is not a text";
      if (words && !words.has(value)) return `is ${JSON.stringify(value)}, which does not exist`;
      return json === undefined || holds(json, value)
        ? undefined
        : `is not JSON of ${json === "names" ? "names" : "an object"}`;
  }
}

function holds(json: "names" | "object", text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    if (json === "names") return Array.isArray(value) && value.every((name) => typeof name === "string");
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** The most harmless value: a token with it is refused, and a list can show it. */
function inPlaceOf({ type, words, range: [least], json }: Rule, value: unknown): unknown {
  switch (type) {
    case "time":
      return 0;
    case "smallint":
    case "integer":
    case "bigint":
      return Math.max(0, least);
    case "boolean":
      return false;
    case "uuid":
      return NO_ID;
    case "json":
      return "null";
    case "text":
      if (words) return words.values().next().value;
      if (json !== undefined) return json === "names" ? "[]" : "{}";
      return typeof value === "number" ? String(value) : "";
  }
}
