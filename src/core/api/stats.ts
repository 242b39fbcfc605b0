// Counts of events over time, for charts.

import type { Timestamp } from "./task.ts";

export interface ReadStats {
  /** `6h` (six hours ago) or a time; by default an hour ago. Of the last two days minutes are told, of ninety days hours. */
  readonly since?: string;
  /** By default now. */
  readonly until?: string;
  /** Unset: of all flows. */
  readonly flow?: string;
}

/** How long tasks were due before a worker took them, in milliseconds: right to within a few ranges of each power of ten. */
interface QueueDelay {
  readonly claims: number;
  /** Null: there were none. */
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
}

export interface StatsCounts {
  readonly created: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly queue_delay: QueueDelay;
}

interface StatsStep extends StatsCounts {
  /** When it begins. */
  readonly at: Timestamp;
}

export interface Stats {
  readonly since: Timestamp;
  readonly until: Timestamp;
  /** How long a step is, in milliseconds: the longer the time that is asked for, the longer the steps. */
  readonly step_ms: number;
  /** In order of time, one after the other without a gap. The last one still goes on, where `until` is now. */
  readonly steps: readonly StatsStep[];
  /** Of all steps together. */
  readonly total: StatsCounts;
}
