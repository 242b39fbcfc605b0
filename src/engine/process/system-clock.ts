import type { Clock } from "../../core/clock.ts";
import { TIMER_MS_MAX } from "../../core/flow/duration.ts";

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      let left = ms;
      let timer: Timer | undefined;
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      // in slices: a timer of more than TIMER_MS_MAX would fire at once
      const sleepOn = (): void => {
        const slice = Math.min(left, TIMER_MS_MAX);
        left -= slice;
        timer = setTimeout(left > 0 ? sleepOn : wake, slice);
      };
      const wake = (): void => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      sleepOn();
    }),
};
