// The header `traceparent` by which a task joins the trace of whoever creates it. https://www.w3.org/TR/trace-context/

import { TaskonautError } from "../errors.ts";

export const TRACEPARENT = "traceparent";

const SAMPLED = 1;
/** The trace id has random bits: https://www.w3.org/TR/trace-context-2/#random-trace-id-flag */
const RANDOM = 2;

/**
 * As it is kept: of version 00, whatever later version it came in, with the flags that are known. Undefined: it is none, and
 * whoever got it in a request is to go on as if there were none.
 */
export function readTraceparent(text: string | undefined): string | undefined {
  const [, version, traceId, spanId, flags, rest] =
    /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/.exec(text ?? "") ?? [];
  if (version === undefined || version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId ?? "") || /^0+$/.test(spanId ?? "")) return undefined;
  const known = Number.parseInt(flags ?? "", 16) & (SAMPLED | RANDOM);
  return `00-${traceId}-${spanId}-0${known}`;
}

/** Null: none was given. Throws input_invalid. */
export function checkTraceparent(text: string | undefined): string | null {
  if (text === undefined) return null;
  const traceparent = readTraceparent(text);
  if (traceparent !== undefined) return traceparent;
  const message = tellNoTraceparent(text);
  throw new TaskonautError("input_invalid", `${TRACEPARENT}: ${message}.`, {
    errors: [{ path: TRACEPARENT, message }],
  });
}

export function tellNoTraceparent(text: string): string {
  return `expected version, trace id, span id and flags, such as 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01, got ${JSON.stringify(text)}`;
}

/** What a task's trace is: that of its traceparent, or its own. */
export interface Trace {
  readonly traceId: string;
  /** The span that the task's is below; null: it is the first. */
  readonly parentSpanId: string | null;
  /** Two hexadecimal digits. */
  readonly flags: string;
}

/** Traces that begin here are sampled, as far as what the task calls is to know. */
const OWN_FLAGS = "01";

export function traceOf({ id, traceparent }: { readonly id: string; readonly traceparent: string | null }): Trace {
  if (traceparent === null) return { traceId: id.replaceAll("-", ""), parentSpanId: null, flags: OWN_FLAGS };
  const [, traceId = "", parentSpanId = "", flags = ""] = traceparent.split("-");
  return { traceId, parentSpanId, flags };
}

/** Null: the trace is the task's own, so nobody has said. */
export function isMarkedSampled(traceparent: string | null): boolean | null {
  return traceparent === null ? null : (Number.parseInt(traceparent.slice(-2), 16) & SAMPLED) === SAMPLED;
}
