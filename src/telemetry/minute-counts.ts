// What this process has counted, minute by minute, and what of it is still to be written. It knows no clock: whoever has it
// says what minute it is.

import { DELAY_RANGES, delayRange } from "../core/record/delays.ts";
import type { FlowMinute } from "../store/counter-store.ts";

/** What can be counted of a flow. */
export type Counted = "created" | "completed" | "failed" | "cancelled";

interface Counting extends Record<Counted, number>, Pick<FlowMinute, "flow_name" | "begins_at"> {
  readonly delays: number[];
  isWritten: boolean;
}

/** A minute that has been over for so long is forgotten: the store takes it no more. */
const KEPT_MS = 5 * 60_000;

export class MinuteCounts {
  readonly #counts = new Map<string, Counting>();

  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  /** `minute`: when it begins, in store time; null: the store's time is not known. */
  count(minute: number | null, flow: string, what: Counted): void {
    const counting = this.#of(minute, flow);
    counting[what] += 1;
    counting.isWritten = false;
  }

  countDelay(minute: number | null, flow: string, ms: number): void {
    const counting = this.#of(minute, flow);
    const place = delayRange(ms);
    counting.delays[place] = (counting.delays[place] ?? 0) + 1;
    counting.isWritten = false;
  }

  /** At most so many that are to be written. They count as written until `putBack`; what has no minute is given once. */
  take(max: number): readonly FlowMinute[] {
    const taken: FlowMinute[] = [];
    for (const [key, counting] of this.#counts) {
      if (taken.length === max) break;
      if (counting.isWritten) continue;
      const { isWritten: _isWritten, ...minute } = counting;
      taken.push({ ...minute, delays: [...counting.delays] });
      counting.isWritten = true;
      if (counting.begins_at === null) this.#counts.delete(key);
    }
    return taken;
  }

  /** They may not have been written. Those without a minute are lost. */
  putBack(taken: readonly FlowMinute[]): void {
    for (const { begins_at, flow_name } of taken) {
      const counting = this.#counts.get(keyOf(begins_at, flow_name));
      if (counting) counting.isWritten = false;
    }
  }

  /** Of minutes that are long over at this time of the store. */
  forgetBefore(now: number): void {
    for (const [key, { begins_at }] of this.#counts) {
      if (begins_at !== null && begins_at < now - KEPT_MS) this.#counts.delete(key);
    }
  }

  #of(minute: number | null, flow: string): Counting {
    const key = keyOf(minute, flow);
    const known = this.#counts.get(key);
    if (known) return known;
    const begun: Counting = {
      flow_name: flow,
      begins_at: minute,
      created: 0,
      completed: 0,
      failed: 0,
      cancelled: 0,
      delays: Array.from({ length: DELAY_RANGES }, () => 0),
      isWritten: false,
    };
    this.#counts.set(key, begun);
    return begun;
  }
}

function keyOf(minute: number | null, flow: string): string {
  return `${minute ?? ""} ${flow}`;
}
