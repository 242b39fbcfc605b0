import { describe, expect, test } from "bun:test";
import { locateKey } from "./locate-key.ts";

/** The text from the found key on. The call is at `define`. */
function foundIn(text: string, ...path: string[]): string | undefined {
  const at = locateKey(text, text.indexOf("define("), path);
  return at === undefined ? undefined : text.slice(at, at + 6);
}

describe("the place of an option", () => {
  test.each([
    ["a plain key", "define({ a: 1, b: 22 })", ["b"], "b: 22 "],
    ["a quoted one", `define({ "b": 22 })`, ["b"], `"b": 2`],
    ["a shorthand", "define({ a, b, c })", ["b"], "b, c }"],
    ["the last one", "define({ a, b })", ["b"], "b })"],
    ["a method", "define({ a, b(x) {} })", ["b"], "b(x) {"],
    ["a generator", "define({ a, *b(x) {} })", ["b"], "b(x) {"],
    ["an async generator", "define({ a, async *b(x) {} })", ["b"], "b(x) {"],
    ["a key within a key", "define({ a: 1, c: { a: 22 } })", ["c", "a"], "a: 22 "],
    ["a key within a list", "define({ a: [{ b: 1 }, { c: [1, { b: 2 }], b: 33 }] })", ["a", "1", "b"], "b: 33 "],
    ["the first of a list", "define({ a: [{ b: 1 }] })", ["a", "0", "b"], "b: 1 }"],
    ["an element of a list", "define({ a: [f(1, 2), [3], 44] })", ["a", "2"], "44] })"],
    ["a key that is called async", "define({ async: 5 })", ["async"], "async:"],
  ])("%s", (_what, text, path, found) => {
    expect(foundIn(text, ...path)).toBe(found);
  });

  test.each([
    ["is not a key of an object within it", "define({ a: { b: 1 }, c: [{ b: 1 }], d() { return { b: 1 }; } })"],
    ["is not a value", "define({ a: b, c: `${b}`, d: x ? b : b })"],
    ["is not in what stands before or after the call", "f({ b: 1 }); define({ a: 1 }); g({ b: 1 })"],
    ["is not in an object that is made elsewhere", "const x = { b: 1 }; define(x)"],
  ])("%s", (_what, text) => {
    expect(foundIn(text, "b")).toBeUndefined();
  });

  test("is that of the key before it where the last is made elsewhere", () => {
    expect(foundIn("const x = { b: 1 }; define({ c: x, d: 1 })", "c", "b")).toBe("c: x, ");
  });

  test("is found past templates, comments and strings that look like keys", () => {
    expect(foundIn("define({ a: `x${ { b: 1 }.b }y`, /* b: */ c: '{ b:', b: 33 })", "b")).toBe("b: 33 ");
  });
});
