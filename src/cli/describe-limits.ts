// What a JSON Schema says of the values that it takes, in words for the help.

import { optionsOf, type JsonSchema, schemasUnder, typesOf } from "./json-schema.ts";

/** What to type for the formats that contracts have. */
const FORMATS: Readonly<Record<string, string>> = {
  email: "an email address",
  date: "a date: 2026-11-30",
  "date-time": "a time: 2026-11-30T08:00:00Z",
  time: "a time of day: 08:00",
  uri: "a URL",
  uuid: "a UUID",
  ipv4: "an IPv4 address",
  ipv6: "an IPv6 address",
};

/** `1 to 20`, `at least 2 characters`, `matches ^[A-Z]+$`: as far as the schema says so on its face. */
export function describeLimits(schema: JsonSchema): readonly string[] {
  const { multipleOf, format, pattern } = schema;
  const number = (key: string): number | undefined => (typeof schema[key] === "number" ? schema[key] : undefined);
  const lengths = describeRange(number("minLength"), number("maxLength"), "character");
  const own = [
    describeRange(number("minimum"), number("maximum")),
    describeExclusive(number("exclusiveMinimum"), number("exclusiveMaximum")),
    typeof multipleOf === "number" ? `a multiple of ${multipleOf}` : undefined,
    lengths,
    describeRange(number("minItems"), number("maxItems"), "item"),
    typeof format === "string" ? (FORMATS[format] ?? format) : undefined,
    typeof pattern === "string" ? `matches ${pattern}` : undefined,
  ];
  return [...own.filter((each) => each !== undefined), ...describeLimitsBelow(schema)];
}

/** Looks into every schema of `allOf`, and into the only option that is not null. */
function describeLimitsBelow(schema: JsonSchema): readonly string[] {
  const options = optionsOf(schema).filter((option) => !typesOf(option).every((type) => type === "null"));
  const [only] = options;
  const parts = [...schemasUnder(schema, "allOf"), ...(only && options.length === 1 ? [only] : [])];
  return parts.flatMap(describeLimits);
}

function describeRange(min: number | undefined, max: number | undefined, unit?: string): string | undefined {
  const of = (count: number): string => (unit === undefined ? "" : ` ${unit}${count === 1 ? "" : "s"}`);
  // JSON Schema says of an integer that any is taken in this way
  const low = min === Number.MIN_SAFE_INTEGER || (unit !== undefined && min === 0) ? undefined : min;
  const high = max === Number.MAX_SAFE_INTEGER ? undefined : max;
  if (low !== undefined && high !== undefined)
    return low === high ? `exactly ${low}${of(low)}` : `${low} to ${high}${of(high)}`;
  if (low !== undefined) return `at least ${low}${of(low)}`;
  return high === undefined ? undefined : `at most ${high}${of(high)}`;
}

function describeExclusive(over: number | undefined, under: number | undefined): string | undefined {
  const parts = [
    over === undefined ? [] : [`more than ${over}`],
    under === undefined ? [] : [`less than ${under}`],
  ].flat();
  return parts.length === 0 ? undefined : parts.join(" and ");
}
