// Finds a short value that satisfies a JSON Schema, to show what a contract wants. Only the schema is used, so the value may
// fail what a contract checks besides (a custom check, some patterns).

import type { Json } from "../core/record/json-value.ts";
import { textOfPattern } from "./text-of-pattern.ts";

type Schema = { readonly [key: string]: Json };

/** Undefined if none is found. The value is wrapped, because null is a value too. */
export function exampleOf(schema: Schema): { readonly value: Json } | undefined {
  try {
    return { value: make(schema, { root: schema, depth: 0 }) };
  } catch (error) {
    if (error instanceof NoExample) return undefined;
    throw error;
  }
}

/** Whether the schema takes null. */
export function takesNull(schema: Schema): boolean {
  const { type, enum: words, const: only, anyOf, oneOf, allOf } = schema;
  if (only !== undefined) return only === null;
  if (isList(words)) return words.includes(null);
  if (isList(type)) return type.includes("null");
  if (type !== undefined) return type === "null";
  const one = anyOf ?? oneOf;
  if (isList(one)) return one.filter(isSchema).some(takesNull);
  if (isList(allOf)) return allOf.filter(isSchema).every(takesNull);
  return Object.keys(schema).every((key) => NOTES.has(key));
}

/** They bind no value. */
const NOTES: ReadonlySet<string> = new Set(["$schema", "title", "description", "examples", "default", "$comment"]);

class NoExample extends Error {}

interface Place {
  readonly root: Schema;
  readonly depth: number;
}

/** A schema that refers to itself has no end of its own. */
const DEPTH_MAX = 20;

function make(schema: Schema, place: Place): Json {
  if (place.depth > DEPTH_MAX) throw new NoExample();
  const deeper = { ...place, depth: place.depth + 1 };
  const { $ref, const: only, enum: words, examples, default: usual, anyOf, oneOf, allOf } = schema;
  if (typeof $ref === "string") return make(resolve($ref, place.root), deeper);
  if (only !== undefined) return only;
  if (isList(words)) return words[0] ?? null;
  if (isList(examples) && examples[0] !== undefined) return examples[0];
  if (usual !== undefined) return usual;
  const one = anyOf ?? oneOf;
  if (isList(one)) return makeFirst(one.filter(isSchema), deeper);
  if (isList(allOf)) return makeAll(schema, allOf.filter(isSchema), deeper);
  switch (typeOf(schema)) {
    case "object":
      return makeObject(schema, deeper);
    case "array":
      return makeArray(schema, deeper);
    case "string":
      return makeText(schema);
    case "number":
    case "integer":
      return makeNumber(schema);
    case "boolean":
      return true;
    default:
      return null;
  }
}

function typeOf({ type, properties }: Schema): Json | undefined {
  if (isList(type)) return type.find((each) => each !== "null") ?? "null";
  return type ?? (properties === undefined ? undefined : "object");
}

/** The first option that has an example; null only if no other option has one. */
function makeFirst(schemas: readonly Schema[], place: Place): Json {
  for (const schema of schemas.toSorted((a, b) => Number(takesNull(a)) - Number(takesNull(b)))) {
    try {
      return make(schema, place);
    } catch (error) {
      if (!(error instanceof NoExample)) throw error;
    }
  }
  throw new NoExample();
}

/** All of them merged into one schema, with the fields of all objects. */
function makeAll({ allOf: _all, ...rest }: Schema, schemas: readonly Schema[], place: Place): Json {
  let whole: Schema = rest;
  for (const schema of schemas) {
    const part = typeof schema["$ref"] === "string" ? resolve(schema["$ref"], place.root) : schema;
    const fields = [whole["properties"], part["properties"]].map((each) => (isSchema(each) ? each : {}));
    const required = [whole["required"], part["required"]].flatMap((names) => (isList(names) ? names : []));
    whole = { ...whole, ...part, properties: { ...fields[0], ...fields[1] }, required };
  }
  return make(whole, place);
}

function makeObject({ properties, required }: Schema, place: Place): Json {
  const known = isSchema(properties) ? properties : {};
  const names = isList(required) ? required.map(String) : [];
  return Object.fromEntries(
    names.map((name) => {
      const schema = known[name];
      return [name, isSchema(schema) ? make(schema, place) : null];
    }),
  );
}

