// Checks parts of a request other than a flow's input.

import type * as v from "valibot";
import { applyContract } from "../core/flow/contract.ts";
import { TaskonautError, describeViolations, type Violation } from "../core/errors.ts";

/** Parses the value with the schema. Throws input_invalid. */
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
