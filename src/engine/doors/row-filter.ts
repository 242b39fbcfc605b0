// Turns a filter as people write it into one that a store can search by.

import { filterPairs, isTimed } from "../../core/api/filter-text.ts";
import { type TaskFilter, timeOfBound } from "../../core/api/task-filter.ts";
import { ALL_FLOWS, type FullFlow, type RowFilter, type Span } from "../../core/record/row-filter.ts";
import type { Limit } from "../../core/api/limits.ts";
import type { LimitStore } from "../../store/limit-store.ts";
import type { Store } from "../../store/store.ts";
import { toLimit } from "./limits.ts";
import { NOBODY } from "../process/nobody.ts";
import { WAIT_BITS, type WaitKind, waitsOf } from "../../core/record/waits.ts";

/** Nothing where it lets all tasks through. */
export async function rowFilterOf(filter: TaskFilter, store: WaitingStore): Promise<{ readonly filter?: RowFilter }> {
  const pairs = filterPairs(filter);
  if (pairs.length === 0) return {};
  // the clock is asked only where a bound depends on it
  const now = isTimed(filter) ? await store.now() : 0;
  return { filter: toRowFilter(filter, { now, ...(await readHeld(filter, store)) }) };
}

/** What rows do not say of tasks that wait for something of their flow. */
type Held = Pick<RowFilter, "pausedFlows" | "fullFlows">;

interface WaitingStore extends Pick<Store, "pauses" | "now"> {
  readonly limits: Pick<LimitStore, "list">;
}

/** Flows whose tasks wait for the end of a pause, or for their turn under a limit, where the filter asks for such. */
export async function readHeld({ waitingFor = [] }: TaskFilter, store: WaitingStore): Promise<Held> {
  const pauses = waitingFor.includes("pause") ? (await store.pauses.read(NOBODY)).pauses : [];
  const limits = waitingFor.includes("limit") ? await store.limits.list() : [];
  const dueBy = limits.length > 0 ? await store.now() : 0;
  return {
    pausedFlows: pauses.flatMap(({ scope, name }) => (scope === "all" ? [ALL_FLOWS] : scope === "flow" ? [name] : [])),
    fullFlows: limits.filter(({ kind }) => kind === "flow").flatMap((row) => fullFlowOf(toLimit(row), dueBy) ?? []),
  };
}

function fullFlowOf({ name, max, running, rate_left: left }: Limit, dueBy: number): FullFlow | undefined {
  if (left === 0 || (max.running !== null && running >= max.running)) return { name, perKey: 0, dueBy };
  return max.running_per_key === null ? undefined : { name, perKey: max.running_per_key, dueBy };
}

interface Known extends Partial<Held> {
  /** The store's time, before which durations count. */
  readonly now: number;
}

/** The filter has been checked. */
export function toRowFilter(filter: TaskFilter, { now, pausedFlows = [], fullFlows = [] }: Known): RowFilter {
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
    fullFlows,
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
