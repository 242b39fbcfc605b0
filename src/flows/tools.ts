// The built-in tools. Both are pure: their results depend only on their input.

import * as v from "valibot";
import { defineTool } from "../sdk/taskonaut.ts";

const text = v.string();
/** Beyond ±(2^53 − 1) a double cannot hold every integer, so larger numbers are refused. */
export const integer = v.pipe(
  v.number("must be an integer"),
  v.safeInteger("must be an integer from -(2^53 - 1) to 2^53 - 1"),
);

export const echo = defineTool({
  name: "echo",
  description: "Gives back the text it gets.",
  input: v.strictObject({ text }),
  output: v.strictObject({ text }),
  execution: "pure",
  run: (input) => ({ text: input.text }),
});

export const add = defineTool({
  name: "add",
  description: "Adds two integers.",
  input: v.strictObject({ a: integer, b: integer }),
  output: v.strictObject({ sum: integer }),
  execution: "pure",
  run: (input) => ({ sum: input.a + input.b }),
});
