// Turns a row of `limits`, with its counts, into a resource. The same in both stores.

import { RATE_MS_MAX } from "../core/limits.ts";
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
  const broken = ruleBrokenBy(row);
  return {
    kind: KINDS.has(row.kind) ? row.kind : "tool",
    name: textOf(row.name),
    isKeyed: Boolean(row.is_keyed),
    own: isKnown ? own : null,
    set:
      by === null || at === null
        ? null
        : {
            running: row.running,
            runningPerKey: row.running_per_key,
            rate: rateOf(row.rate_count, row.rate_ms),
            reason: row.reason === null ? null : textOf(row.reason),
            by: textOf(by),
            at,
          },
    running: row.running_now,
    waiting: row.waiting,
    begun: row.begun,
    nextAt: row.next_at,
    ...(broken !== undefined && { broken }),
  };
}

const KINDS: ReadonlySet<unknown> = new Set(["flow", "tool"]);

/** Of a damaged row what can be shown. */
function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function isCount(count: number | null, least: number): boolean {
  return count === null || (Number.isSafeInteger(count) && count >= least);
}

function isTextOrNull(text: string | null): boolean {
  return text === null || typeof text === "string";
}

/** What the CHECK constraints say: the first one that the row breaks. A row that breaks one cannot be written. */
function ruleBrokenBy(row: StoredLimit): string | undefined {
  if (!KINDS.has(row.kind)) return "kind";
  if (typeof row.name !== "string" || !isTextOrNull(row.reason) || !isTextOrNull(row.set_by)) return "texts";
  const { own_running, own_running_per_key, own_rate_count, own_rate_ms } = row;
  if (![own_running, own_running_per_key, own_rate_count, own_rate_ms].every((count) => isCount(count, 1)))
    return "own_counts";
  if ((own_rate_ms ?? 0) > RATE_MS_MAX || (row.rate_ms ?? 0) > RATE_MS_MAX) return "rate_ms";
  if ((own_rate_count === null) !== (own_rate_ms === null)) return "own_rate_is_whole";
  if (![row.running, row.running_per_key, row.rate_count].every((count) => isCount(count, 0))) return "counts";
  if (((row.rate_count ?? 0) === 0) !== (row.rate_ms === null) || !isCount(row.rate_ms, 1)) return "rate_is_whole";
  if ((row.set_by === null) !== (row.set_at === null)) return "set_by_somebody";
  return row.set_at === null || !Number.isNaN(new Date(row.set_at).getTime()) ? undefined : "set_at";
}

function rateOf(count: number | null, perMs: number | null): Rate | 0 | null {
  if (count === null) return null;
  return count === 0 || perMs === null ? 0 : { count, perMs };
}
