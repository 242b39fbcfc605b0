// The built-in tools. Both are pure: what they give depends on their input alone.

import * as v from "valibot";
import { defineTool } from "../sdk/taskonaut.ts";

const text = v.string();
/** Beyond ±(2^53 − 1) a double no longer holds every integer, so none is taken there. */
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
