// Events of tasks from a server. If the stream ends, it is opened again at the same place, after a growing delay, and
// the listener hears of it.

import { TaskonautError } from "../core/errors.ts";
import { checkEventFilter, type Events, type Listening, type Told } from "../core/api/events.ts";
import { EventStreamReader, fromMessage } from "../core/api/event-stream.ts";
import { filterPairs } from "../core/api/filter-text.ts";
import type { FilterPair } from "../core/api/task-filter.ts";
import { parseTaskId } from "../core/record/ids.ts";
import type { Transport } from "./transport.ts";

const RETRY_MS = 250;
const RETRY_MS_MAX = 10_000;

/** A server sends something every ten seconds. */
const SILENT_MS = 30_000;

export function createEvents({ open }: Pick<Transport, "open">): Events {
  return {
    async *listen(listening) {
      const query = queryOf(listening);
      const signal = listening.signal ?? new AbortController().signal;
      let { after } = listening;
      let wasOpen = false;
      let failures = 0;
      while (!signal.aborted) {
        let lost: TaskonautError;
        try {
          const stream = await open({
            path: `/events${query}`,
            headers: headersOf(after),
            signal,
            silentMs: SILENT_MS,
          });
          for await (const told of toldBy(stream)) {
            wasOpen = true;
            failures = 0;
            after = told.at(-1)?.id ?? after;
            yield told;
          }
          lost = new TaskonautError("api_unreachable", "The server has ended the stream of events.");
        } catch (error) {
          if (signal.aborted) return;
          if (!wasOpen || !(error instanceof TaskonautError && error.retryable)) throw error;
          lost = error;
        }
        const retryMs = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** failures);
        failures += 1;
        yield [{ kind: "lost", id: after ?? "", reason: lost.message, retryMs }];
        // random, because many clients may have lost the same server
        await sleepUnlessLeft(retryMs * (0.75 + Math.random() / 2), signal);
      }
    },
  };
}

function sleepUnlessLeft(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}

async function* toldBy(stream: AsyncIterable<Uint8Array>): AsyncGenerator<readonly Told[]> {
  const reader = new EventStreamReader();
  for await (const piece of stream) {
    const told = reader.read(piece).flatMap((message) => fromMessage(message) ?? []);
    if (told.length > 0) yield told;
  }
}

function headersOf(after: string | undefined): Record<string, string> {
  return { Accept: "text/event-stream", ...(after !== undefined && { "Last-Event-ID": after }) };
}

/** Throws input_invalid. */
function queryOf({ tasks = [], kinds = [], filter = {} }: Listening): string {
  checkEventFilter(filter);
  const pairs: FilterPair[] = [...filterPairs(filter)];
  for (const id of tasks) pairs.push(["task", parseTaskId(id)]);
  for (const kind of kinds) pairs.push(["kind", kind]);
  const query = new URLSearchParams(pairs);
  return query.size === 0 ? "" : `?${query.toString()}`;
}
