// Keeps a view's data up to date while the user looks at it. It requests the data again when an event reports a change,
// and now and then if there are no events, or if events do not report its changes.

import { effect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { TaskEvent } from "../core/api/events.ts";
import { ApiError } from "./api.ts";
import { isLive, onEvents } from "./stream.ts";

/** The shortest pause between two requests that events cause. It grows while events continue, so that the tab rests. */
const EVENT_MS = 250;
const EVENT_MS_MAX = 1000;
/** After this time without events the pause is short again. */
const CALM_MS = 3000;
/** How often data is requested without events: data that events do not report, or if there are no events. */
const UNTOLD_MS = 10_000;
const POLL_MS = 5000;
/** The same while the server does not answer, or is in trouble. */
const LOST_MS = 3000;

export interface Live<Data> {
  /** The last data that came. It stays while newer data is requested, and if that fails. */
  readonly data: Data | undefined;
  readonly error: ApiError | undefined;
  /** Requests the data again at once. */
  readonly refresh: () => void;
}

export interface Heed<Data> {
  /** Whether an event may change the data; by default every event. `nothing`: no event reports its changes. */
  readonly events?: ((event: TaskEvent) => boolean) | "nothing";
  /** Events report every change, so no other requests are needed. */
  readonly isTold?: boolean;
  /** Whether the data can still change; by default it can. */
  readonly goesOn?: (data: Data) => boolean;
}

/** For tasks: events report every change. */
export const TOLD: Heed<unknown> = { isTold: true };

/** For data other than tasks: it is requested at intervals. */
export const UNTOLD: Heed<unknown> = { events: "nothing" };

/**
 * Calls `read` whenever `key` changes, and repeats it as `heed` says (a function stands for `goesOn`), while the tab is
 * visible. An answer that a newer request has overtaken is ignored.
 */
export function useLive<Data>(
  key: string,
  read: (signal: AbortSignal) => Promise<Data>,
  given: Heed<Data> | ((data: Data) => boolean) = {},
): Live<Data> {
  const heed = typeof given === "function" ? { goesOn: given } : given;
  const [state, setState] = useState<{ readonly key: string; readonly data?: Data; readonly error?: ApiError }>({
    key,
  });
  const [asked, setAsked] = useState(0);
  const latest = useRef({ read, heed });
  latest.current = { read, heed };
  useEffect(() => {
    const leaving = new AbortController();
    const pace = new Pace();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isAsking = false;
    let isStale = false;
    let isOver = false;
    const askIn = (ms: number): void => {
      clearTimeout(timer);
      timer = setTimeout(onTime, ms);
    };
    const look = async (): Promise<void> => {
      clearTimeout(timer);
      if (document.hidden || leaving.signal.aborted) return;
      if (isAsking) {
        isStale = true;
        return;
      }
      isAsking = true;
      isStale = false;
      pace.begin();
      let wait: number | undefined;
      try {
        const data = await latest.current.read(leaving.signal);
        if (leaving.signal.aborted) return;
        setState({ key, data });
        isOver = latest.current.heed.goesOn?.(data) === false;
        wait = restAfter(data, latest.current.heed);
      } catch (error) {
        if (leaving.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        setState((before) => (before.key === key ? { ...before, error } : { key, error }));
        wait = error.mayPass ? LOST_MS : undefined;
      } finally {
        isAsking = false;
      }
      if (isStale) askIn(pace.rest());
      else if (wait !== undefined) askIn(wait);
    };
    const onTime = (): void => {
      look().catch(reportError);
    };
    const hear = (event: TaskEvent | undefined): void => {
      const { events = () => true } = latest.current.heed;
      if (isOver || events === "nothing" || (event && !events(event))) return;
      if (isAsking) isStale = true;
      else askIn(pace.rest());
    };
    onTime();
    const { events } = latest.current.heed;
    const stopHearing = events === "nothing" ? () => {} : onEvents(hear);
    let isFirst = true;
    const stopWatching = effect(() => {
      // without events the view polls from now on
      if (!isLive.value && !isFirst && !isAsking && !isOver && events !== "nothing") askIn(POLL_MS);
      isFirst = false;
    });
    document.addEventListener("visibilitychange", onTime);
    return () => {
      leaving.abort();
      clearTimeout(timer);
      stopHearing();
      stopWatching();
      document.removeEventListener("visibilitychange", onTime);
    };
  }, [key, asked]);
  const isOfKey = state.key === key;
  return {
    data: isOfKey ? state.data : undefined,
    error: isOfKey ? state.error : undefined,
    refresh: () => setAsked((count) => count + 1),
  };
}

/** How long the data is good without an event. Undefined: until the next event. */
function restAfter<Data>(data: Data, { events, isTold = false, goesOn = () => true }: Heed<Data>): number | undefined {
  if (!goesOn(data)) return undefined;
  if (events === "nothing") return UNTOLD_MS;
  if (!isLive.peek()) return POLL_MS;
  return isTold ? undefined : UNTOLD_MS;
}

/** Limits how soon events may cause another request. */
class Pace {
  #ms = EVENT_MS;
  #beganAt = Number.NEGATIVE_INFINITY;

  /** A request begins now. */
  begin(): void {
    const now = performance.now();
    const gap = now - this.#beganAt;
    this.#ms = gap > CALM_MS ? EVENT_MS : Math.min(EVENT_MS_MAX, this.#ms * 1.5);
    this.#beganAt = now;
  }

  /** Milliseconds until the next request may begin. */
  rest(): number {
    return Math.max(0, this.#beganAt + this.#ms - performance.now());
  }
}

/** The current time, once a second, for ages that grow on the page. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
