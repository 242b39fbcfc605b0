// Sends spans to a collector, in parallel with the tasks.
//
// TX1. Nothing waits for it, and nothing fails because of it. The queue is bounded. Spans that do not fit, and spans
//      that the collector does not accept, are counted, and the log says so.
// TX2. A span is sent once. A failed request is not repeated, because the collector may have accepted it. Missing spans
//      are still in the record, and have the same ids when they are sent again.

import { messageOf } from "../../core/record/stored-error.ts";
import type { SentSpans, Span } from "../../core/record/trace.ts";
import type { Log } from "../../core/log.ts";
import type { StepRow, TaskRow, ToolCallRow } from "../../core/record/record.ts";
import type { StoreObserver } from "../observed-store.ts";
import { toSpan, toTrace } from "../../core/record/otlp.ts";
import type { TraceSettings } from "./settings.ts";
import { countSpans, isSampled, type SpanFacts, spansOfChange } from "../../core/record/spans.ts";

/** TX1. */
const WAITING_MAX = 8_192;
const BATCH_MAX = 512;
const BATCH_MS = 1_000;

/** The rest between two requests: spans take a few hundredths of a processor at most, for 5,120 spans a second. */
const REST_MS = 100;

/** How long `close` waits for the rest. */
const LAST_MS = 2_000;

/** The part of an answer that is read, in characters: a collector says little. */
const ANSWER_MAX = 65_536;

/** The log reports trouble at most once in this time. */
const TOLD_MS = 60_000;

/** How many spans were sent, failed or dropped. */
export interface SpanCounts {
  sent: number;
  /** The collector did not accept them, or the outcome is unknown. */
  failed: number;
  /** The queue was full. */
  dropped: number;
}

export interface TraceExporterOptions {
  readonly settings: TraceSettings;
  /** The program's version. */
  readonly version: string;
  readonly log: Log;
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

export class TraceExporter implements StoreObserver {
  readonly counts: SpanCounts = { sent: 0, failed: 0, dropped: 0 };
  #waiting: SpanFacts[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The timer was set for a full batch. */
  #isSoon = false;
  #sending: Promise<void> | undefined;
  #firstReason: string | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  /** How many lost spans the log has told of. */
  #told = 0;
  readonly #leaving = new AbortController();

  constructor(private readonly options: TraceExporterOptions) {}

  /** The copied part of a fork was already sent with the other task. */
  noteCreated(task: TaskRow, calls: readonly ToolCallRow[], steps: readonly StepRow[]): void {
    if (task.origin === null) this.noteChanged(task, calls, steps);
    else this.noteChanged(task, [], []);
  }

