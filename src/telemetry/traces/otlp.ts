// Spans as OTLP has them in JSON. https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding

import type { SpanFacts } from "./spans.ts";

/** The body of a request. */
export function toOtlp(
  spans: readonly SpanFacts[],
  resource: Readonly<Record<string, string>>,
  version: string,
): string {
  const scopeSpans = [{ scope: { name: "taskonaut", version }, spans: spans.map(toSpan) }];
  return JSON.stringify({ resourceSpans: [{ resource: { attributes: toAttributes(resource) }, scopeSpans }] });
}

const INTERNAL = 1;
const ERROR = 2;

/** Of a message in a trace; the record has the whole of it. */
const MESSAGE_MAX = 1000;

function toSpan({ traceId, spanId, parentSpanId, name, start, end, error, attributes, link }: SpanFacts): object {
  return {
    traceId,
    spanId,
    ...(parentSpanId !== null && { parentSpanId }),
    name,
    kind: INTERNAL,
    startTimeUnixNano: nanoseconds(start),
    endTimeUnixNano: nanoseconds(Math.max(start, end)),
    attributes: toAttributes(attributes),
    ...(link && { links: [link] }),
    status: error === null ? {} : { code: ERROR, message: messageIn(error).slice(0, MESSAGE_MAX) },
  };
}

/** A number of them is more than JSON's numbers hold. */
function nanoseconds(ms: number): string {
  return `${Math.trunc(ms)}000000`;
}

function toAttributes(values: Readonly<Record<string, string | number>>): readonly object[] {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === "number" ? { intValue: String(value) } : { stringValue: value },
  }));
}

/** Of a stored error. */
function messageIn(error: string): string {
  const stored: unknown = JSON.parse(error);
  const isTold = typeof stored === "object" && stored !== null && "message" in stored;
  return isTold && typeof stored.message === "string" ? stored.message : error;
}
