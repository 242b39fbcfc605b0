// How to settle a step in doubt: one of `output`, `retry` and `fail`, and the step if there may be several.

import * as v from "valibot";
import { resolutionOf, WAYS, waysAsked } from "../core/api/resolution.ts";
import type { ResolveTask } from "../core/api/taskonaut.ts";
import { check, inputInvalid } from "./check.ts";

export const ResolveBody = v.strictObject({
  step: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
  output: v.optional(v.unknown()),
  retry: v.optional(v.literal(true)),
  fail: v.optional(v.pipe(v.string(), v.minLength(1))),
});

/** Throws input_invalid. */
export function readResolveBody(body: unknown): ResolveTask {
  const { step, ...said } = check(ResolveBody, body);
  // by key, not by value: `"output": null` is an output
  const [way, other] = waysAsked((name) => Object.hasOwn(said, name));
  if (way === undefined || other !== undefined) {
    throw inputInvalid([{ path: "", message: `expected just one of ${WAYS.join(", ")}` }]);
  }
  const resolution = resolutionOf(way, { output: said.output, message: said.fail ?? "" });
  return { resolution, ...(step !== undefined && { step }) };
}
