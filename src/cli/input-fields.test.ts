import { describe, expect, test } from "bun:test";
import type { TaskonautError } from "../core/errors.ts";
import fc from "fast-check";
import type { Json } from "../core/record/json-value.ts";
import type { FlowDescription } from "../core/api/taskonaut.ts";
import { readField, readFields } from "./input-fields.ts";
import { formOf } from "./input-form.ts";
import { ECHO_ADD } from "../../test/support/fake-flows.ts";
import type { JsonSchema } from "./json-schema.ts";

const flow: FlowDescription = {
  ...ECHO_ADD,
  name: "checkout",
  form: "run",
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

const OPTIONS = [{ name: "mode", value: "mode", summary: "" }];

function read(fields: Record<string, string>, description = flow) {
  return readFields(description, Object.entries(fields), OPTIONS);
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

describe("an order", () => {
  const address = {
    type: "object",
    properties: { zip: { type: "string" }, street: { type: "string" }, isHome: { type: "boolean" } },
    required: ["zip"],
  };
  const order: FlowDescription = {
    ...flow,
    name: "order",
    input_schema: {
      type: "object",
      properties: {
        gift: { type: "boolean" },
        wrapped: { anyOf: [{ type: "boolean" }, { type: "null" }] },
        tags: { type: "array", items: { type: "string" } },
        sizes: { type: "array", items: { type: "integer" } },
        notes: { anyOf: [{ type: "array", items: { type: "string" } }, { type: "null" }] },
        either: { anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }] },
        id: { anyOf: [{ type: "integer" }, { type: "string" }] },
        matrix: { type: "array", items: { type: "array", items: { type: "integer" } } },
        pair: { type: "array", prefixItems: [{ type: "string" }, { type: "integer" }], items: false },
        items: {
          type: "array",
          items: { type: "object", properties: { sku: { type: "string" }, qty: { type: "integer" } } },
        },
        address,
        home: { anyOf: [address, { type: "null" }] },
        later: { $ref: "#/$defs/0" },
        stock: { type: "object", additionalProperties: { type: "integer" } },
        mode: { type: "string" },
        "no-frills": { type: "boolean" },
        "a.b": { type: "string" },
      },
      additionalProperties: false,
      $defs: { 0: { type: "array", items: { $ref: "#/$defs/1" } }, 1: address },
    },
  };

  /** `--gift`, `--tags=a`, as they are typed. */
  function give(...words: string[]): unknown {
    const tokens = words.map((word) => {
      const [typed = "", ...text] = word.replace(/^--/, "").split("=");
      return [typed, text.length === 0 ? undefined : text.join("=")] as const;
    });
    return readFields(order, tokens, OPTIONS);
  }

  function refused(...words: string[]): string[] {
    try {
      return [`taken: ${JSON.stringify(give(...words))}`];
    } catch (error) {
      const { message, errors } = error as TaskonautError;
      return errors.length === 0 ? [message] : errors.map((each) => `${each.path}: ${each.message}`);
    }
  }

  test.each<[string[], unknown]>([
    [["--gift"], { gift: true }],
    [["--no-gift"], { gift: false }],
    [["--gift=false"], { gift: false }],
    [["--wrapped"], { wrapped: true }],
    [["--no-wrapped"], { wrapped: false }],
    [["--wrapped=null"], { wrapped: null }],
    [["--no-frills"], { "no-frills": true }],
    [["--no-no-frills"], { "no-frills": false }],
    [["--tags=a", "--tags=b"], { tags: ["a", "b"] }],
    [["--tags=a"], { tags: ["a"] }],
    [["--tags="], { tags: [""] }],
    [["--tags=007", "--tags=null"], { tags: ["007", "null"] }],
    [["--tags=[]"], { tags: [] }],
    [['--tags= ["a","[b]"]'], { tags: ["a", "[b]"] }],
    [["--tags.0=[b]", "--tags.1=null"], { tags: ["[b]", "null"] }],
    [["--tags.1=b", "--tags.0=a"], { tags: ["a", "b"] }],
    [["--sizes=1", "--sizes=-2"], { sizes: [1, -2] }],
    [["--notes=null"], { notes: null }],
    [["--notes=a"], { notes: ["a"] }],
    [["--either=a"], { either: "a" }],
    [['--either=["a"]'], { either: ["a"] }],
    [["--either=a", "--either=b"], { either: ["a", "b"] }],
    [["--id=5"], { id: 5 }],
    [["--id=5a"], { id: "5a" }],
    [["--matrix=[[1],[2]]"], { matrix: [[1], [2]] }],
    [["--matrix=[1]", "--matrix=[2]"], { matrix: [[1], [2]] }],
    [["--matrix.0=[1]"], { matrix: [[1]] }],
    [["--matrix.0.0=1", "--matrix.0.1=2"], { matrix: [[1, 2]] }],
    [["--pair=007", "--pair=7"], { pair: ["007", 7] }],
    [["--pair.0=007", "--pair.1=7"], { pair: ["007", 7] }],
    [['--items={"sku":"A"}', '--items={"sku":"B"}'], { items: [{ sku: "A" }, { sku: "B" }] }],
    [["--items.0.sku=007", "--items.0.qty=2", "--items.1.sku=B"], { items: [{ sku: "007", qty: 2 }, { sku: "B" }] }],
    [["--address.zip=007", "--address.isHome"], { address: { zip: "007", isHome: true } }],
    [["--no-address.isHome"], { address: { isHome: false } }],
    [['--address={"zip":"1"}'], { address: { zip: "1" } }],
    [["--home.zip=007"], { home: { zip: "007" } }],
    [["--home=null"], { home: null }],
    [["--later.0.zip=007"], { later: [{ zip: "007" }] }],
    [["--stock.A1=5", "--stock.__proto__=6"], { stock: JSON.parse('{"A1":5,"__proto__":6}') }],
    [["--input.mode=fast"], { mode: "fast" }],
    [["--input.address.zip=1"], { address: { zip: "1" } }],
    [["--a.b=c"], { "a.b": "c" }],
  ])("%j", (words, expected) => {
    expect(give(...words)).toEqual(expected);
  });

  test.each<[string[], string[]]>([
    [["--gift=yes"], ['--gift: expected true or false, got "yes"']],
    [["--no-gift=true"], ["--no-gift: takes no value; write --gift=true"]],
    [["--gift", "--no-gift"], ["--no-gift: given more than once"]],
    [["--tags"], ["--tags: a value is missing"]],
    [["--tags=a", "--tags"], ["--tags: a value is missing"]],
    [["--address"], ["--address: a value is missing"]],
    [["--no-tags"], ["--no-tags: only fields that are true or false have a --no- form, and --tags is none"]],
    [["--tags=[a"], ['--tags: expected JSON, got "[a"']],
    [
      ['--tags=["a"]', "--tags=b"],
      ['--tags: "[\\"a\\"]" is not a valid item: give the whole list once, or its items one by one'],
    ],
    [
      ["--notes=a", "--notes=null"],
      ['--notes: "null" is not a valid item: give the whole list once, or its items one by one'],
    ],
    [["--sizes=1", "--sizes=x"], ['--sizes: expected an integer, got "x"']],
    [["--address.zip=1", "--address.zip=2"], ["--address.zip: given more than once"]],
    [["--address.zip=1", "--address={}"], ["--address.zip: contradicts --address: give the whole or its parts"]],
    [["--tags.1=b"], ["--tags.1: --tags.0 is missing: the places of a list count from 0"]],
    [
      ["--items.0.sku=a", "--items.2.sku=b"],
      ["--items.2.sku: --items.1 is missing: the places of a list count from 0"],
    ],
    [["--pair.2=x"], ["--pair.2: flow order has no such field; did you mean --pair?"]],
    [["--adress.zip=1"], ["--adress.zip: flow order has no such field; did you mean --address.zip?"]],
    [["--address.zip.x=1"], ["--address.zip.x: flow order has no such field; did you mean --address.zip?"]],
    [["--no-gifts"], ["--no-gifts: flow order has no such field; did you mean --no-gift?"]],
    [
      ["--gift=yes", "--txgs=a", "--sizes=x", "--address.zip=1", "--address={}"],
      [
        '--gift: expected true or false, got "yes"',
        "--txgs: flow order has no such field; did you mean --tags?",
        '--sizes: expected an integer, got "x"',
        "--address.zip: contradicts --address: give the whole or its parts",
      ],
    ],
  ])("%j is refused", (words, problems) => {
    expect(refused(...words)).toEqual(problems);
  });
});
