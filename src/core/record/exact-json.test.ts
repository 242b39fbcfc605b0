import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { TaskonautError } from "../errors.ts";
import { parseExactJson } from "./exact-json.ts";

function refusal(text: string): TaskonautError {
  try {
    parseExactJson(text);
  } catch (error) {
    if (error instanceof TaskonautError) return error;
    throw error;
  }
  throw new Error(`${text.slice(0, 60)} was taken`);
}

/** JSON.stringify tells -0 from nothing and shows no __proto__ of the chain, so compare with toStrictEqual and keys. */
function expectSame(text: string): void {
  const expected: unknown = JSON.parse(text);
  const actual = parseExactJson(text);
  expect(actual).toStrictEqual(expected);
  expect(JSON.stringify(actual)).toBe(JSON.stringify(expected));
}

describe("the exact JSON reader", () => {
  test("gives what JSON.parse gives, for every value and every spacing", () => {
    const value = fc.jsonValue({ maxDepth: 6, stringUnit: "binary" });
    const indent = fc.constantFrom("", " ", "\t", "\n\r ");
    fc.assert(
      fc.property(value, indent, (json, spacing) => {
        const text = JSON.stringify(
          json,
          (_, member: unknown) => {
            // whole numbers beyond 2^53 are refused on purpose
            if (typeof member === "number" && Number.isInteger(member) && !Number.isSafeInteger(member)) return 1.5;
            return member;
          },
          spacing,
        );
        expectSame(text);
      }),
      { numRuns: 300 },
    );
  });

  test("takes no text that JSON.parse does not take, and refuses it by its code, whatever is damaged", () => {
    const pieces = [
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      "\\",
      "a",
      '"a"',
      "1",
      "-",
      ".5",
      "0",
      "e",
      "+2",
      "true",
      "nul",
      " ",
      "\u0001",
      "\ufeff",
      "\\u00",
      "\\uD800",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (parts) => {
        const text = parts.join("");
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        if (!valid) expect(refusal(text).code).toBe("body_invalid");
        else {
          try {
            expectSame(text);
          } catch (error) {
            if (!(error instanceof TaskonautError)) throw error;
            expect(error.code).toBe("input_invalid");
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("takes a whole number exactly where its value is safe, however it is written", () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 60n), 2n ** 60n), fc.nat(3), fc.nat(3), (big, zeros, shift) => {
        const safe = big >= -(2n ** 53n) + 1n && big <= 2n ** 53n - 1n;
        const spellings = [
          `${big}`,
          `${big}.${"0".repeat(zeros + 1)}`,
          big === 0n ? "0e7" : `${big}${"0".repeat(shift)}e-${shift}`,
        ];
        for (const text of spellings) {
          if (safe) expect(BigInt(parseExactJson(text) as number)).toBe(big);
          else expect(refusal(text).code).toBe("input_invalid");
        }
      }),
    );
  });

  test.each([
    "9007199254740993.0",
    "9007199254740991.4",
    "0.99999999999999999999",
    "9007199254740992",
    "1e400",
    "-1e400",
    "1e-400",
    "4.00000000000000000001",
    "123456789012345678901234567890",
  ])("refuses %s rather than round it", (text) => {
    expect(refusal(`{"a":[0,${text}]}`)).toMatchObject({ code: "input_invalid", errors: [{ path: "a.1" }] });
  });

  test.each([
    ["2.0", 2],
    ["1e2", 100],
    ["100e-2", 1],
    ["0.1", 0.1],
    ["0e999999999999", 0],
    ["-0", -0],
    ["1.5e-10", 1.5e-10],
    ["0.30000000000000000001", 0.3],
    ["9007199254740991", 9007199254740991],
  ])("takes %s", (text, value) => {
    expect(parseExactJson(text)).toBe(value);
  });

  test("names every number that would be lost, each with its path", () => {
    expect(refusal('{"a":1e400,"b":{"c":[1,9007199254740993]},"d":2}').errors.map((one) => one.path)).toEqual([
      "a",
      "b.c.1",
    ]);
    expect(refusal("1e999").errors.map((one) => one.path)).toEqual([""]);
  });

  test("says where a text stops being JSON", () => {
    expect(refusal('{"a": 1,\n "b": foo}').message).toBe(
      'Not valid JSON at line 2, column 7: expected a value, found "foo}".',
    );
    expect(refusal('{"a": 1').message).toContain('line 1, column 8: expected "," or "}", found the end');
    expect(refusal("{} x").message).toContain("expected the end of the text");
  });

  test("keeps text exactly: NUL, lone surrogates, __proto__ as an ordinary key", () => {
    expect(parseExactJson('"\\u0000\\ud800x"')).toBe("\u0000\ud800x");
    const object = parseExactJson('{"__proto__":{"x":1},"a":2}') as object;
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
    expect(JSON.stringify(object)).toBe('{"__proto__":{"x":1},"a":2}');
  });

  test.each([
    ['{"a":1,"a":2}', ["a"]],
    ['{"a":1,"\\u0061":1}', ["a"]],
    ['{"__proto__":1,"__proto__":1}', ["__proto__"]],
    ['[{"b":{"c":1,"d":{},"c":[]},"b":0,"n":1e400}]', ["0.b.c", "0.b", "0.n"]],
  ])("refuses %s rather than drop one of two equal keys", (text, paths) => {
    const { code, status, errors } = refusal(text);
    expect([code, status, errors.map((one) => one.path)]).toEqual(["input_invalid", 422, paths]);
  });

  test("takes equal keys of different objects", () => {
    expectSame('{"a":{"a":[{"a":1},{"a":1}]},"constructor":1,"toString":2}');
  });

  test("gives exactly what JSON.parse gives, or says which key is repeated", () => {
    const keys = fc.constantFrom("a", "b", "__proto__", "1");
    fc.assert(
      fc.property(fc.array(fc.tuple(keys, fc.nat()), { maxLength: 5 }), (members) => {
        const text = `{${members.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(",")}}`;
        const names = members.map(([key]) => key);
        const repeated = names.filter((name, index) => names.indexOf(name) < index);
        if (repeated.length === 0) expectSame(text);
        else expect(refusal(text).errors.map((one) => one.path)).toEqual(repeated);
      }),
    );
  });

  test("refuses deep nesting at once, closed or not", () => {
    expect(refusal("[".repeat(60_000)).errors).toEqual([{ path: "", message: "nested deeper than 256 levels" }]);
    expect(refusal('{"a":'.repeat(60_000)).code).toBe("input_invalid");
    expect(parseExactJson("[".repeat(256) + "]".repeat(256))).toBeArray();
  });

  test("takes time linear in the text, whatever the text is made to do", () => {
    const size = 1_000_000;
    const started = performance.now();
    refusal(`1${"0".repeat(size)}1`);
    parseExactJson(`0.${"0".repeat(size)}1e${size + 1}`);
    refusal(`"${'\\"'.repeat(size)}`);
    refusal(`"${"\\".repeat(size)}`);
    parseExactJson(`[${"1,".repeat(100_000)}1]`);
    // generous: quadratic time would take minutes
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
