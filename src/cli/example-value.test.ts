import { toJsonSchema } from "@valibot/to-json-schema";
import { expect, test } from "bun:test";
import * as v from "valibot";
import type { Json } from "../core/record/json-value.ts";
import { exampleOf, takesNull } from "./example-value.ts";

type JsonSchema = Readonly<Record<string, Json>>;

/** As a flow is described. */
function schemaOf(contract: v.GenericSchema): JsonSchema {
  const schema = toJsonSchema(contract, { target: "draft-2020-12", errorMode: "ignore", typeMode: "input" });
  return JSON.parse(JSON.stringify(schema)) as JsonSchema;
}

interface Tree {
  readonly name: string;
  readonly children: readonly Tree[];
}
const Tree: v.GenericSchema<Tree> = v.object({ name: v.string(), children: v.array(v.lazy(() => Tree)) });

const CONTRACTS: Readonly<Record<string, v.GenericSchema>> = {
  anything: v.any(),
  text: v.string(),
  "a short text": v.pipe(v.string(), v.maxLength(2)),
  "a long text": v.pipe(v.string(), v.minLength(30)),
  email: v.pipe(v.string(), v.email()),
  uuid: v.pipe(v.string(), v.uuid()),
  url: v.pipe(v.string(), v.url()),
  date: v.pipe(v.string(), v.isoDate()),
  timestamp: v.pipe(v.string(), v.isoTimestamp()),
  "a pattern": v.pipe(v.string(), v.regex(/^[A-Z]{3}$/)),
  "digits of a length": v.pipe(v.string(), v.regex(/^\d{4}$/)),
  number: v.number(),
  "an integer in a range": v.pipe(v.number(), v.integer(), v.minValue(7), v.maxValue(8)),
  "a number below zero": v.pipe(v.number(), v.maxValue(-3)),
  "a fraction": v.pipe(v.number(), v.gtValue(0), v.ltValue(1)),
  "a multiple": v.pipe(v.number(), v.multipleOf(25), v.minValue(60)),
  boolean: v.boolean(),
  literal: v.literal("yes"),
  picklist: v.picklist(["ship", "refund"]),
  nullable: v.nullable(v.pipe(v.string(), v.minLength(3))),
  nothing: v.null(),
  object: v.strictObject({ by: v.string(), note: v.optional(v.string()), at: v.object({ x: v.number() }) }),
  "an optional object": v.object({ note: v.optional(v.string()) }),
  "a default": v.object({ retries: v.optional(v.pipe(v.number(), v.minValue(3)), 5) }),
  array: v.array(v.string()),
  "items, some": v.pipe(v.array(v.strictObject({ sku: v.string() })), v.minLength(2)),
  tuple: v.tuple([v.string(), v.number()]),
  union: v.union([v.object({ kind: v.literal("a"), n: v.number() }), v.string()]),
  variant: v.variant("kind", [v.object({ kind: v.literal("a"), n: v.number() }), v.object({ kind: v.literal("b") })]),
  intersection: v.intersect([v.object({ a: v.number() }), v.object({ b: v.string() })]),
  record: v.record(v.string(), v.number()),
  "a tree": Tree,
};

test.each(Object.entries(CONTRACTS))("an example satisfies its contract: %s", (_what, contract) => {
  const example = exampleOf(schemaOf(contract));
  expect(example).toBeDefined();
  const { success, issues } = v.safeParse(contract, example?.value);
  expect([example?.value, success, issues?.map(({ message }) => message)]).toEqual([example?.value, true, undefined]);
});

test("whether null is taken is known of each", () => {
  for (const [what, contract] of Object.entries(CONTRACTS)) {
    expect([what, takesNull(schemaOf(contract))]).toEqual([what, v.safeParse(contract, null).success]);
  }
});

test("where none can be made, there is none", () => {
  const impossible = [
    v.pipe(v.string(), v.regex(/^(?=.*\d)order-\w+$/)),
    v.pipe(v.string(), v.minLength(1_000_000)),
    v.pipe(v.number(), v.minValue(2), v.maxValue(1)),
    v.object({ id: v.pipe(v.string(), v.regex(/^(x)\1$/)) }),
  ];
  for (const contract of impossible) expect(exampleOf(schemaOf(contract))).toBeUndefined();
  const endless = { type: "object", required: ["next"], properties: { next: { $ref: "#" } } };
  expect(exampleOf(endless)).toBeUndefined();
  expect(exampleOf({ type: "string", pattern: "(" })).toBeUndefined();
});

test("a text is made that a pattern of common parts matches", () => {
  const order = v.pipe(v.string(), v.regex(/^order-\d{4}-[a-z]{2}$/));
  expect(exampleOf(schemaOf(order))).toEqual({ value: "order-0000-aa" });
});
