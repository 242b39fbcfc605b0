import { expect, test } from "bun:test";
import { listFields } from "./list-fields.ts";

const text = { type: "string" };

function briefly(schema: Parameters<typeof listFields>[0]): string[] {
  return listFields(schema).map(
    ({ path, kind, repeatable, nullable, required, partial, ...rest }) =>
      [path, kind, repeatable && "list", nullable && "null", required && "required", partial && "partial"]
        .filter(Boolean)
        .join(" ") +
      (rest.default === undefined ? "" : ` =${JSON.stringify(rest.default)}`) +
      (rest.choices ? ` of ${JSON.stringify(rest.choices)}` : "") +
      (rest.description ? ` (${rest.description})` : ""),
  );
}

test("each field is listed with what the contract says of it, objects field by field", () => {
  const schema = {
    type: "object",
    properties: {
      sku: { type: "string", description: "the article" },
      qty: { type: "integer", default: 1 },
      price: { anyOf: [{ type: "number" }, { type: "null" }] },
      gift: { type: "boolean" },
      size: { enum: ["s", "m"], type: "string" },
      tags: { type: "array", items: { enum: ["a", "b"] } },
      items: { type: "array", items: { type: "object", properties: { sku: text } } },
      address: { type: "object", properties: { zip: text, street: text }, required: ["zip"] },
      home: { anyOf: [{ type: "object", properties: { zip: text }, required: ["zip"] }, { type: "null" }] },
      stock: { type: "object", additionalProperties: { type: "integer" } },
      note: { anyOf: [{ type: "number" }, { type: "string" }] },
      any: {},
    },
    required: ["sku", "qty", "address"],
  };
  expect(briefly(schema)).toEqual([
    "sku text required (the article)",
    "qty integer =1",
    "price number null",
    "gift boolean",
    'size text of ["s","m"]',
    'tags text list of ["a","b"]',
    "items json list",
    "address.zip text required",
    "address.street text",
    "home.zip text",
    "stock.<name> integer",
    "note text",
    "any json",
  ]);
});

test("fields that only some forms of the input have are said to be so", () => {
  const form = (kind: string, field: string) => ({
    type: "object",
    properties: { kind: { const: kind }, [field]: text },
    required: ["kind", field],
  });
  expect(briefly({ oneOf: [form("card", "number"), form("bank", "iban")] })).toEqual([
    'kind text required of ["card","bank"]',
    "number text partial",
    "iban text partial",
  ]);
});

test("a contract that holds itself is listed to an end, and a part that is defined once is found", () => {
  const tree = { type: "object", properties: { name: text, left: { $ref: "#/$defs/tree" } } };
  const schema = { ...tree, properties: { root: { $ref: "#/$defs/tree" } }, $defs: { tree } };
  expect(briefly(schema)).toEqual([
    "root.name text",
    "root.left.name text",
    "root.left.left.name text",
    "root.left.left.left json",
  ]);
  expect(briefly({ properties: { a: { $ref: "#/$defs/a" } }, $defs: { a: { $ref: "#/$defs/a" } } })).toEqual([
    "a json",
  ]);
});

test("an input that takes fields of any name says so, and one that is no object lists nothing", () => {
  expect(briefly({ type: "object", additionalProperties: { type: "integer" } })).toEqual(["<name> integer"]);
  expect(briefly({ type: "array", items: text })).toEqual([]);
  expect(briefly({ type: "object" })).toEqual([]);
});
