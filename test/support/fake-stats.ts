import type { ReadStats, Stats, StatsCounts } from "../../src/core/api/stats.ts";

const COUNTS: StatsCounts = {
  created: 3,
  completed: 2,
  failed: 1,
  cancelled: 0,
  queue_delay: { claims: 2, p50_ms: 1.5, p95_ms: null },
};

/** One step, as long as what was asked for. */
export async function fakeStats({ since = "", until = "" }: ReadStats = {}): Promise<Stats> {
  return { since, until, step_ms: 60_000, steps: [{ at: since, ...COUNTS }], total: COUNTS };
}
