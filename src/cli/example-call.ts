// The words of a call that gives an input: `--sku A1 --qty 2`, for the examples of the help.

import type { Json } from "../core/record/json-value.ts";

/** Unquoted. An input that is no object is given whole. */
export function wordsOfInput(input: Json): readonly string[] {
  return isObject(input) ? wordsWithin(input, "") : ["--input", JSON.stringify(input)];
}

function wordsWithin(fields: JsonObject, path: string): readonly string[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    const at = `${path}${name}`;
    if (isObject(value) && Object.keys(value).length > 0) return wordsWithin(value, `${at}.`);
    if (typeof value === "boolean") return [value ? `--${at}` : `--no-${at}`];
    return [`--${at}`, typeof value === "string" ? value : JSON.stringify(value)];
  });
}

type JsonObject = { readonly [key: string]: Json };

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
