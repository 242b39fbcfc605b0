// Turns a row of `limits`, with its counts, into a resource. The same in both stores.

import type { LimitNumbers, LimitRow, Rate } from "./limit-store.ts";

/** The numbers of the code (`own_…`), and the ones that replace them. */
export interface StoredNumbers {
  readonly own_running: number | null;
  readonly own_running_per_key: number | null;
  readonly own_rate_count: number | null;
  readonly own_rate_ms: number | null;
  readonly running: number | null;
  readonly running_per_key: number | null;
  readonly rate_count: number | null;
  readonly rate_ms: number | null;
}

export interface StoredLimit extends StoredNumbers {
  readonly kind: LimitRow["kind"];
  readonly name: string;
  /** SQLite has 0 and 1. */
  readonly is_keyed: boolean | number;
  readonly reason: string | null;
  readonly set_by: string | null;
  readonly set_at: number | null;
  readonly running_now: number;
  readonly waiting: number;
  readonly begun: number;
  readonly next_at: number | null;
}

export function toLimitRow(row: StoredLimit): LimitRow {
  const own: LimitNumbers = {
    running: row.own_running,
    runningPerKey: row.own_running_per_key,
    rate: rateOf(row.own_rate_count, row.own_rate_ms) || null,
  };
  const isKnown = own.running !== null || own.runningPerKey !== null || own.rate !== null || Boolean(row.is_keyed);
  const { set_by: by, set_at: at } = row;
  return {
    kind: row.kind,
    name: row.name,
    isKeyed: Boolean(row.is_keyed),
    own: isKnown ? own : null,
    set:
      by === null || at === null
        ? null
        : {
            running: row.running,
            runningPerKey: row.running_per_key,
            rate: rateOf(row.rate_count, row.rate_ms),
            reason: row.reason,
            by,
            at,
          },
    running: row.running_now,
    waiting: row.waiting,
    begun: row.begun,
    nextAt: row.next_at,
  };
}

function rateOf(count: number | null, perMs: number | null): Rate | 0 | null {
  if (count === null) return null;
  return count === 0 || perMs === null ? 0 : { count, perMs };
}
