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

/**
 * What was read of an object by `v.record`, with the names that it leaves out without a word (`__proto__`, `prototype`,
 * `constructor`): so they can be refused like any other unknown name. `field`: where the object is in `body`.
 */
export function withEveryName<Value>(
  read: Readonly<Record<string, Value>>,
  body: unknown,
  field: string,
): Readonly<Record<string, Value>> {
  const given = (body as Readonly<Record<string, Readonly<Record<string, Value>> | undefined>>)[field] ?? {};
  const left = Object.entries(given).filter(([name]) => !Object.hasOwn(read, name));
  return left.length === 0 ? read : Object.fromEntries([...Object.entries(read), ...left]);
}

export function inputInvalid(errors: readonly Violation[]): TaskonautError {
  const told = describeViolations(errors);
  const message = `The request breaks its contract: ${told}${told.endsWith("?") ? "" : "."}`;
  return new TaskonautError("input_invalid", message, { errors });
}
