// The server's stream of events: one per tab, while the tab is visible. Views hear events, and request the data.

import { signal } from "@preact/signals";
import { EventStreamReader, fromMessage } from "../core/api/event-stream.ts";
import type { TaskEvent } from "../core/api/events.ts";
import { ApiError, openStream } from "./api.ts";

/** `undefined`: events may have been missed. */
type Hear = (event: TaskEvent | undefined) => void;

/** Whether events arrive. If not, views have to poll. */
export const isLive = signal(false);

/** A browser has six connections per server (HTTP/1.1), so at most this many tabs hold one. */
const TABS_MAX = 3;

const RETRY_MS = 500;
const RETRY_MS_MAX = 10_000;
/** The server sends something every ten seconds. */
const SILENT_MS = 30_000;

const listeners = new Set<Hear>();
let running: AbortController | undefined;
let lastId: string | undefined;

/** Returns a function that ends it. The stream is open as long as there are listeners and the tab is visible. */
export function onEvents(hear: Hear): () => void {
  listeners.add(hear);
  settle();
  return () => {
    listeners.delete(hear);
    settle();
  };
}

document.addEventListener("visibilitychange", settle);

function settle(): void {
  const isWanted = listeners.size > 0 && !document.hidden;
  if (isWanted && running === undefined) {
    const started = new AbortController();
    running = started;
    run(started.signal)
      .finally(() => {
        // refused for good: whoever logs in, or comes back to the tab, asks again
        if (running === started) running = undefined;
      })
      .catch(reportError);
  } else if (!isWanted) {
    running?.abort();
    running = undefined;
    isLive.value = false;
  }
}

async function run(leaving: AbortSignal): Promise<void> {
  let failures = 0;
  while (!leaving.aborted) {
    try {
      await withPlace(leaving, async () => {
        await hearAll(leaving, () => {
          failures = 0;
        });
      });
    } catch (error) {
      if (leaving.aborted) return;
      // the token may not listen, or the server has no events: the views poll
      if (error instanceof ApiError && isFinal(error.code)) return;
    } finally {
      if (!leaving.aborted) isLive.value = false;
    }
    await pause(Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** failures), leaving);
    failures += 1;
  }
}

function isFinal(code: string): boolean {
  return ["unauthorized", "forbidden", "route_not_found", "method_not_allowed"].includes(code);
}

/** Does the work if this tab may have its own connection. Without locks (the page is not secure) every tab may. */
async function withPlace(leaving: AbortSignal, work: () => Promise<void>): Promise<void> {
  const { locks } = navigator as { readonly locks?: LockManager };
  if (locks === undefined) return work();
  for (let place = 1; place <= TABS_MAX && !leaving.aborted; place++) {
    const done = await locks.request(`taskonaut-events-${place}`, { ifAvailable: true }, async (lock) => {
      if (lock === null) return false;
      await work();
      return true;
    });
    if (done) return;
  }
}

async function hearAll(leaving: AbortSignal, onReady: () => void): Promise<void> {
  const silent = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const heard = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => silent.abort(), SILENT_MS);
  };
  heard();
  try {
    const body = await openStream("/events", lastId, AbortSignal.any([leaving, silent.signal]));
    const messages = new EventStreamReader();
    const pieces = body.getReader();
    for (;;) {
      const { done, value } = await pieces.read();
      if (done) return;
      heard();
      for (const message of messages.read(value)) {
        const told = fromMessage(message);
        if (told === undefined) continue;
        // a reconnected stream reports the events that were missed, if the server still has them
        const isBack = lastId !== undefined;
        if (told.id !== "") lastId = told.id;
        if (told.kind === "ready") {
          isLive.value = true;
          onReady();
          if (!isBack) tell(undefined);
        } else if (told.kind === "event") tell(told.event);
        else if (told.kind === "resync") tell(undefined);
        // the views poll meanwhile, and show what is wrong
        else if (told.kind === "lost") isLive.value = false;
      }
    }
  } finally {
    clearTimeout(timer);
  }
}

function tell(event: TaskEvent | undefined): void {
  for (const hear of listeners) hear(event);
}

function pause(ms: number, leaving: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    leaving.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
