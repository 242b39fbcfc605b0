// The counts of this process, minute by minute, and which of them are still to be written. It has no clock: the caller
// says which minute it is.

import { DELAY_RANGES, delayRange } from "../core/record/delays.ts";
import type { FlowMinute } from "../store/counter-store.ts";

/** Events of a flow that are counted. */
export type Counted = "created" | "completed" | "failed" | "cancelled";

interface Counting extends Record<Counted, number>, Pick<FlowMinute, "flow_name" | "begins_at"> {
  readonly delays: number[];
  isWritten: boolean;
}

/** A minute is forgotten this long after its end: the store no longer accepts it. */
const KEPT_MS = 5 * 60_000;

export class MinuteCounts {
  readonly #counts = new Map<string, Counting>();

  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  /** `minute`: its beginning, in store time. Null: the store's time is not known. */
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

  /** At most `max` unwritten counts. They count as written until `putBack`, or forever if they have no minute. */
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

  /** Their write may have failed. Counts without a minute are lost. */
  putBack(taken: readonly FlowMinute[]): void {
    for (const { begins_at, flow_name } of taken) {
      const counting = this.#counts.get(keyOf(begins_at, flow_name));
      if (counting) counting.isWritten = false;
    }
  }

  /** Forgets minutes that ended long before this store time. */
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
