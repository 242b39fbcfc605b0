import { expect, test } from "bun:test";
import * as v from "valibot";
import { TaskonautError } from "../../core/errors.ts";
import { defineFlow } from "../../core/flow/flow.ts";
import { readSignal } from "./signal.ts";

const FLOW = defineFlow({
  name: "checkout",
  input: v.object({}),
  signals: { approved: v.null(), paid: v.null() },
  plan: () => [],
});

test.each([
  ["aproved", '"aproved"; did you mean approved? It declares: approved, paid.', "; did you mean approved?"],
  ["nothing", '"nothing"; it declares: approved, paid.', ""],
])("a signal that the flow does not take is named with the nearest that it does: %s", (name, said, hint) => {
  let thrown: unknown;
  try {
    readSignal(FLOW, { name, payload: null, bytesMax: 100 });
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(TaskonautError);
  expect(thrown).toMatchObject({
    code: "input_invalid",
    message: `Flow checkout takes no signal ${said}`,
    errors: [{ path: "name", message: `unknown signal; declared: approved, paid${hint}` }],
  });
});
