import { toJsonSchema } from "@valibot/to-json-schema";
import { expect, test } from "bun:test";
import fc from "fast-check";
import * as v from "valibot";
import { applyContract, type Schema } from "../core/flow/contract.ts";
import type { Json } from "../core/record/json-value.ts";
import { findBreach } from "./field-breach.ts";
import type { JsonSchema } from "./json-schema.ts";

function schemaOf(contract: Schema): JsonSchema {
  const options = { target: "draft-2020-12", errorMode: "ignore", typeMode: "input" } as const;
  return JSON.parse(JSON.stringify(toJsonSchema(contract, options))) as JsonSchema;
}

test.each<[JsonSchema, Json, string | undefined]>([
  [{ type: "integer", minimum: 1, maximum: 9 }, 0, "must be 1 to 9"],
  [{ type: "integer", minimum: 1, maximum: 9 }, 9, undefined],
  [{ type: "number", exclusiveMinimum: 0 }, 0, "must be more than 0"],
  [{ type: "number", exclusiveMaximum: 5 }, 5, "must be less than 5"],
  [{ type: "integer", multipleOf: 5 }, 7, "must be a multiple of 5"],
  [{ type: "string", minLength: 2 }, "x", "must have at least 2 characters"],
  [{ type: "string", maxLength: 2 }, "xxx", "must have at most 2 characters"],
  [{ type: "string", pattern: "^[A-Z]\\d$" }, "A", "must match ^[A-Z]\\d$"],
  [{ type: "string", pattern: "^[A-Z]\\d$" }, "a1", undefined],
  [{ type: "string", format: "email" }, "ada", "must be an email address"],
  [{ type: "string", format: "date" }, "2026-13-01", "must be a date: 2026-11-30"],
  [{ type: "string", format: "date-time" }, "2026-11-30T08:00", undefined],
  [{ enum: ["s", "m"] }, "l", "must be s or m"],
  [{ const: 5 }, 6, "must be 5"],
  [{ type: "string" }, 5, "must be string"],
  [{ anyOf: [{ type: "integer", minimum: 1 }, { type: "null" }] }, 0, "must be at least 1"],
  [{ anyOf: [{ type: "integer", minimum: 1 }, { type: "null" }] }, null, undefined],
  [{ allOf: [{ minimum: 1 }, { maximum: 3 }] }, 5, "must be at most 3"],
  [{ type: "array", minItems: 1 }, [], "must have at least 1 items"],
  [{}, { any: 1 }, undefined],
])("%j of %j: %p", (schema, value, breach) => {
  expect(findBreach(schema, value)).toBe(breach);
});

test("nothing is refused that its contract takes", () => {
  const contracts: readonly Schema[] = [
    v.pipe(v.string(), v.email()),
    v.pipe(v.string(), v.isoDate()),
    v.pipe(v.string(), v.isoDateTime()),
    v.pipe(v.string(), v.isoTimestamp()),
    v.pipe(v.string(), v.isoTime()),
    v.pipe(v.string(), v.url()),
    v.pipe(v.string(), v.uuid()),
    v.pipe(v.string(), v.ip()),
    v.pipe(v.string(), v.regex(/^[a-z]+$/i), v.minLength(2)),
    v.pipe(v.string(), v.startsWith("a.")),
    v.pipe(v.number(), v.integer(), v.minValue(-3), v.maxValue(7), v.multipleOf(2)),
    v.pipe(v.array(v.unknown()), v.minLength(1), v.maxLength(2)),
    v.picklist(["a", "b"]),
    v.nullable(v.union([v.boolean(), v.literal("auto")])),
    v.record(v.string(), v.number()),
  ];
  const texts = fc.oneof(
    fc.string(),
    fc.emailAddress(),
    fc.webUrl(),
    fc.uuid(),
    fc.ipV4(),
    fc.ipV6(),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.constantFrom("2026-01-31", "2026-01-31T08:00", "2026-01-31 08:00", "08:00", "a.b", "auto", "HI"),
  );
  const values = fc.oneof(texts, fc.integer({ min: -9, max: 9 }), fc.jsonValue()) as fc.Arbitrary<Json>;
  fc.assert(
    fc.property(fc.constantFrom(...contracts), values, (contract, value) => {
      if (applyContract(contract, value).ok) expect(findBreach(schemaOf(contract), value)).toBeUndefined();
    }),
    { numRuns: 2000 },
  );
});
