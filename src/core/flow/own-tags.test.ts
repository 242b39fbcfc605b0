import { expect, test } from "bun:test";
import { tagsOf } from "./own-tags.ts";

test("numbers are recorded as texts, and what is undefined is left out", () => {
  expect(tagsOf("order", () => ({ a: 1, b: undefined, c: "x" }), {})).toEqual({ a: "1", c: "x" });
  expect(tagsOf("order", () => Object.assign(Object.create(null), { a: "x" }), {})).toEqual({ a: "x" });
});

test.each<[what: string, given: unknown]>([
  ["a promise", Promise.resolve({ a: "b" })],
  ["an object", new Map([["a", "b"]])],
  ["an object", new URL("a:b")],
  ["a list", ["a"]],
  ["undefined", undefined],
  ["a function", () => ({})],
])("what gives no plain object is refused, and not taken for no tags: %s", (what, given) => {
  expect(() => tagsOf("order", () => given, {})).toThrow(
    `Flow order: what its tags give for this input is wrong: tags: expected an object of texts, such as { customer: "c1" }, got ${what}.`,
  );
});
