import type { Clock } from "../../core/clock.ts";

/** A pause that can be cut short: a cut before its start counts as well, from `arm` on. */
export class Pause {
  #isCut = false;
  #end: (() => void) | undefined;

  constructor(private readonly clock: Clock) {}

  /** Call it before deciding whether to pause: later events may change the decision. */
  arm(): void {
    this.#isCut = false;
  }

  /** Pauses for `ms`; undefined: until it is cut short. Returns whether the time is over: false if it was cut short. */
  async take(ms: number | undefined): Promise<boolean> {
    if (this.#isCut) return false;
    const { promise: ended, resolve: end } = Promise.withResolvers<boolean>();
    this.#end = () => end(false);
    const stop = new AbortController();
    if (ms !== undefined) {
      this.clock.sleep(ms, stop.signal).then(
        () => end(true),
        () => {}, // it was cut short
      );
    }
    const isOver = await ended;
    stop.abort();
    this.#end = undefined;
    return isOver;
  }

  cut(): void {
    this.#isCut = true;
    this.#end?.();
  }
}
