import { expect, test } from "bun:test";
import { wordsOfInput } from "./example-call.ts";

test("an input is given field by field, objects by their parts, and what is empty or a list as JSON", () => {
  const input = {
    sku: "A1",
    qty: -2,
    gift: true,
    wrap: false,
    none: null,
    tags: ["a"],
    address: { zip: "007", x: {} },
  };
  expect(wordsOfInput(input, []).join(" ")).toBe(
    '--sku A1 --qty -2 --gift --no-wrap --none null --tags ["a"] --address.zip 007 --address.x {}',
  );
  expect(wordsOfInput({}, [])).toEqual([]);
});

test("a field that is called like an option is told apart, and so is a text that looks like one", () => {
  const options = ["json", "mode"].map((name) => ({ name, summary: "" }));
  expect(wordsOfInput({ mode: "--x", json: false, in: { mode: "b" } }, options)).toEqual([
    "--input.mode=--x",
    "--no-input.json",
    "--in.mode",
    "b",
  ]);
});

test("an input that is no object is given whole", () => {
  expect(wordsOfInput([1], [])).toEqual(["--input", "[1]"]);
});
