// What a request says beyond a flow's input has contracts of its own.

import type * as v from "valibot";
import { applyContract } from "../core/flow/contract.ts";
import { TaskonautError, describeViolations, type Violation } from "../core/errors.ts";

/** What the schema makes of the value. Throws input_invalid. */
export function check<Out>(schema: v.GenericSchema<unknown, Out>, value: unknown): Out {
  const result = applyContract(schema, value);
  if (!result.ok) throw inputInvalid(result.errors);
  return result.value;
}

export function inputInvalid(errors: readonly Violation[]): TaskonautError {
  const told = describeViolations(errors);
  const message = `The request breaks its contract: ${told}${told.endsWith("?") ? "" : "."}`;
  return new TaskonautError("input_invalid", message, { errors });
}
