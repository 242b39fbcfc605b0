// Limits over all workers, as people and programs see and set them. Field names are the contract of the HTTP API.

import type { Timestamp } from "./task.ts";

export interface RateNumbers {
  readonly count: number;
  readonly per_ms: number;
}

/** Null: not limited. */
export interface LimitNumbersTold {
  /** How many run at once. */
  readonly running: number | null;
  /** How many of one key run at once. */
  readonly running_per_key: number | null;
  /** How many begin within any stretch of time as long as `per_ms`. */
  readonly rate: RateNumbers | null;
}

export interface Limit {
  /** Of a flow: what runs is tasks. Of a tool: what runs is steps. */
  readonly kind: "flow" | "tool";
  readonly name: string;
  /** What is limited has a key. */
  readonly keyed: boolean;
  /** The numbers that count now. */
  readonly max: LimitNumbersTold;
  /** What the code says; null: no code has said anything. */
  readonly code: LimitNumbersTold | null;
  /** What somebody set in its place; null: nothing. Of its numbers, null is as the code says, and "none" is no limit. */
  readonly set: {
    readonly running: number | "none" | null;
    readonly running_per_key: number | "none" | null;
    readonly rate: RateNumbers | "none" | null;
    readonly reason: string | null;
    readonly by: string;
    readonly at: Timestamp;
  } | null;
  /** How many run now. */
  readonly running: number;
  /** How many wait for their turn; more than 100,000 are not counted. */
  readonly waiting: number;
  /** How many more may begin now by the rate; null: there is none. */
  readonly rate_left: number | null;
  /** When more of them may; null: some may now, or there is no rate. */
  readonly rate_next_at: Timestamp | null;
  /** Of a damaged row, in lists: what is wrong with it. */
  readonly damage?: string;
}

/** A number is set; "none" is no limit; null is what the code says; what is left out stays as it is. */
export interface SetLimit {
  /** Needed where a flow and a tool have limits of one name. */
  readonly kind?: Limit["kind"] | undefined;
  readonly running?: number | "none" | null | undefined;
  readonly running_per_key?: number | "none" | null | undefined;
  readonly rate?: RateNumbers | "none" | null | undefined;
  readonly reason?: string | undefined;
  /** Who sets it. */
  readonly by?: string | undefined;
}

export interface Limits {
  /** Flows first, then tools, by name: those of flows that a worker has, and of tools that were called. */
  list(): Promise<readonly Limit[]>;
  /** It counts at once, for all workers. Throws limit_not_found, input_invalid. */
  set(name: string, change: SetLimit): Promise<Limit>;
  /** What the code says counts again. Throws limit_not_found, input_invalid. */
  reset(name: string, kind?: Limit["kind"]): Promise<Limit>;
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
] as const;

/** `100 in 1m`. */
export function describeRate({ count, per_ms: ms }: RateNumbers): string {
  const [unit, size] = UNITS.find(([, each]) => ms % each === 0) ?? (["ms", 1] as const);
  return `${count.toLocaleString("en-US")} in ${ms / size}${unit}`;
}

/** What of the limit keeps others from running now: `100 in 1m`, `5 at once`, `1 of a key at once`. */
export function describeBounds({
  max,
  running,
  rate_left: left,
}: Pick<Limit, "max" | "running" | "rate_left">): string {
  if (max.rate !== null && left === 0) return describeRate(max.rate);
  if (max.running !== null && running >= max.running) return `${max.running} at once`;
  if (max.running_per_key !== null) return `${max.running_per_key} of a key at once`;
  if (max.rate !== null) return describeRate(max.rate);
  return max.running === null ? "no limit" : `${max.running} at once`;
}
