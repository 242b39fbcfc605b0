// Sends spans to a collector, beside the tasks.
//
// TX1. Nothing waits for it, and nothing fails by it. What waits to be sent is bounded; what finds no place, and what the
//      collector did not take, is counted and said in the log.
// TX2. A span is sent once. A request that failed is not made again, for the collector may have taken it. What is missing
//      there is in the record, and has the same ids when it is sent again.

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

/** From one request to the next, so that spans take a few hundredths of a processor at most: 5,120 are sent a second. */
const REST_MS = 100;

/** Whoever closes waits no longer for what is left. */
const LAST_MS = 2_000;

/** The log is told of trouble once in so long. */
const TOLD_MS = 60_000;

/** What became of spans. */
export interface SpanCounts {
  sent: number;
  /** The collector did not take them, or nobody knows. */
  failed: number;
  /** There was no place for them. */
  dropped: number;
}

export interface TraceExporterOptions {
  readonly settings: TraceSettings;
  /** Of the program. */
  readonly version: string;
  readonly log: Log;
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

export class TraceExporter implements StoreObserver {
  readonly counts: SpanCounts = { sent: 0, failed: 0, dropped: 0 };
  #waiting: SpanFacts[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The timer is that of a full batch. */
  #isSoon = false;
  #sending: Promise<void> | undefined;
  #firstReason: string | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: TraceExporterOptions) {}

  /** What a fork has of another task was told of that one. */
  noteCreated(task: TaskRow, calls: readonly ToolCallRow[], steps: readonly StepRow[]): void {
    if (task.origin === null) this.noteChanged(task, calls, steps);
    else this.noteChanged(task, [], []);
  }

  noteChanged(task: TaskRow, calls: readonly ToolCallRow[], steps: readonly StepRow[]): void {
    if (!isSampled(task, this.options.settings)) return;
    if (this.#waiting.length >= WAITING_MAX) this.counts.dropped += countSpans(task, calls, steps);
    else this.add(spansOfChange(task, calls, steps));
  }

  add(spans: readonly SpanFacts[]): void {
    for (const span of spans) {
      if (this.#waiting.length < WAITING_MAX) this.#waiting.push(span);
      else this.counts.dropped += 1;
    }
    if (this.#waiting.length > 0) this.#sendLater();
  }

  /**
   * Sends them now, one request after the other, whatever share of tasks is sampled: somebody asked for them. The collector
   * knows by their ids those that it has.
   */
  async sendAll(spans: readonly Span[]): Promise<SentSpans> {
    for (let start = 0; start < spans.length; start += BATCH_MAX)
      await this.#post(spans.slice(start, start + BATCH_MAX));
    const { sent, failed } = this.counts;
    const reason = this.#firstReason;
    return { sent, failed, ...(reason !== undefined && { reason }), to: withoutSecrets(this.options.settings.url) };
  }

  /** Sends what is left, for two seconds at most. Never rejects. */
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
  }

  /** It keeps no process alive. A full batch waits no longer than it has to. */
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
        signal: AbortSignal.timeout(settings.timeoutMs),
        redirect: "error",
      });
      const text = await response.text();
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
    const now = performance.now();
    if (now - this.#toldAt < TOLD_MS) return;
    this.#toldAt = now;
    const { log, settings } = this.options;
    log.warn?.("spans were not sent", { spans: this.counts.failed, to: withoutSecrets(settings.url), error: reason });
  }
}

/** Of an answer that all went well but for some. */
function rejectedIn(text: string): number {
  try {
    const answer = JSON.parse(text) as { readonly partialSuccess?: { readonly rejectedSpans?: string | number } };
    return Number(answer.partialSuccess?.rejectedSpans ?? 0) || 0;
  } catch {
    return 0; // a collector that answers with something else has taken them
  }
}

function withoutSecrets(address: string): string {
  const { origin, pathname } = new URL(address);
  return origin + pathname;
}
