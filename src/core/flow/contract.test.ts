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
      'items.1.cents: expected a number, got "2"',
      "more: unknown field",
    ]);
  });

  test("speaks of the whole value where that has the wrong type", () => {
    expect(violations(order, 5)).toEqual([": expected an object, got 5"]);
    expect(violations(order, undefined)).toEqual([": required"]);
  });

  test("that throws is violated, with the message of what it threw", () => {
    const fail = (thrown: unknown) => () => {
      throw thrown;
    };
    const total = v.object({ total: v.pipe(v.string(), v.transform(fail(new SyntaxError("no number")))) });
    expect(violations(total, { total: "x" })).toEqual([": no number"]);
    expect(violations(v.pipe(v.string(), v.check(fail("not now"))), "x")).toEqual([": not now"]);
  });

  test("coerces nothing", () => {
    expect(violations(v.object({ n: v.number("a number") }), { n: "2" })).toEqual(["n: a number"]);
    expect(violations(v.object({ n: v.number("a number") }), { n: true })).toEqual(["n: a number"]);
  });
});

const leaf = v.object({ a: v.optional(v.number()) });
const tree: Schema = v.object({ children: v.optional(v.array(v.lazy(() => tree))), tag: v.optional(leaf) });

describe("a list is no object", () => {
  const NO_LIST = "must be an object, not a list";

  test.each<[string, Schema, unknown, string]>([
    ["object", leaf, [], ""],
    ["looseObject", v.looseObject({}), [], ""],
    ["record", v.record(v.string(), v.unknown()), [], ""],
    ["an entry", v.object({ x: leaf }), { x: [] }, "x"],
    ["a rest of an object", v.objectWithRest({}, leaf), { x: [] }, "x"],
    ["nullable", v.nullable(leaf), [], ""],
    ["optional", v.object({ x: v.optional(leaf) }), { x: [] }, "x"],
    ["array", v.array(leaf), [{}, []], "1"],
    ["tuple", v.tuple([v.number(), leaf]), [1, []], "1"],
    ["a rest of a tuple", v.tupleWithRest([v.number()], leaf), [1, {}, []], "2"],
    ["a value of a record", v.record(v.string(), leaf), { x: [] }, "x"],
    ["variant", v.variant("k", [v.object({ k: v.optional(v.literal("a")) })]), [], ""],
    ["inside of a variant", v.variant("k", [v.object({ k: v.literal("a"), x: leaf })]), { k: "a", x: [] }, "x"],
    ["lazy", v.lazy(() => leaf), [], ""],
    ["a schema that holds itself", tree, { children: [{ tag: [] }] }, "children.0.tag"],
    ["the start of a pipe", v.pipe(leaf, v.metadata({})), [], ""],
    ["the end of a pipe", v.pipe(v.unknown(), leaf), [], ""],
    [
      "inside of a pipe",
      v.pipe(
        v.object({ x: leaf }),
        v.check(() => true),
      ),
      { x: [] },
      "x",
    ],
    ["message", v.message(leaf, "an order"), [], ""],
  ])("%s", (_, schema, value, path) => {
    expect(violations(schema, value)).toEqual([`${path}: ${NO_LIST}`]);
  });

  test.each<[string, Schema, unknown]>([
    ["union", v.union([leaf, v.number()]), []],
    ["inside of a union", v.union([v.object({ x: leaf }), v.number()]), { x: [] }],
    ["nullable union", v.nullable(v.union([leaf, v.string()])), []],
    ["intersect", v.intersect([leaf, v.object({})]), []],
    ["fallback", v.fallback(v.pipe(v.unknown(), v.object({ x: leaf })), { x: {} }), { x: [] }],
  ])("%s", (name, schema, value) => {
    if (name === "fallback") expect(applyContract(schema, value)).toEqual({ ok: true, value: { x: {} } });
    else expect(violations(schema, value)).not.toEqual([]);
  });

  test("an option that takes the list gets it, wherever it stands", () => {
    for (const schema of [v.union([leaf, v.array(v.number())]), v.union([v.array(v.number()), leaf])])
      expect(applyContract(schema, [])).toEqual({ ok: true, value: [] });
    const nested = v.union([v.object({ x: leaf }), v.object({ x: v.array(v.number()) })]);
    expect(applyContract(nested, { x: [] })).toEqual({ ok: true, value: { x: [] } });
    expect(applyContract(v.unknown(), [])).toEqual({ ok: true, value: [] });
  });

  test("what is no list is taken as before: defaults, messages, words, pipes", () => {
    const schema = v.strictObject({
      word: v.optional(v.picklist(["a", "b"]), "a"),
      mail: v.message(v.pipe(v.string(), v.email()), "no address"),
      list: v.pipe(
        v.array(
          v.pipe(
            leaf,
            v.transform(({ a = 1 }) => a),
          ),
        ),
        v.maxLength(2),
      ),
      kind: v.variant("k", [v.pipe(v.object({ k: v.literal("x"), n: v.number() }), v.readonly())]),
    });
    const value = { mail: "a@b.cd", list: [{}, { a: 2 }], kind: { k: "x" as const, n: 1 } };
    expect(applyContract(schema, value)).toEqual({ ok: true, value: { ...value, word: "a" as const, list: [1, 2] } });
    expect(violations(schema, { ...value, mail: "x" })).toEqual(["mail: no address"]);
  });

  test("the schema itself stays as it was defined", () => {
    const before = { ...leaf };
    applyContract(leaf, {});
    expect({ ...leaf }).toEqual(before);
  });
});
