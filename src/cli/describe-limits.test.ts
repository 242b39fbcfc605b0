import { expect, test } from "bun:test";
import { describeLimits } from "./describe-limits.ts";
import type { JsonSchema } from "./json-schema.ts";

test("bounds, lengths, formats and patterns are said in words", () => {
  for (const [schema, said] of [
    [{ type: "integer", minimum: 1, maximum: 20 }, ["1 to 20"]],
    [{ minimum: 1 }, ["at least 1"]],
    [{ maximum: -1 }, ["at most -1"]],
    [{ minimum: 0, maximum: 0 }, ["exactly 0"]],
    [{ exclusiveMinimum: 0, exclusiveMaximum: 1 }, ["more than 0 and less than 1"]],
    [{ multipleOf: 5 }, ["a multiple of 5"]],
    [{ minLength: 2, maxLength: 10 }, ["2 to 10 characters"]],
    [{ minLength: 1 }, ["at least 1 character"]],
    [{ minLength: 0 }, []],
    [{ minItems: 1, maxItems: 3 }, ["1 to 3 items"]],
    [{ format: "email" }, ["an email address"]],
    [{ format: "of-ours" }, ["of-ours"]],
    [{ pattern: "^[A-Z]+$" }, ["matches ^[A-Z]+$"]],
    [{ type: "string" }, []],
  ] as readonly (readonly [JsonSchema, readonly string[]])[])
    expect([schema, describeLimits(schema)]).toEqual([schema, said]);
});

test("that any safe integer is taken goes without saying", () => {
  const minimum = Number.MIN_SAFE_INTEGER;
  expect(describeLimits({ type: "integer", minimum, maximum: Number.MAX_SAFE_INTEGER })).toEqual([]);
  expect(describeLimits({ type: "integer", minimum, maximum: 5 })).toEqual(["at most 5"]);
});

test("the bounds of parts that are all to be kept count, and those of the only form that is no null", () => {
  expect(describeLimits({ allOf: [{ minimum: 1 }, { multipleOf: 2 }] })).toEqual(["at least 1", "a multiple of 2"]);
  expect(describeLimits({ anyOf: [{ type: "number", minimum: 1 }, { type: "null" }] })).toEqual(["at least 1"]);
  expect(
    describeLimits({
      anyOf: [
        { minimum: 1, type: "number" },
        { maxLength: 2, type: "string" },
      ],
    }),
  ).toEqual([]);
});