function makeArray({ items, prefixItems, minItems }: Schema, place: Place): Json {
  const first = isList(prefixItems) ? prefixItems.map((schema) => (isSchema(schema) ? make(schema, place) : null)) : [];
  const missing = Math.max(Number(minItems ?? 0) - first.length, 0);
  if (missing > ITEMS_MAX) throw new NoExample();
  const rest = Array.from({ length: missing }, () => (isSchema(items) ? make(items, place) : null));
  return [...first, ...rest];
}

const ITEMS_MAX = 100;

/** By the names of JSON Schema. */
const FORMATS: Readonly<Record<string, string>> = {
  date: "2026-01-31",
  "date-time": "2026-01-31T12:00:00Z",
  duration: "PT1H",
  email: "ada@example.org",
  hostname: "example.org",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  time: "12:00:00",
  uri: "https://example.org",
  uuid: "019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071",
};

/** What common patterns take. */
const TEXTS = [
  ..."text,a,A,1,0,aa,AA,A1,a1,abc,ABC,123,1234,12345,A-1,a_b,AB12,ABC-123,EUR,DE,en-US,1.0.0,12:00,/a,x.txt".split(
    ",",
  ),
  ..."00000000,0000000000,#000000,+491701234567".split(","),
  ...Object.values(FORMATS),
];

function makeText({ format, pattern, minLength, maxLength }: Schema): string {
  const least = Number(minLength ?? 0);
  const most = Number(maxLength ?? Number.POSITIVE_INFINITY);
  if (least > LENGTH_MAX) throw new NoExample();
  const fits = (text: string): boolean => text.length >= least && text.length <= most;
  const formatted = typeof format === "string" ? FORMATS[format] : undefined;
  if (typeof pattern !== "string") {
    if (formatted !== undefined && fits(formatted)) return formatted;
    return "text".padEnd(least, "x").slice(0, Math.min(most, Math.max(least, 4)));
  }
  const form = regExpOf(pattern);
  const found =
    form &&
    [...(formatted === undefined ? [] : [formatted]), ...TEXTS, textOfPattern(pattern) ?? ""].find(
      (text) => fits(text) && form.test(text),
    );
  if (found === undefined) throw new NoExample();
  return found;
}

const LENGTH_MAX = 1000;

function regExpOf(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern, "u");
  } catch {
    return undefined;
  }
}

function makeNumber({ type, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: Schema): number {
  const step = typeof multipleOf === "number" ? multipleOf : type === "integer" ? 1 : undefined;
  const fits = (value: number): boolean =>
    value >= numberOf(minimum, Number.NEGATIVE_INFINITY) &&
    value <= numberOf(maximum, Number.POSITIVE_INFINITY) &&
    value > numberOf(exclusiveMinimum, Number.NEGATIVE_INFINITY) &&
    value < numberOf(exclusiveMaximum, Number.POSITIVE_INFINITY) &&
    (step === undefined || Number.isInteger(value / step));
  const least = numberOf(minimum, numberOf(exclusiveMinimum, 0));
  const most = numberOf(maximum, numberOf(exclusiveMaximum, 0));
  const near = [1, 0, step ?? 1, least, least + (step ?? 1), most, most - (step ?? 1), (least + most) / 2];
  const stepped = step === undefined ? [] : [Math.ceil(least / step) * step, (Math.floor(least / step) + 1) * step];
  const found = [...near, ...stepped].find(fits);
  if (found === undefined) throw new NoExample();
  return found;
}

function numberOf(value: Json | undefined, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}

/** `#/$defs/Name`, as Valibot's converter writes it. */
function resolve(reference: string, root: Schema): Schema {
  let found: Json | undefined = root;
  for (const part of reference.replace(/^#\/?/, "").split("/").filter(Boolean)) {
    found = isSchema(found) ? found[part.replaceAll("~1", "/").replaceAll("~0", "~")] : undefined;
  }
  if (!isSchema(found)) throw new NoExample();
  return found;
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function isSchema(value: Json | undefined): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
