// The ids of traces and spans, which follow from those of tasks and steps: whoever tells of the same thing, from wherever,
// tells of the same span. https://www.w3.org/TR/trace-context/

import { traceOf } from "./trace-context.ts";

/** 16 hexadecimal digits: those at the end of an id, in which random bits or a hash are. */
export function endOf(id: string): string {
  return id.slice(-17).replace("-", "");
}

/** The id of a call ends as that of its step. What is done anew by hand has another epoch, and another span. */
export function spanIdOf(id: string, epoch: number, what: "step" | "attempt"): string {
  const place = 2 * epoch + (what === "step" ? 0 : 1);
  const end = endOf(id);
  if (place === 0) return end;
  return ((BigInt(`0x${end}`) + BigInt(place) * GOLDEN) & MASK).toString(16).padStart(16, "0");
}

/** Odd, and its bits are mixed: what it is added to is far from what it was. */
const GOLDEN = 0x9e3779b97f4a7c15n;
const MASK = (1n << 64n) - 1n;

/** For what is below a step of the task: what its tool calls, or the child that it waits for. */
export function traceparentOf(
  task: { readonly id: string; readonly traceparent: string | null },
  step: { readonly id: string; readonly epoch: number },
): string {
  const { traceId, flags } = traceOf(task);
  return `00-${traceId}-${spanIdOf(step.id, step.epoch, "step")}-${flags}`;
}
