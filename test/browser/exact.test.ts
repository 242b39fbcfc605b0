import { expect, test } from "bun:test";
import { parseExact, writeExact } from "../../src/ui/exact.ts";

test.each(["12345678901234567890", "1.0", "1e400", "-0", "0.1000", '{ "a": 1.50 }', "[1.0, 2]"])(
  "%s stays as it is written",
  (text) => {
    expect(writeExact(parseExact(text))).toBe(text);
  },
);

test("numbers that JavaScript writes the same way are numbers, so that the page can count with them", () => {
  expect(parseExact("[1, 2.5, -3]")).toEqual([1, 2.5, -3]);
});

test("what is long goes over lines, what is short does not", () => {
  const value = { text: "x".repeat(70), list: [1, 2, { a: null }], empty: {}, none: [] };
  expect(writeExact(value)).toBe(
    `{\n  "text": "${"x".repeat(70)}",\n  "list": [1, 2, { "a": null }],\n  "empty": {},\n  "none": []\n}`,
  );
});

test("texts are written as JSON, whatever they hold", () => {
  const text = '"a\\u0000\\ud800<script>"';
  expect(JSON.parse(writeExact(parseExact(text)))).toBe(JSON.parse(text));
});
