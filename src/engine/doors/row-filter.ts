// From a filter as people write it to what a store searches by.

import { filterPairs, isTimed } from "../../core/api/filter-text.ts";
import { type TaskFilter, timeOfBound } from "../../core/api/task-filter.ts";
import { ALL_FLOWS, type RowFilter, type Span } from "../../core/record/row-filter.ts";
import type { Store } from "../../store/store.ts";
import { NOBODY } from "../process/nobody.ts";
import { WAIT_BITS, type WaitKind, waitsOf } from "../../core/record/waits.ts";

/** Nothing where it lets all tasks through. */
export async function rowFilterOf(
  filter: TaskFilter,
  store: Pick<Store, "now" | "pauses">,
): Promise<{ readonly filter?: RowFilter }> {
  const pairs = filterPairs(filter);
  if (pairs.length === 0) return {};
  // the clock is asked only where a bound depends on it
  const now = isTimed(filter) ? await store.now() : 0;
  return { filter: toRowFilter(filter, { now, pausedFlows: await readPausedFlows(filter, store) }) };
}

/** Flows whose tasks wait for the end of a pause, where the filter asks for such. */
export async function readPausedFlows(
  { waitingFor }: TaskFilter,
  store: Pick<Store, "pauses">,
): Promise<readonly string[]> {
  if (waitingFor?.includes("pause") !== true) return [];
  const { pauses } = await store.pauses.read(NOBODY);
  return pauses.flatMap(({ scope, name }) => (scope === "all" ? [ALL_FLOWS] : scope === "flow" ? [name] : []));
}

interface Known {
  /** The store's time, before which durations count. */
  readonly now: number;
  readonly pausedFlows?: readonly string[];
}

/** The filter has been checked. */
export function toRowFilter(filter: TaskFilter, { now, pausedFlows = [] }: Known): RowFilter {
  const waits = filter.waitingFor ?? [];
  const span = (since: string | undefined, until: string | undefined): Span => ({
    since: since === undefined ? null : timeOfBound(since, now),
    until: until === undefined ? null : timeOfBound(until, now),
  });
  return {
    flows: filter.flow ?? null,
    statuses: filter.status ?? null,
    isParked: filter.parked === true,
    waits: waitsOf(waits.filter((wait): wait is WaitKind => Object.hasOwn(WAIT_BITS, wait))) ?? 0,
    signals: waits.flatMap((wait) => (wait.startsWith(SIGNAL) ? [wait.slice(SIGNAL.length)] : [])),
    pausedFlows,
    isInDoubt: filter.inDoubt === true,
    needsPerson: filter.needsPerson === true,
    tags: Object.entries(filter.tags ?? {}).map(([key, value]) => ({ key, value })),
    created: span(filter.since, filter.until),
    updated: span(filter.updatedSince, filter.updatedUntil),
    finished: span(filter.finishedSince, filter.finishedUntil),
    error: filter.error ?? null,
    parentId: filter.parent ?? null,
    schedule: filter.schedule ?? null,
    priority: filter.priority ?? null,
  };
}

const SIGNAL = "signal:";
