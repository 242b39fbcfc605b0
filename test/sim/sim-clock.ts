import type { Clock } from "../../src/core/clock.ts";
import type { Life } from "./life.ts";
import type { Timeline } from "./timeline.ts";

/** When simulations begin, by a clock that is right. */
export const BEGIN = Date.UTC(2026, 10, 23);

/** The clock of one process: it may be wrong, and may jump; how long a sleep takes does not depend on what it shows. */
export class SimClock implements Clock {
  constructor(
    private readonly timeline: Timeline,
    private readonly life: Life,
    /** How far it is ahead of one that is right. */
    public aheadMs: number,
  ) {}

  now(): number {
    this.timeline.count();
    return BEGIN + this.timeline.now + this.aheadMs;
  }

  elapsed(): number {
    this.timeline.count();
    return this.timeline.now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        wake.cancel();
        reject(signal?.reason);
      };
      // timers know whole milliseconds
      const wake = this.timeline.after(Math.ceil(ms), () =>
        this.life.reach(() => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        }),
      );
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
}
