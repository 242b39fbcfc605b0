import * as v from "valibot";
import { call, defineFlow } from "../sdk/taskonaut.ts";
import { add, echo, integer } from "./tools.ts";

/** The first flow: echo a text, then add two numbers. Its output is `{ echo: { text }, add: { sum } }`. */
export const echoAdd = defineFlow({
  name: "echo_add",
  description: "Echoes a text, then adds two integers.",
  input: v.strictObject({
    text: v.optional(v.pipe(v.string("must be a string"), v.description("the text to echo")), "hello"),
    a: v.optional(v.pipe(integer, v.description("the first integer")), 1),
    b: v.optional(v.pipe(integer, v.description("the second integer")), 2),
  }),
  plan: ({ text, a, b }) => [call(echo, { text }), call(add, { a, b })],
});
