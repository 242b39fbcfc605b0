import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Json } from "../core/record/json-value.ts";
import type { FlowDescription } from "../core/api/taskonaut.ts";
import { readField, readFields } from "./input-fields.ts";
import { formOf } from "./input-form.ts";
import type { JsonSchema } from "./json-schema.ts";

const flow: FlowDescription = {
  name: "checkout",
  description: "",
  form: "run",
  file: null,
  concurrency: null,
  input_schema: {
    type: "object",
    properties: {
      text: { type: "string" },
      n: { type: "integer" },
      ratio: { type: "number" },
      urgent: { type: "boolean" },
      items: { type: "array" },
      note: { anyOf: [{ type: "string" }, { type: "null" }] },
    },
    additionalProperties: false,
  },
  signals: {},
};

function read(fields: Record<string, string>, description = flow) {
  return readFields(description, new Map(Object.entries(fields)), [{ name: "mode", value: "mode", summary: "" }]);
}

test("each field is read as its schema says", () => {
  expect(read({ text: "007", n: "-007", ratio: "2.50", urgent: "true", items: '[1,"2"]', note: "null" })).toEqual({
    text: "007",
    n: -7,
    ratio: 2.5,
    urgent: true,
    items: [1, "2"],
    note: null,
  });
});

test("a string among other types is a string unless it reads as one of them", () => {
  for (const text of ["", "5", "true", '"x"', "null ", "nul"])
    expect(read({ note: text })).toEqual({ note: text === "null " ? null : text });
});

test("every safe integer arrives, and no text becomes another number", () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (n) => {
      expect(readField({ type: "integer" }, String(n))).toEqual({ ok: true, value: n });
    }),
  );
  for (const text of [
    "",
    " 1",
    "1 ",
    "1.0",
    "1e3",
    "0x10",
    "+1",
    "1_000",
    "--help",
    "9007199254740992",
    "-9007199254740993",
    "NaN",
    "Infinity",
  ]) {
    expect(readField({ type: "integer" }, text)).toMatchObject({ ok: false });
  }
  for (const text of ["", "1.", ".5", "1e400", "9007199254740993", "1.00000000000000000001", "NaN", "Infinity"]) {
    expect(readField({ type: "number" }, text)).toMatchObject({ ok: false });
  }
});

test("every violation is told at once, with the option it came from", () => {
  let thrown: unknown;
  try {
    read({ n: "abc", urgent: "yes", items: "[", txt: "x", mod: "run" });
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({
    code: "usage",
    errors: [
      { path: "--n", message: 'expected an integer, got "abc"' },
      { path: "--urgent", message: 'expected true or false, got "yes"' },
      { path: "--items", message: 'expected JSON, got "["' },
      { path: "--txt", message: "flow checkout has no such field; did you mean --text?" },
      { path: "--mod", message: "flow checkout has no such field; did you mean --mode?" },
    ],
  });
});

test("a flow that takes any field gets any field", () => {
  const open = { ...flow, input_schema: { type: "object", additionalProperties: { type: "integer" } } };
  expect(read({ anything: "5", ["__proto__"]: "6" }, open)).toEqual(
    JSON.parse('{"anything":5,"__proto__":6}') as Record<string, Json>,
  );
});

describe("an input of several forms", () => {
  const card = {
    type: "object",
    properties: { kind: { const: "card" }, number: { type: "string" }, cents: { type: "integer" } },
    required: ["kind", "number", "cents"],
  };
  const bank = {
    type: "object",
    properties: {
      kind: { const: "bank" },
      iban: { type: "string" },
      cents: { type: "number" },
      urgent: { type: "boolean" },
    },
    required: ["kind", "iban", "cents"],
  };
  const base = { type: "object", properties: { note: { type: "string" } }, required: ["note"] };

  test.each<[string, JsonSchema]>([
    ["a variant", { oneOf: [card, bank] }],
    ["a union", { anyOf: [card, bank, { type: "null" }] }],
    ["an intersection", { allOf: [base, { oneOf: [card, bank] }] }],
  ])("takes the fields of all of them: %s", (what, input_schema) => {
    const several = { ...flow, input_schema };
    expect(read({ kind: "card", number: "007", cents: "5" }, several)).toEqual({
      kind: "card",
      number: "007",
      cents: 5,
    });
    expect(read({ kind: "bank", iban: "DE1", urgent: "true" }, several)).toEqual({
      kind: "bank",
      iban: "DE1",
      urgent: true,
    });
    expect(() => read({ zzzzzzzz: "1" }, several)).toThrow(
      "--zzzzzzzz: flow checkout has no such field; its fields are ",
    );
    const { required, partial, fields } = formOf(input_schema);
    expect([...required].toSorted()).toEqual(
      what === "an intersection" ? ["cents", "kind", "note"] : ["cents", "kind"],
    );
    expect([...partial].toSorted()).toEqual(["iban", "number", "urgent"]);
    expect(fields.get("kind")).toEqual({ enum: ["card", "bank"] });
  });

  test("none of which is an object points to --input", () => {
    const list = { ...flow, input_schema: { anyOf: [{ type: "array" }, { type: "string" }] } };
    expect(() => read({ kind: "a" }, list)).toThrow(
      "--kind: flow checkout has no such field; give the whole input with --input",
    );
  });
});
