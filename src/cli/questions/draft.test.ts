import { expect, test } from "bun:test";
import { Draft } from "./draft.ts";

test("answers stand where their keys say, in the order in which they came first", () => {
  const draft = new Draft();
  draft.set(["sku"], "A1");
  draft.set(["items", 0, "sku"], "B");
  draft.set(["items", 1], "C");
  draft.set(["0"], "a field, no place");
  draft.set(["sku"], "A2");
  expect(JSON.stringify(draft.value)).toBe('{"0":"a field, no place","sku":"A2","items":[{"sku":"B"},"C"]}');
  expect(draft.at(["items", 0, "sku"])).toBe("B");
  expect([draft.at(["items", "0"]), draft.at(["nowhere", 1]), draft.at(["toString"])]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test("what is left out is gone, and the items after it move up", () => {
  const draft = new Draft({ a: 1, list: ["x", "y", "z"] });
  draft.drop(["list", 1]);
  draft.drop(["a"]);
  draft.drop(["b", "c"]);
  expect(draft.value).toEqual({ list: ["x", "z"] });
  draft.drop([]);
  expect(draft.value).toBeUndefined();
});

test("a value that is only looked at changes nothing, and no field is a prototype", () => {
  const draft = new Draft({ a: { b: 1 } });
  expect(draft.with(["a", "b"], 2)).toEqual({ a: { b: 2 } });
  draft.set(["__proto__"], { evil: true });
  expect(JSON.stringify(draft.value)).toBe('{"a":{"b":1},"__proto__":{"evil":true}}');
  expect(({} as { evil?: boolean }).evil).toBeUndefined();
});
