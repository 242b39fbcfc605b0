import type { Clock } from "../../core/clock.ts";

/** Waits for `work`, no longer than `ms`. Rejects if `work` rejects before that. */
export async function within(ms: number, work: Promise<unknown>, clock: Clock): Promise<void> {
  const stop = new AbortController();
  const isOver = clock.sleep(ms, stop.signal).catch(() => {});
  try {
    await Promise.race([work, isOver]);
  } finally {
    stop.abort();
  }
}
