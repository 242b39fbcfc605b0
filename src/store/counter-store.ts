// What processes count of tasks, minute by minute.
//
// CN1. A process writes its total of a minute so far, not an increment: so writing it again changes nothing.
// CN2. Counts more than LATE_MS after their minute are not written, and only older minutes are compacted. So nothing is
//      counted twice, however long a process has slept.
// CN3. A process that does not know the store's time yet names no minute. Its counts are added to the current minute,
//      and must not be written again if the result of the write is unknown.

import { DELAY_BOUNDS_MS } from "../core/record/delays.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** CN2. */
export const LATE_MS = 5 * MINUTE_MS;
export const APART_MS = 10 * MINUTE_MS;

/** After these times, minutes are compacted to hours, and hours are removed. */
export const MINUTES_KEPT_MS = 2 * DAY_MS;
export const HOURS_KEPT_MS = 90 * DAY_MS;

/** The limit for one commit. */
export const COUNTERS_FOLDED_MAX = 2_000;

/** The limit for one `write`. */
export const COUNTERS_WRITTEN_MAX = 500;

export interface Counts {
  readonly created: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  /** DELAY_RANGES of them. */
  readonly delays: readonly number[];
}

export interface FlowMinute extends Counts {
  readonly flow_name: string;
  /** When the minute begins, in store time; null: the current minute (CN3). */
  readonly begins_at: number | null;
}

export interface CountsQuery {
  /** Only rows that begin at `from` or later, and before `until`. */
  readonly from: number;
  readonly until: number;
  /** They are added up in steps of this length, counted from 1970. */
  readonly stepMs: number;
  /** Null: all flows. */
  readonly flow: string | null;
}

export interface CountedStep extends Counts {
  /** When the step begins. */
  readonly at: number;
}

export interface CounterStore {
  /** CN1, CN2, CN3; at most COUNTERS_WRITTEN_MAX. It need not survive a power cut. Returns the store's time. */
  write(writer: string, minutes: readonly FlowMinute[]): Promise<number>;
  /** In order of time; empty steps are left out. */
  read(query: CountsQuery): Promise<readonly CountedStep[]>;
  /** Compacts old rows, and removes very old ones; a part of them, if there are many. */
  fold(): Promise<void>;
}

/** Columns of the table `counters`, in the order of DELAY_RANGES. */
const DELAY_COLUMNS: readonly string[] = [...DELAY_BOUNDS_MS.map((bound) => `delay_${bound}`), "delay_more"];

export const COUNT_COLUMNS: readonly string[] = ["created", "completed", "failed", "cancelled", ...DELAY_COLUMNS];

/** A row as a dialect returns it. */
export type CountedRow = Readonly<Record<string, number>> & { readonly at: number };

export function stepOf(row: CountedRow): CountedStep {
  const { at, created = 0, completed = 0, failed = 0, cancelled = 0 } = row;
  return { at, created, completed, failed, cancelled, delays: DELAY_COLUMNS.map((name) => row[name] ?? 0) };
}

/** The same, to be written. */
export function countedRow({
  flow_name,
  begins_at,
  delays,
  ...counts
}: FlowMinute): Record<string, string | number | null> {
  return {
    flow_name,
    begins_at,
    ...counts,
    ...Object.fromEntries(delays.map((count, n) => [DELAY_COLUMNS[n] ?? "", count])),
  };
}
