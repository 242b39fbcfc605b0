// Spans as OTLP has them in JSON. https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding

import type { Span, Trace } from "./trace.ts";
import type { SpanFacts } from "./spans.ts";

export interface Sender {
  /** Of the resource. */
  readonly resource: Readonly<Record<string, string>>;
  /** Of the program. */
  readonly version?: string;
}

/** The body of a request. */
export function toTrace(spans: readonly Span[], { resource, version }: Sender): Trace {
  const scope = { name: "taskonaut", ...(version !== undefined && { version }) };
  return { resourceSpans: [{ resource: { attributes: toAttributes(resource) }, scopeSpans: [{ scope, spans }] }] };
}

const INTERNAL = 1;
const ERROR = 2;

/** Of a message in a trace; the record has the whole of it. */
const MESSAGE_MAX = 1000;

export function toSpan({ traceId, spanId, parentSpanId, name, start, end, error, attributes, link }: SpanFacts): Span {
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

function toAttributes(values: Readonly<Record<string, string | number>>): Span["attributes"] {
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

/** So many spans are a piece of text. */
const PIECE = 200;

/** The JSON of a trace of the one shape that `toTrace` makes, in pieces. */
export function* traceJson(trace: Trace): Generator<string, void, void> {
  const [resourceSpans] = trace.resourceSpans;
  const [scopeSpans] = resourceSpans?.scopeSpans ?? [];
  const { spans = [], scope } = scopeSpans ?? {};
  const head = JSON.stringify({ resource: resourceSpans?.resource ?? {} }).slice(0, -1);
  yield `{"resourceSpans":[${head},"scopeSpans":[{"scope":${JSON.stringify(scope ?? {})},"spans":[`;
  for (let start = 0; start < spans.length; start += PIECE) {
    const texts = spans.slice(start, start + PIECE).map((span) => JSON.stringify(span));
    yield (start === 0 ? "" : ",") + texts.join(",");
  }
  yield "]}]}]}";
}
