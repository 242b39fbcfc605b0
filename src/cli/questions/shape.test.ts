import { toJsonSchema } from "@valibot/to-json-schema";
import { expect, test } from "bun:test";
import * as v from "valibot";
import type { Schema } from "../../core/flow/contract.ts";
import { type JsonSchema, schemaWithin } from "../json-schema.ts";
import { describeVariant, shapeOf } from "./shape.ts";

/** As a flow's description has it. */
function schemaOf(contract: Schema): JsonSchema {
  const options = { target: "draft-2020-12", errorMode: "ignore", typeMode: "input" } as const;
  const schema = JSON.parse(JSON.stringify(toJsonSchema(contract, options))) as JsonSchema;
  return schemaWithin(schema, schema);
}

interface Node {
  readonly next?: Node | undefined;
}
const Node: v.GenericSchema<Node> = v.object({ next: v.optional(v.lazy(() => Node)) });

const Card = v.object({ kind: v.literal("card"), number: v.string() });
const Cash = v.object({ kind: v.literal("cash") });

test.each<[Schema, string]>([
  [v.string(), "text"],
  [v.nullable(v.number()), "text or null"],
  [v.union([v.string(), v.number()]), "text"],
  [v.unknown(), "text"],
  [v.boolean(), "yes-no"],
  [v.nullable(v.boolean()), "yes-no or null"],
  [v.picklist(["s", "m"]), "words"],
  [v.nullable(v.picklist(["s", "m"])), "words or null"],
  [v.union([v.literal("s"), v.literal(5), v.null()]), "words or null"],
  [v.object({}), "object"],
  [v.record(v.string(), v.number()), "object"],
  [v.nullable(v.object({ a: v.string() })), "object or null"],
  [v.intersect([v.object({ a: v.string() }), v.object({ b: v.string() })]), "object"],
  [v.lazy(() => Node), "object"],
  [v.array(v.string()), "list"],
  [v.tuple([v.string(), v.number()]), "list"],
  [v.variant("kind", [Card, Cash]), "variants"],
  [v.nullable(v.union([v.string(), v.object({ a: v.string() })])), "variants or null"],
])("a value is asked for by its shape (%#)", (contract, expected) => {
  const { kind, takesNull } = shapeOf(schemaOf(contract));
  expect(`${kind}${takesNull ? " or null" : ""}`).toBe(expected);
});

test("only what no text can be is read as JSON", () => {
  const isJson = (contract: Schema): unknown => {
    const shape = shapeOf(schemaOf(contract));
    return shape.kind === "text" && shape.isJson;
  };
  expect([v.unknown(), v.string(), v.union([v.string(), v.number()])].map(isJson)).toEqual([true, false, false]);
});

test("a form is told by what only it has, or by its fields", () => {
  const labels = [Card, Cash, v.object({ zip: v.string(), city: v.string() }), v.array(v.string()), v.number()];
  expect(labels.map((each) => describeVariant(schemaOf(each)))).toEqual([
    { label: "kind: card", hint: "kind, number" },
    { label: "kind: cash", hint: "kind" },
    { label: "zip, city" },
    { label: "a list" },
    { label: "a number" },
  ]);
});