  noteChanged(task: TaskRow, calls: readonly ToolCallRow[], steps: readonly StepRow[]): void {
    if (!isSampled(task, this.options.settings)) return;
    if (this.#waiting.length >= WAITING_MAX) this.#noteDropped(countSpans(task, calls, steps));
    else this.add(spansOfChange(task, calls, steps));
  }

  add(spans: readonly SpanFacts[]): void {
    const free = Math.max(0, WAITING_MAX - this.#waiting.length);
    for (const span of spans.length > free ? spans.slice(0, free) : spans) this.#waiting.push(span);
    if (spans.length > free) this.#noteDropped(spans.length - free);
    if (this.#waiting.length > 0) this.#sendLater();
  }

  /**
   * Sends these spans now, one request after the other, whatever share of tasks is sampled: a user asked for them. The
   * collector recognizes by their ids the spans that it already has.
   */
  async sendAll(spans: readonly Span[]): Promise<SentSpans> {
    for (let start = 0; start < spans.length; start += BATCH_MAX)
      await this.#post(spans.slice(start, start + BATCH_MAX));
    const { sent, failed } = this.counts;
    const reason = this.#firstReason;
    return { sent, failed, ...(reason !== undefined && { reason }), to: withoutSecrets(this.options.settings.url) };
  }

  /** Sends the rest, for two seconds at most, and tells of what is lost. Never rejects. */
  async close(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<"late">();
    const timer = setTimeout(resolve, LAST_MS, "late");
    while (this.#waiting.length > 0 || this.#sending) {
      this.#send();
      if ((await Promise.race([this.#sending, late])) === "late") break;
    }
    clearTimeout(timer);
    clearTimeout(this.#timer);
    this.counts.failed += this.#waiting.length;
    this.#waiting = [];
    this.#leaving.abort(new Error(`there was no answer within ${LAST_MS / 1000} s, and the process has ended`));
    await this.#sending;
    if (this.#lost > this.#told) this.#tell(this.#firstReason ?? FULL);
  }

  /** The timer does not keep the process alive. A full batch waits only for the rest between requests. */
  #sendLater(): void {
    const isFull = this.#waiting.length >= BATCH_MAX;
    if (this.#timer && (!isFull || this.#isSoon)) return;
    clearTimeout(this.#timer);
    this.#isSoon = isFull;
    this.#timer = setTimeout(() => this.#send(), isFull ? REST_MS : BATCH_MS);
    this.#timer.unref();
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#sending || this.#waiting.length === 0) return;
    const batch = this.#waiting.splice(0, BATCH_MAX);
    this.#sending = this.#post(batch.map(toSpan)).finally(() => {
      this.#sending = undefined;
      if (this.#waiting.length > 0) this.#sendLater();
    });
  }

  /** Never rejects. */
  async #post(batch: readonly Span[]): Promise<void> {
    const { settings, version, fetch = globalThis.fetch } = this.options;
    try {
      const response = await fetch(settings.url, {
        method: "POST",
        headers: { ...settings.headers, "content-type": "application/json" },
        body: JSON.stringify(toTrace(batch, { resource: settings.resource, version })),
        signal: AbortSignal.any([AbortSignal.timeout(settings.timeoutMs), this.#leaving.signal]),
        redirect: "error",
      });
      const text = await beginningOf(response);
      if (!response.ok) throw new Error(`it answered ${response.status}: ${text.slice(0, 200)}`);
      const rejected = rejectedIn(text);
      this.counts.sent += batch.length - rejected;
      if (rejected > 0) this.#noteFailed(rejected, `it took ${rejected} spans too few: ${text.slice(0, 200)}`);
    } catch (error) {
      this.#noteFailed(batch.length, messageOf(error));
    }
  }

  #noteFailed(spans: number, reason: string): void {
    this.counts.failed += spans;
    this.#firstReason ??= reason;
    this.#tellAtTimes(reason);
  }

  #noteDropped(spans: number): void {
    this.counts.dropped += spans;
    this.#tellAtTimes(FULL);
  }

  #tellAtTimes(reason: string): void {
    if (performance.now() - this.#toldAt >= TOLD_MS) this.#tell(reason);
  }

  #tell(reason: string): void {
    this.#toldAt = performance.now();
    this.#told = this.#lost;
    const { log, settings } = this.options;
    log.warn?.("spans were not sent", { spans: this.#lost, to: withoutSecrets(settings.url), error: reason });
  }

  get #lost(): number {
    return this.counts.failed + this.counts.dropped;
  }
}

const FULL = "the collector takes them too slowly: too many wait";

/** However much follows. */
async function beginningOf(response: Response): Promise<string> {
  const body = response.body as ReadableStream<Uint8Array> | null;
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of body ?? []) {
    text += decoder.decode(piece, { stream: true });
    if (text.length >= ANSWER_MAX) break; // which cancels the rest
  }
  return text;
}

/** The number of rejected spans in an answer that is otherwise a success. */
function rejectedIn(text: string): number {
  try {
    const answer = JSON.parse(text) as { readonly partialSuccess?: { readonly rejectedSpans?: string | number } };
    return Number(answer.partialSuccess?.rejectedSpans ?? 0) || 0;
  } catch {
    return 0; // another kind of answer means that the collector accepted all spans
  }
}

function withoutSecrets(address: string): string {
  const { origin, pathname } = new URL(address);
  return origin + pathname;
}
