import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { canonicalJson, JSON_DEPTH_MAX, parseJson, toJsonText } from "./json.ts";

/** Values of JSON, with the keys and texts that break naive code. */
const awkward = fc.oneof(
  { withCrossShrink: true },
  fc.jsonValue({ stringUnit: "binary", maxDepth: 4 }),
  fc.dictionary(
    fc.constantFrom("__proto__", "constructor", "toString", "1", "0", "", "b", "a\0"),
    fc.jsonValue({ maxDepth: 2 }),
  ),
);

function textOf(value: unknown): string {
  const result = toJsonText(value);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.text;
}

function errorsOf(value: unknown): readonly string[] {
  const result = toJsonText(value);
  return result.ok ? [] : result.errors.map(({ path, message }) => `${path}: ${message}`);
}

function nested(levels: number): unknown {
  let value: unknown = "deep";
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { in: value };
  return value;
}

describe("toJsonText", () => {
  test("and JSON.parse lead back to the same text: a value is one and the same live and on replay", () => {
    fc.assert(
      fc.property(awkward, (value) => {
        const text = textOf(value);
        expect(textOf(parseJson(text))).toBe(text);
      }),
    );
  });

  test("gives text of valid UTF-8, whatever a string holds", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
        (string) => {
          const text = textOf(string);
          expect(text.isWellFormed() && !text.includes("\0")).toBe(true);
          expect(parseJson(text)).toBe(string);
        },
      ),
    );
  });

  test("leaves an undefined property out and makes null of an undefined value", () => {
    expect(textOf({ a: undefined, b: 1 })).toBe('{"b":1}');
    expect(textOf(undefined)).toBe("null");
  });

  test("takes objects without a prototype, and a key called __proto__ as a key", () => {
    expect(textOf(Object.assign(Object.create(null) as object, { a: 1 }))).toBe('{"a":1}');
    const text = '{"__proto__":{"polluted":true},"a":1}';
    expect(textOf(JSON.parse(text))).toBe(text);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  class Money {
    constructor(readonly cents: number) {}
  }
  const refused: readonly (readonly [name: string, value: unknown, message: string])[] = [
    ["a Date", new Date(0), "JSON cannot carry a Date"],
    ["a Map", new Map(), "JSON cannot carry a Map"],
    ["a Set", new Set([1]), "JSON cannot carry a Set"],
    ["an instance of a class", new Money(5), "JSON cannot carry a Money"],
    ["an error", new Error("x"), "JSON cannot carry a Error"],
    ["a generator", (function* () {})(), "JSON cannot carry a Generator"],
    ["bytes", new Uint8Array(2), "JSON cannot carry a Uint8Array"],
    ["a boxed string", Object("x"), "JSON cannot carry a String"],
    [
      "an object of an unnamed class",
      Object.create(Object.create(null) as object),
      "JSON cannot carry a object of a class",
    ],
    ["an object with toJSON", { toJSON: () => 1 }, "JSON cannot carry a Object"],
    ["NaN", Number.NaN, "JSON has no NaN"],
    ["Infinity", Infinity, "JSON has no Infinity"],
    ["-Infinity", -Infinity, "JSON has no -Infinity"],
    ["a bigint", 1n, "JSON cannot carry a value of type bigint"],
    ["a function", () => 1, "JSON cannot carry a value of type function"],
    ["a symbol", Symbol("x"), "JSON cannot carry a value of type symbol"],
  ];
  for (const [name, value, message] of refused) {
    test(`refuses ${name} and says where it stands`, () => {
      expect(errorsOf(value)).toEqual([`: ${message}`]);
      expect(errorsOf({ list: [0, { value }] })).toEqual([`list.1.value: ${message}`]);
    });
  }

  test("refuses a hole in an array, which JSON would turn into null", () => {
    expect(errorsOf([1, undefined, 2])).toEqual(["1: JSON cannot carry a value of type undefined"]);
    // oxlint-disable-next-line no-sparse-arrays
    expect(errorsOf([1, , 2])).toEqual(["1: JSON cannot carry a value of type undefined"]);
  });

  test("tells every violation at once, but not without end", () => {
    expect(errorsOf({ a: 1n, b: [Number.NaN, new Date(0)] })).toHaveLength(3);
    expect(errorsOf(Array.from({ length: 10_000 }, () => 1n)).length).toBeLessThan(100);
  });

  test(`takes ${JSON_DEPTH_MAX} levels and refuses one more`, () => {
    expect(errorsOf(nested(JSON_DEPTH_MAX))).toEqual([]);
    expect(errorsOf(nested(JSON_DEPTH_MAX + 1))[0]).toEndWith(`nested deeper than ${JSON_DEPTH_MAX} levels`);
    expect(errorsOf(nested(100_000))).toHaveLength(1);
  });

  test("ends at once on a value that contains itself", () => {
    const cycle: Record<string, unknown> = {};
    cycle["left"] = cycle;
    cycle["right"] = [cycle, cycle];
    expect(errorsOf(cycle).length).toBeGreaterThan(0);
  });
});

describe("canonicalJson", () => {
  test("is the same for the same value, whatever the order of its keys", () => {
    expect(canonicalJson('{"b":{"y":1,"x":[2,{"d":1,"c":2}]},"a":1}')).toBe(
      '{"a":1,"b":{"x":[2,{"c":2,"d":1}],"y":1}}',
    );
    fc.assert(
      fc.property(awkward, (value) => {
        expect(canonicalJson(textOf(reversed(value)))).toBe(canonicalJson(textOf(value)));
      }),
    );
  });

  test("tells different values apart", () => {
    fc.assert(
      fc.property(awkward, awkward, (one, other) => {
        const isSame = Bun.deepEquals(parseJson(textOf(one)), parseJson(textOf(other)), true);
        expect(canonicalJson(textOf(one)) === canonicalJson(textOf(other))).toBe(isSame);
      }),
    );
    const polluting = '{"__proto__":{"a":1}}';
    expect(canonicalJson(polluting)).toBe(polluting);
    expect(canonicalJson(polluting)).not.toBe(canonicalJson("{}"));
  });

  test("keeps the order of arrays", () => {
    expect(canonicalJson("[2,1]")).not.toBe(canonicalJson("[1,2]"));
  });
});

/** The same value with its keys put in the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

test("the path of a value that holds itself is cut", () => {
  const loop: Record<string, unknown> = {};
  loop["a"] = loop;
  const result = toJsonText(loop);
  const [path] = result.ok ? [] : result.errors.map((error) => error.path);
  expect(path).toHaveLength(200);
  expect(path).toEndWith("a.a…");
});
