// Checks a value against a JSON Schema, for a prompt without the contract. It refuses only what every contract with this
// schema refuses: a schema says less than its contract, and the contract decides in the end.

import type { Json } from "../core/record/json-value.ts";
import { describeLimits } from "./describe-limits.ts";
import { type JsonSchema, optionsOf, schemasUnder, typeOfJson, typesOf, wordsOf } from "./json-schema.ts";

/** Undefined if nothing is wrong. It does not look into lists and objects. */
export function findBreach(schema: JsonSchema, value: Json): string | undefined {
  const words = wordsOf(schema);
  if (words && !words.some((word) => JSON.stringify(word) === JSON.stringify(value)))
    return `must be ${words.map(showWord).join(" or ")}`;
  const types = typesOf(schema);
  if (!hasType(types, value)) return `must be ${types.join(" or ")}`;
  for (const part of schemasUnder(schema, "allOf")) {
    const breach = findBreach(part, value);
    if (breach !== undefined) return breach;
  }
  const breaches = optionsOf(schema).map((option) => findBreach(option, value));
  if (breaches.length > 0 && breaches.every((breach) => breach !== undefined))
    return breachOfTyped(optionsOf(schema), value) ?? breaches[0];
  if (typeof value === "number") return breachOfNumber(schema, value);
  if (typeof value === "string") return breachOfText(schema, value);
  return Array.isArray(value) ? breachOfCount(schema, value.length, "Items", "items") : undefined;
}

/** If there are several options, the one that takes values of this type explains best what is wrong. */
function breachOfTyped(options: readonly JsonSchema[], value: Json): string | undefined {
  const fitting = options.find((option) => hasType(typesOf(option), value));
  return fitting && findBreach(fitting, value);
}

function hasType(types: readonly string[], value: Json): boolean {
  if (types.length === 0 || types.includes(typeOfJson(value))) return true;
  return types.includes("integer") && Number.isInteger(value);
}

function breachOfNumber(schema: JsonSchema, value: number): string | undefined {
  const isBelow =
    value < limitOf(schema, "minimum", -Infinity) || value <= limitOf(schema, "exclusiveMinimum", -Infinity);
  const isAbove =
    value > limitOf(schema, "maximum", Infinity) || value >= limitOf(schema, "exclusiveMaximum", Infinity);
  if (isBelow || isAbove) return `must be ${rangeOf(schema)}`;
  const step = limitOf(schema, "multipleOf", 0);
  // the remainder of fractions is not exact
  return step >= 1 && Number.isInteger(step) && value % step !== 0 ? `must be a multiple of ${step}` : undefined;
}

/** `1 to 9`, in the words of the help. */
function rangeOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  const bounds = Object.entries({ minimum, maximum, exclusiveMinimum, exclusiveMaximum });
  return describeLimits(Object.fromEntries(bounds.filter(([, bound]) => bound !== undefined)) as JsonSchema).join(
    " and ",
  );
}

function breachOfText(schema: JsonSchema, value: string): string | undefined {
  const breach = breachOfCount(schema, value.length, "Length", "characters");
  if (breach !== undefined) return breach;
  const { pattern, format } = schema;
  if (typeof pattern === "string" && !matches(pattern, value)) return `must match ${pattern}`;
  const form = typeof format === "string" ? FORMATS.get(format) : undefined;
  return form && !form.test(value) ? `must be ${describeLimits({ format: format ?? "" }).join("")}` : undefined;
}

/** A schema does not contain the flags of its pattern, so a text passes if it matches with any flags. */
function matches(pattern: string, value: string): boolean {
  return ["", "u", "i", "iu", "s", "m"].some((flags) => {
    try {
      return new RegExp(pattern, flags).test(value);
    } catch {
      return flags === "m"; // no pattern that this runtime knows
    }
  });
}

/** Looser than every contract: some contracts accept times without seconds, or addresses that others refuse. */
const FORMATS: ReadonlyMap<string, RegExp> = new Map([
  ["email", /^\S+@\S+$/],
  ["date", /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/],
  ["date-time", /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/i],
  ["time", /^\d\d:\d\d/],
  ["uri", /^[a-z][\w+.-]*:/i],
  ["uuid", /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i],
  ["ipv4", /^\d{1,3}(?:\.\d{1,3}){3}$/],
  ["ipv6", /^[\da-f:.%]*:[\w:.%]*$/i],
]);

function breachOfCount(schema: JsonSchema, count: number, of: string, unit: string): string | undefined {
  const [min, max] = [limitOf(schema, `min${of}`, 0), limitOf(schema, `max${of}`, Infinity)];
  if (count < min) return `must have at least ${min} ${unit}`;
  return count > max ? `must have at most ${max} ${unit}` : undefined;
}

function limitOf(schema: JsonSchema, name: string, otherwise: number): number {
  const limit = schema[name];
  return typeof limit === "number" ? limit : otherwise;
}

function showWord(word: Json): string {
  return typeof word === "string" ? word : JSON.stringify(word);
}
