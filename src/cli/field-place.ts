// Where a field stands in the input, from what was typed after its dashes: `qty`, `address.zip`, `items.0.sku`.

import { formOf } from "./input-form.ts";
import { itemOf, type JsonSchema, typesOf } from "./json-schema.ts";

/** Names of fields and, in lists, places: `["items", 0, "sku"]`. */
export type Keys = readonly (string | number)[];

export interface Place {
  readonly keys: Keys;
  readonly schema: JsonSchema;
}

export interface TypedPlace extends Place {
  /** It was typed as `--no-gift`. */
  readonly isNegated: boolean;
}

/** The prefix for a field whose name is also an option of the program: `--input.mode`. */
const PREFIX = "input.";
const NO = "no-";

/** Takes the text after the dashes. Undefined if the contract has no such field. A field's own name has precedence. */
export function findTyped(schema: JsonSchema, typed: string): TypedPlace | undefined {
  const place = findPlace(schema, withoutPrefix(typed));
  if (place) return { ...place, isNegated: false };
  const denied = typed.startsWith(NO) ? findPlace(schema, withoutPrefix(typed.slice(NO.length))) : undefined;
  return denied && isSwitch(denied.schema) ? { ...denied, isNegated: true } : undefined;
}

function withoutPrefix(typed: string): string {
  return typed.startsWith(PREFIX) ? typed.slice(PREFIX.length) : typed;
}

/** Whether its flag alone says something: true. */
export function isSwitch(schema: JsonSchema): boolean {
  const types = typesOf(schema).filter((type) => type !== "null");
  return types.length === 1 && types[0] === "boolean";
}

/** A name with dots is tried as a whole before it is split. */
export function findPlace(schema: JsonSchema, path: string): Place | undefined {
  const { fields, others } = formOf(schema);
  for (const head of headsOf(path)) {
    const field = fields.get(head);
    const place = field && findBelow(field, head, path.slice(head.length + 1), path);
    if (place) return place;
  }
  const [head = ""] = path.split(".", 1);
  const item = /^(?:0|[1-9]\d{0,4})$/.test(head) ? itemOf(schema, Number(head)) : undefined;
  if (item) return findBelow(item, Number(head), path.slice(head.length + 1), path);
  return others && head !== "" ? findBelow(others, head, path.slice(head.length + 1), path) : undefined;
}

function findBelow(schema: JsonSchema, key: string | number, rest: string, path: string): Place | undefined {
  if (String(key) === path) return { keys: [key], schema };
  const below = rest === "" ? undefined : findPlace(schema, rest);
  return below && { keys: [key, ...below.keys], schema: below.schema };
}

/** `a.b.c`, `a.b`, `a`. */
function headsOf(path: string): readonly string[] {
  const parts = path.split(".");
  return parts.map((_, index) => parts.slice(0, parts.length - index).join("."));
}
