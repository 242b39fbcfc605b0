import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { applyContract, type Schema } from "./contract.ts";

const order = v.strictObject({
  sku: v.string("must be a string"),
  count: v.optional(v.pipe(v.number(), v.integer("must be an integer")), 1),
  items: v.optional(v.array(v.strictObject({ cents: v.number() })), []),
});

const violations = (schema: Schema, value: unknown): readonly string[] => {
  const result = applyContract(schema, value);
  return result.ok ? [] : result.errors.map(({ path, message }) => `${path}: ${message}`);
};

describe("a contract", () => {
  test("gives what the schema makes of the value, defaults filled in", () => {
    expect(applyContract(order, { sku: "a" })).toEqual({ ok: true, value: { sku: "a", count: 1, items: [] } });
  });

  test("tells every violation at once, each with its path", () => {
    expect(violations(order, { count: 2.5, items: [{ cents: 1 }, { cents: "2" }], more: 1 })).toEqual([
      "sku: required",
      "count: must be an integer",
      'items.1.cents: invalid type: Expected number but received "2"',
      "more: unknown field",
    ]);
  });

  test("speaks of the whole value where that has the wrong type", () => {
    expect(violations(order, 5)).toEqual([": invalid type: Expected Object but received 5"]);
    expect(violations(order, undefined)).toEqual([": required"]);
  });

  test("coerces nothing", () => {
    expect(violations(v.object({ n: v.number("a number") }), { n: "2" })).toEqual(["n: a number"]);
    expect(violations(v.object({ n: v.number("a number") }), { n: true })).toEqual(["n: a number"]);
  });
});
