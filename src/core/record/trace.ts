// A task's trace as OTLP has it in JSON. https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: string };
}

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** Unset: nothing is above it. */
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  /** Code 2: it failed. */
  readonly status: { readonly code?: number; readonly message?: string };
}

/** The body of a request to a collector. */
export interface Trace {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string; readonly version?: string };
      readonly spans: readonly Span[];
    }[];
  }[];
}

/** What became of spans that were sent. */
export interface SentSpans {
  readonly sent: number;
  /** The collector did not take them, or nobody knows. */
  readonly failed: number;
  /** Why the first of them were not taken. */
  readonly reason?: string;
  /** Where they went, without passwords. */
  readonly to: string;
}
