// Reads what a JSON Schema says directly. The schemas are those of contracts, from a flow's description. Only the contract
// itself decides whether a value fits.

import type { Json } from "../core/record/json-value.ts";

export type JsonSchema = { readonly [key: string]: Json };

export function isSchema(value: Json | undefined): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * A schema inside another one. It gets the definitions (`$defs`) of the whole, and a reference is replaced by what it names.
 * Anything that is not a schema counts as a schema that takes every value.
 */
export function schemaWithin(parent: JsonSchema, child: Json | undefined): JsonSchema {
  const defs = parent["$defs"];
  let schema = isSchema(child) ? child : {};
  // a reference may name a reference, and one that leads back to itself says nothing
  for (let hops = 0; "$ref" in schema && hops < HOPS_MAX; hops++) {
    const { $ref, ...beside } = schema;
    const name = typeof $ref === "string" ? $ref.replace(/^#\/(?:\$defs|definitions)\//, "") : "";
    const target = isSchema(defs) && Object.hasOwn(defs, name) ? defs[name] : {};
    schema = { ...(isSchema(target) ? target : {}), ...beside };
  }
  return defs === undefined || "$defs" in schema ? schema : { ...schema, $defs: defs };
}

const HOPS_MAX = 16;

/** Those that stand in a list under `key`. */
export function schemasUnder(schema: JsonSchema, key: "allOf" | "anyOf" | "oneOf"): readonly JsonSchema[] {
  const members = schema[key];
  return Array.isArray(members)
    ? members.filter((each: Json) => isSchema(each)).map((each: Json) => schemaWithin(schema, each))
    : [];
}

/** The options of a schema of which one must fit. */
export function optionsOf(schema: JsonSchema): readonly JsonSchema[] {
  return [...schemasUnder(schema, "anyOf"), ...schemasUnder(schema, "oneOf")];
}

/** The JSON types that a schema names directly. None: it may take any. */
export function typesOf(schema: JsonSchema): readonly string[] {
  const { type } = schema;
  if (typeof type === "string") return [type];
  if (Array.isArray(type)) return type.filter((each) => typeof each === "string");
  if ("anyOf" in schema || "oneOf" in schema) return [...new Set(optionsOf(schema).flatMap(typesOf))];
  const words = wordsOf(schema);
  if (words) return [...new Set(words.map(typeOfJson))];
  return (
    schemasUnder(schema, "allOf")
      .map(typesOf)
      .find((types) => types.length > 0) ?? []
  );
}

/** The values that a schema lists, where it lists them. */
export function wordsOf(schema: JsonSchema): readonly Json[] | undefined {
  if ("const" in schema) return [schema["const"] ?? null];
  const words = schema["enum"];
  return Array.isArray(words) ? words.map((word: Json) => word) : undefined;
}

/** Whole numbers count as numbers. */
export function typeOfJson(value: Json): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

/** The schema of an item of its lists. Undefined if it takes no list, or none that long. */
export function itemOf(schema: JsonSchema, place: number): JsonSchema | undefined {
  const { items, prefixItems } = schema;
  const places: readonly Json[] = Array.isArray(prefixItems) ? prefixItems : Array.isArray(items) ? items : [];
  if (place < places.length) return schemaWithin(schema, places[place]);
  if (isSchema(items)) return schemaWithin(schema, items);
  for (const part of [...optionsOf(schema), ...schemasUnder(schema, "allOf")]) {
    const item = itemOf(part, place);
    if (item) return item;
  }
  return typesOf(schema).includes("array") && places.length === 0 ? {} : undefined;
}
