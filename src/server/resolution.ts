// How a step in doubt is settled: one of `output`, `retry` and `fail`, and the step where there may be several.

import * as v from "valibot";
import type { ResolveTask, Resolution } from "../core/api/taskonaut.ts";
import { check, inputInvalid } from "./check.ts";

const ResolveBody = v.strictObject({
  step: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
  output: v.optional(v.unknown()),
  retry: v.optional(v.literal(true)),
  fail: v.optional(v.pipe(v.string(), v.minLength(1))),
});

const WAYS = ["output", "retry", "fail"] as const;

/** Throws input_invalid. */
export function readResolution(body: unknown): ResolveTask {
  const { step, ...said } = check(ResolveBody, body);
  // not by their values: `"output": null` is an output
  const [way, other] = WAYS.filter((name) => Object.hasOwn(said, name));
  if (way === undefined || other !== undefined) {
    throw inputInvalid([{ path: "", message: `expected just one of ${WAYS.join(", ")}` }]);
  }
  return { resolution: resolutionOf(way, said), ...(step !== undefined && { step }) };
}

function resolutionOf(
  way: (typeof WAYS)[number],
  { output, fail = "" }: Partial<v.InferOutput<typeof ResolveBody>>,
): Resolution {
  switch (way) {
    case "output":
      return { kind: "output", output };
    case "retry":
      return { kind: "retry" };
    case "fail":
      return { kind: "fail", message: fail };
  }
}
