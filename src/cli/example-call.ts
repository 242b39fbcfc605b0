// The words of a call that gives an input: `--sku A1 --qty 2`, for the examples of the help.

import type { Json } from "../core/record/json-value.ts";
import type { Option } from "./option.ts";
import { flagOf } from "./field-rows.ts";

/** Unquoted words, for a command with these options. An input that is not an object is given as a whole. */
export function wordsOfInput(input: Json, options: readonly Option[]): readonly string[] {
  return isObject(input) ? wordsWithin(input, "", options) : ["--input", JSON.stringify(input)];
}

function wordsWithin(fields: JsonObject, above: string, options: readonly Option[]): readonly string[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    const path = `${above}${name}`;
    if (isObject(value) && Object.keys(value).length > 0) return wordsWithin(value, `${path}.`, options);
    const flag = flagOf(path, options);
    if (typeof value === "boolean") return [value ? `--${flag}` : `--no-${flag}`];
    const text = typeof value === "string" ? value : JSON.stringify(value);
    // a value that looks like an option could be read as one
    return text.startsWith("--") ? [`--${flag}=${text}`] : [`--${flag}`, text];
  });
}

type JsonObject = { readonly [key: string]: Json };

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
