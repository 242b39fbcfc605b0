// What a form reads from a JSON Schema.

import type { Json } from "../core/record/json-value.ts";

export type Schema = { readonly [key: string]: Json };

/** References that lead to references, and parts within parts, are followed no further than this. */
const DEPTH_MAX = 16;

/** Follows `$ref` within the document, and joins the objects of an `allOf`. */
export function resolve(schema: Schema, root: Schema, depth = 0): Schema {
  if (depth >= DEPTH_MAX) return {};
  const ref = schema["$ref"];
  if (typeof ref === "string") {
    const found = ref
      .replace(/^#\//, "")
      .split("/")
      .reduce<Json | undefined>((at, key) => (isSchema(at) ? at[key] : undefined), root);
    return isSchema(found) ? resolve(found, root, depth + 1) : {};
  }
  const parts = listOf(schema["allOf"]).map((part) => resolve(part, root, depth + 1));
  if (parts.length === 0 || !parts.every((part) => isSchema(part["properties"]))) return schema;
  const { allOf: _joined, ...rest } = schema;
  return {
    ...rest,
    type: "object",
    properties: Object.assign({}, ...parts.map((part) => part["properties"])) as Json,
    required: parts.flatMap((part) => (Array.isArray(part["required"]) ? (part["required"] as Json[]) : [])),
  };
}

/** The values to choose from; undefined if any value of a type may be given. */
export function choicesOf(schema: Schema): readonly Json[] | undefined {
  if (Array.isArray(schema["enum"])) return schema["enum"] as readonly Json[];
  if (schema["const"] !== undefined) return [schema["const"]];
  if (schema["type"] === "boolean") return [true, false];
  if (schema["type"] === "null") return [null];
  const either = eitherOf(schema);
  const values = either.map((each) => choicesOf(each));
  return either.length > 0 && values.every((each) => each !== undefined) ? values.flat() : undefined;
}

/** The forms that a value may have; none if there is only one. */
export function alternativesOf(schema: Schema, root: Schema): readonly Schema[] {
  const either = eitherOf(schema).map((each) => resolve(each, root));
  return either.length > 1 ? either : [];
}

/** The only form of a value that is written as a choice of one. */
export function onlyOf(schema: Schema): Schema | undefined {
  const either = eitherOf(schema);
  return either.length === 1 ? either[0] : undefined;
}

/** A few words that tell an alternative from the others. */
export function wordsOf(schema: Schema): string {
  if (typeof schema["title"] === "string") return schema["title"];
  const choices = choicesOf(schema);
  if (choices?.length === 1) return textOf(choices[0] ?? null);
  const properties = schema["properties"];
  if (isSchema(properties)) {
    // by a member with a fixed value, as most unions of objects have one
    for (const [name, each] of Object.entries(properties)) {
      if (isSchema(each) && each["const"] !== undefined) return `${name} ${textOf(each["const"])}`;
    }
    const names = Object.keys(properties);
    return names.length === 0 ? "object" : `with ${names.slice(0, 3).join(", ")}${names.length > 3 ? " …" : ""}`;
  }
  const words: Readonly<Record<string, string>> = { string: "text", integer: "number", array: "list" };
  const type = schema["type"];
  return typeof type === "string" ? (words[type] ?? type) : "JSON";
}

/** The bounds of a value, for people. */
export function boundsOf(schema: Schema): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, format, pattern } = schema;
  const { minLength, maxLength, minItems, maxItems } = schema;
  const parts = [
    isBound(minimum) && `from ${minimum}`,
    isBound(exclusiveMinimum) && `more than ${exclusiveMinimum}`,
    isBound(maximum) && `to ${maximum}`,
    isBound(exclusiveMaximum) && `less than ${exclusiveMaximum}`,
    isBound(multipleOf) && multipleOf !== 1 && `a multiple of ${multipleOf}`,
    isBound(minLength) && minLength > 0 && `${minLength} characters or more`,
    isBound(maxLength) && `${maxLength} characters at most`,
    isBound(minItems) && minItems > 0 && `${minItems} or more`,
    isBound(maxItems) && `${maxItems} at most`,
    typeof format === "string" && format,
    typeof pattern === "string" && format === undefined && `like ${pattern}`,
  ];
  return parts.filter((part) => part !== false).join(", ");
}

export function textOf(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

export function isSchema(value: Json | undefined): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A number as JSON writes it. Anything else is sent as text, and the server says what is wrong with this field. */
export function isNumberText(text: string): boolean {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text);
}

export function isJsonText(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function eitherOf(schema: Schema): readonly Schema[] {
  const any = listOf(schema["anyOf"]);
  return any.length > 0 ? any : listOf(schema["oneOf"]);
}

function listOf(value: Json | undefined): readonly Schema[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter((each) => isSchema(each)) : [];
}

/** Whether a bound is worth showing: the bounds of safe integers are not. */
function isBound(value: Json | undefined): value is number {
  return typeof value === "number" && Math.abs(value) < 2 ** 53 - 1;
}
