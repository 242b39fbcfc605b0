// What a view shows, kept up to date while it is looked at: asked for again when an event says that it has changed, and now
// and then where events do not come or do not tell of it.

import { effect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { TaskEvent } from "../core/api/events.ts";
import { ApiError } from "./api.ts";
import { isLive, onEvents } from "./stream.ts";

/** So long after one question the next follows, where events ask for it: longer while they go on, so that a tab rests. */
const EVENT_MS = 250;
const EVENT_MS_MAX = 1000;
/** Without events for so long it is quick again. */
const CALM_MS = 3000;
/** How often is asked without the events: of what they do not tell, and where they do not come. */
const UNTOLD_MS = 10_000;
const POLL_MS = 5000;
/** The same while the server does not answer. */
const LOST_MS = 3000;

export interface Live<Data> {
  /** The last that came; it stays while a newer one is asked for, and where that fails. */
  readonly data: Data | undefined;
  readonly error: ApiError | undefined;
  /** Asks again at once. */
  readonly refresh: () => void;
}

export interface Heed<Data> {
  /** Whether what is shown may have changed by it; by default any event. `nothing`: no event tells of it. */
  readonly events?: ((event: TaskEvent) => boolean) | "nothing";
  /** Events tell of each change: it is not asked for beside them. */
  readonly isTold?: boolean;
  /** Whether it can change any more; by default it can. */
  readonly goesOn?: (data: Data) => boolean;
}

/** Of tasks: events tell of each change. */
export const TOLD: Heed<unknown> = { isTold: true };

/** Of what is no task: it is asked for again and again. */
export const UNTOLD: Heed<unknown> = { events: "nothing" };

/**
 * Asks by `read` whenever `key` changes, and again as is to be heeded (a function: `goesOn`), as long as the tab is seen. An
 * answer that comes after a newer question is passed over.
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
        wait = error.code === "unreachable" || error.code === "503" ? LOST_MS : undefined;
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
      // without events it has to ask by itself, from then on
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

/** How long it is good without an event; undefined: as long as none comes. */
function restAfter<Data>(data: Data, { events, isTold = false, goesOn = () => true }: Heed<Data>): number | undefined {
  if (!goesOn(data)) return undefined;
  if (events === "nothing") return UNTOLD_MS;
  if (!isLive.peek()) return POLL_MS;
  return isTold ? undefined : UNTOLD_MS;
}

/** How soon events may make a view ask again. */
class Pace {
  #ms = EVENT_MS;
  #beganAt = Number.NEGATIVE_INFINITY;

  /** It asks now. */
  begin(): void {
    const now = performance.now();
    const gap = now - this.#beganAt;
    this.#ms = gap > CALM_MS ? EVENT_MS : Math.min(EVENT_MS_MAX, this.#ms * 1.5);
    this.#beganAt = now;
  }

  /** From now on. */
  rest(): number {
    return Math.max(0, this.#beganAt + this.#ms - performance.now());
  }
}

/** The time, to the second, for ages that grow while they are looked at. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
