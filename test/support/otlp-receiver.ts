// A collector of traces: takes what is posted to it, and remembers every span.

import type { Span } from "../../src/core/record/trace.ts";

interface ReceivedSpan extends Omit<Span, "attributes"> {
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, string>> }[];
}

interface Body {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: ReceivedSpan["attributes"] };
    readonly scopeSpans: readonly { readonly spans: readonly ReceivedSpan[] }[];
  }[];
}

export interface OtlpReceiver extends Disposable {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  readonly requests: { readonly path: string; readonly headers: Headers; readonly body: Body }[];
  /** What it answers; by default that all is well. */
  answer: () => Response | Promise<Response>;
}

/** Throws, and answers 400, where an id or a time has not the form that OTLP wants. */
export function startOtlpReceiver(): OtlpReceiver {
  const receiver = { spans: [] as ReceivedSpan[], requests: [] as OtlpReceiver["requests"][number][] };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const body = (await request.json()) as Body;
      receiver.requests.push({ path: new URL(request.url).pathname, headers: request.headers, body });
      const response = await started.answer();
      if (!response.ok) return response;
      const spans = body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
      const wrong = spans.find((span) => !isSound(span));
      if (wrong) return new Response(`no span: ${JSON.stringify(wrong)}`, { status: 400 });
      receiver.spans.push(...spans);
      return response;
    },
  });
  const started: OtlpReceiver = {
    ...receiver,
    url: server.url.origin,
    answer: () => Response.json({ partialSuccess: {} }),
    [Symbol.dispose]: () => {
      server.stop(true).catch(() => {});
    },
  };
  return started;
}

function isSound({
  traceId,
  spanId,
  parentSpanId,
  startTimeUnixNano: start,
  endTimeUnixNano: end,
}: ReceivedSpan): boolean {
  const isSpan = (id: string): boolean => /^[\da-f]{16}$/.test(id) && !/^0+$/.test(id);
  const isTime = [start, end].every((time) => /^\d{19}$/.test(time)) && BigInt(start) <= BigInt(end);
  return (
    /^[\da-f]{32}$/.test(traceId) && isSpan(spanId) && (parentSpanId === undefined || isSpan(parentSpanId)) && isTime
  );
}
