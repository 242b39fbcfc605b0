// What a view shows, kept up to date while it is looked at.

import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "./api.ts";

/** So long after one answer the next is asked for. */
const REFRESH_MS = 2000;
/** The same while the server does not answer. */
const LOST_MS = 3000;

export interface Live<Data> {
  /** The last that came; it stays while a newer one is asked for, and where that fails. */
  readonly data: Data | undefined;
  readonly error: ApiError | undefined;
  /** Asks again at once. */
  readonly refresh: () => void;
}

/**
 * Asks by `read` whenever `key` changes, and again and again as long as the tab is seen and `goesOn` says so of what came.
 * An answer that comes after a newer question is passed over.
 */
export function useLive<Data>(
  key: string,
  read: (signal: AbortSignal) => Promise<Data>,
  goesOn: (data: Data) => boolean = () => true,
): Live<Data> {
  const [state, setState] = useState<{ readonly key: string; readonly data?: Data; readonly error?: ApiError }>({
    key,
  });
  const [asked, setAsked] = useState(0);
  const reading = useRef(read);
  reading.current = read;
  useEffect(() => {
    const leaving = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      clearTimeout(timer);
      if (document.hidden || leaving.signal.aborted) return;
      let wait: number | undefined = REFRESH_MS;
      try {
        const data = await reading.current(leaving.signal);
        if (leaving.signal.aborted) return;
        setState({ key, data });
        if (!goesOn(data)) wait = undefined;
      } catch (error) {
        if (leaving.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        setState((before) => (before.key === key ? { ...before, error } : { key, error }));
        wait = error.code === "unreachable" || error.code === "503" ? LOST_MS : undefined;
      }
      if (wait !== undefined) timer = setTimeout(onTime, wait);
    };
    const onTime = (): void => {
      look().catch(reportError);
    };
    onTime();
    document.addEventListener("visibilitychange", onTime);
    return () => {
      leaving.abort();
      clearTimeout(timer);
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

/** The time, to the second, for ages that grow while they are looked at. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
