// What happened when. See `Taskonaut.readStats`.

import { checkFilter } from "../../core/api/filter-text.ts";
import type { ReadStats, Stats, StatsCounts } from "../../core/api/stats.ts";
import { timeOfBound } from "../../core/api/task-filter.ts";
import { TaskonautError } from "../../core/errors.ts";
import { DELAY_RANGES, delayAt } from "../../core/record/delays.ts";
import { type CountedStep, type Counts, HOURS_KEPT_MS, MINUTES_KEPT_MS } from "../../store/counter-store.ts";
import type { Store } from "../../store/store.ts";
import type { KnownNames } from "./known-names.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Steps are so long, and no more of them are told. */
const STEPS_MS = [1, 5, 15, 60, 360, 1440].map((minutes) => minutes * MINUTE_MS);
const STEPS_MAX = 400;

/** Throws input_invalid. */
export async function readStats(
  store: Pick<Store, "counters" | "now">,
  names: Pick<KnownNames, "check">,
  { flow, ...given }: ReadStats,
): Promise<Stats> {
  const { since = "1h", until } = checkFilter({ ...given, ...(flow !== undefined && { flow: [flow] }) });
  const now = await store.now();
  const to = until === undefined ? now : Math.min(now, timeOfBound(until, now));
  const asked = timeOfBound(since, now);
  if (asked >= to) {
    const message = "must be before the end of the time that is asked for";
    const errors = [{ path: "since", message }];
    throw new TaskonautError("input_invalid", `since ${message}.`, { errors });
  }
  const from = Math.max(asked, now - HOURS_KEPT_MS);
  const stepMs = stepOf(from, to, now);
  const first = Math.floor(from / stepMs) * stepMs;
  const found = await store.counters.read({ from: first, until: to, stepMs, flow: flow ?? null });
  // of a flow of which there is nothing any more something may be told all the same
  if (found.length === 0 && flow !== undefined) await names.check({ flow: [flow] });
  // without a worker, readers compact the counts; a read-only database is read without that
  await store.counters.fold().catch(() => {});
  const byTime = new Map(found.map((step) => [step.at, step]));
  const steps: { readonly at: string; readonly counts: StatsCounts }[] = [];
  for (let at = first; at < to; at += stepMs) {
    steps.push({ at: new Date(at).toISOString(), counts: tell(byTime.get(at) ?? NOTHING) });
  }
  return {
    since: new Date(first).toISOString(),
    until: new Date(to).toISOString(),
    step_ms: stepMs,
    steps: steps.map(({ at, counts }) => ({ at, ...counts })),
    total: tell(found.reduce<Counts>(sumOf, NOTHING)),
  };
}

/** Of what is told by the hour no step is shorter. */
function stepOf(from: number, to: number, now: number): number {
  const least = from < now - MINUTES_KEPT_MS ? HOUR_MS : MINUTE_MS;
  const fits = (ms: number): boolean => ms >= least && (to - from) / ms <= STEPS_MAX;
  return STEPS_MS.find(fits) ?? Math.max(...STEPS_MS);
}

const NOTHING: Counts = {
  created: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
  delays: Array.from({ length: DELAY_RANGES }, () => 0),
};

function tell({ created, completed, failed, cancelled, delays }: Counts): StatsCounts {
  const claims = delays.reduce((sum, count) => sum + count, 0);
  const queue_delay = { claims, p50_ms: delayAt(delays, 0.5), p95_ms: delayAt(delays, 0.95) };
  return { created, completed, failed, cancelled, queue_delay };
}

function sumOf(one: Counts, other: CountedStep): Counts {
  return {
    created: one.created + other.created,
    completed: one.completed + other.completed,
    failed: one.failed + other.failed,
    cancelled: one.cancelled + other.cancelled,
    delays: one.delays.map((count, place) => count + (other.delays[place] ?? 0)),
  };
}
