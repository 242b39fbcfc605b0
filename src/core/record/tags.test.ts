import { expect, test } from "bun:test";
import { readTagTexts, tagViolations, toTagsText } from "./tags.ts";

test("a key may be any word, also one that objects have of their own", () => {
  const { tags, errors } = readTagTexts(["__proto__=2", "toString=3", "a=b=c"], "--tag");
  expect([tags && toTagsText(tags), errors]).toEqual(['{"__proto__":"2","a":"b=c","toString":"3"}', []]);
  expect(readTagTexts(["__proto__=2", "__proto__=3"], "--tag").errors).toMatchObject([{ path: "--tag" }]);
});

test("what is no text is told as what it is", () => {
  const errors = tagViolations({ a: null, b: ["x"], c: 3, d: "" }, "tags");
  expect(errors.map(({ path, message }) => [path, message])).toEqual([
    ["tags.a", "expected a text, received null"],
    ["tags.b", "expected a text, received a list"],
    ["tags.c", "expected a text, received number"],
  ]);
});
