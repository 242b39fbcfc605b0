import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { memberPath, operationPath } from "./paths.ts";

/** Texts that are likely to collide: a few signs, many times. */
const key = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "0", "1", "/", ".", "%", "~", "\0", "\ud800", "\udc00", "é", " ") }),
  fc.string({ unit: "binary" }),
  fc.constantFrom("__proto__", "constructor", "%002f", "%~", "a".repeat(200), "a".repeat(201), "a".repeat(202)),
);

type Place = number | string;

const pathOf = (places: readonly Place[]): string =>
  places.reduce<string>(
    (path, place) => (typeof place === "number" ? operationPath(path, place) : memberPath(path, place)),
    "",
  );

describe("a path", () => {
  test("is that of one place, whatever the keys are", () => {
    const places = fc.array(fc.oneof(fc.nat({ max: 11 }), key), { maxLength: 5 });
    fc.assert(
      fc.property(places, places, (one, other) => {
        expect(pathOf(one) === pathOf(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
      { numRuns: 2000 },
    );
  });

  test("is text that every store takes", () => {
    fc.assert(fc.property(key, (given) => expect(memberPath("/0", given)).toMatch(/^[ -~]*$/)));
  });

  test.each([
    ["ordinary-Key_1", "/0.ordinary-Key_1"],
    ["eu west", "/0.eu west"],
    ["", "/0."],
    ["a/0", "/0.a%002f0"],
    ["a.b", "/0.a%002eb"],
    ["%002f", "/0.%0025002f"],
    ["\ud800", "/0.%d800"],
    ["\0", "/0.%0000"],
    ["a".repeat(201), `/0.${"a".repeat(60)}%~a92efd82109373e58f9a2056dee01e807e216ce6075f7051207c0a9f7d666e50`],
  ])("of the key %j is the same in every version of the program", (given, path) => {
    expect(memberPath("/0", given)).toBe(path);
  });
});
