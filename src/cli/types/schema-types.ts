// A JSON Schema as a TypeScript type. What TypeScript cannot say (a minimum, a pattern) is left out of it.

import { escapeControls, showControls } from "../../core/visible.ts";
import type { Json } from "../../core/record/json-value.ts";

export type JsonSchema = { readonly [key: string]: Json };

/** `refOf` gives the name of the type that a `$ref` stands for. */
export type RefOf = (ref: string) => string;

/** In one line, but for objects with fields: these have a line for each. `indent`: of the line that it begins on. */
export function typeOf(schema: Json, refOf: RefOf, indent = ""): string {
  if (schema === false) return "never";
  if (!isSchema(schema)) return "unknown";
  const { $ref: ref, const: value, enum: values, type } = schema;
  if (typeof ref === "string") return refOf(ref);
  if (value !== undefined) return literalOf(value);
  if (isList(values)) return union(values.map(literalOf));
  for (const key of ["anyOf", "oneOf"]) {
    const options = schema[key];
    if (isList(options)) return union(options.map((option) => typeOf(option, refOf, indent)));
  }
  const parts = schema["allOf"];
  if (isList(parts)) return parts.map((part) => bracketed(typeOf(part, refOf, indent))).join(" & ");
  if (isList(type)) return union(type.map((each) => typeOf({ ...schema, type: each }, refOf, indent)));
  switch (type) {
    case "string":
    case "boolean":
    case "null":
      return type;
    case "number":
    case "integer":
      return "number";
    case "array":
      return listType(schema, refOf, indent);
    case "object":
      return objectType(schema, refOf, indent);
    default:
      return isSchema(schema["properties"]) ? objectType(schema, refOf, indent) : "unknown";
  }
}

function listType({ items, prefixItems }: JsonSchema, refOf: RefOf, indent: string): string {
  const rest = items === undefined ? "unknown" : typeOf(items, refOf, indent);
  if (!isList(prefixItems)) return `${bracketed(rest)}[]`;
  const first = prefixItems.map((item) => typeOf(item, refOf, indent));
  return `[${[...first, ...(items === false || items === undefined ? [] : [`...${bracketed(rest)}[]`])].join(", ")}]`;
}

function objectType(schema: JsonSchema, refOf: RefOf, indent: string): string {
  const { properties, required, additionalProperties: more } = schema;
  const fields = isSchema(properties) ? Object.entries(properties) : [];
  const needed = new Set(isList(required) ? required : []);
  if (fields.length === 0) return more === false ? "Record<string, never>" : recordType(more, refOf, indent);
  const inner = `${indent}  `;
  const lines = fields.flatMap(([name, each]) => [
    ...commentOf(each, inner),
    `${inner}${keyOf(name)}${needed.has(name) ? "" : "?"}: ${typeOf(each, refOf, inner)};`,
  ]);
  const open = isSchema(more) && Object.keys(more).length > 0 ? ` & ${recordType(more, refOf, indent)}` : "";
  return `{\n${lines.join("\n")}\n${indent}}${open}`;
}

function recordType(of: Json | undefined, refOf: RefOf, indent: string): string {
  return `Record<string, ${of === undefined || of === true ? "unknown" : typeOf(of, refOf, indent)}>`;
}

/** A description, as a comment that no text of it can end. */
export function commentOf(schema: Json, indent: string): readonly string[] {
  const text = isSchema(schema) ? schema["description"] : undefined;
  if (typeof text !== "string" || text.trim() === "") return [];
  return [
    // an editor would show what bidirectional controls make of it
    `${indent}/** ${showControls(text.replaceAll(/[\s\p{Cc}]+/gu, " ").trim()).replaceAll("*/", "*\\/")} */`,
  ];
}

/** A name of a field as TypeScript writes it. */
export function keyOf(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : textOf(name);
}

function literalOf(value: Json): string {
  return typeof value === "object" && value !== null ? "unknown" : textOf(value);
}

/** No terminal obeys what is in it. */
function textOf(value: Json): string {
  return escapeControls(JSON.stringify(value));
}

function union(types: readonly string[]): string {
  const each = [...new Set(types)];
  if (each.includes("unknown")) return "unknown";
  return each.length === 0 ? "never" : each.map(bracketed).join(" | ");
}

/** What stands beside `&`, `|` or `[]`. */
function bracketed(type: string): string {
  return /^\w+(?:\[\])*$|^"[^"]*"$|^\{[^]*\}$/.test(type) ? type : `(${type})`;
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function isSchema(value: Json | undefined): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
