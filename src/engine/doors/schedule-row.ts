// Turns the terms of a schedule into its row.

import { fillFiring } from "../../core/flow/firing-input.ts";
import type { OwnTerms } from "../../core/flow/schedule.ts";
import { firstFiring, nextFiring, type Timing } from "../../core/next-firing.ts";
import { parseJson } from "../../core/record/json.ts";
import type { JsonText } from "../../core/record/record.ts";
import {
  dueOf,
  type ScheduleOwner,
  type ScheduleRow,
  type ScheduleTerms,
  type SkipRow,
} from "../../core/record/schedule.ts";

export interface NewRow {
  readonly name: string;
  readonly flow: string;
  readonly owner: ScheduleOwner;
  readonly terms: OwnTerms;
  readonly input: JsonText;
  readonly now: number;
}

export function newScheduleRow({ name, flow, owner, terms, input, now }: NewRow): ScheduleRow {
  return withNext(
    {
      ...terms,
      name,
      flow_name: flow,
      owner,
      input,
      version: 1,
      nominal_at: null,
      next_at: null,
      queued_at: null,
      paused_at: null,
      pause_reason: null,
      deaths: 0,
      fired_at: null,
      last_task_id: null,
      fired_count: 0,
      skipped_count: 0,
      skip_from: null,
      skip_kind: null,
      created_at: now,
      updated_at: now,
    },
    now,
  );
}

/** What the task of a time gets: the contract of its flow is applied to it. */
export function inputOfFiring({ input, time_zone: timeZone }: ScheduleTerms, at: number): unknown {
  return fillFiring(parseJson(input), { at, timeZone });
}

export function timingOf({ cron, every_ms, time_zone }: ScheduleTerms): Timing {
  return { cron, everyMs: every_ms, timeZone: time_zone };
}

/** The row with the time of its next firing: the first one after `after`. */
function withNext(row: ScheduleRow, after: number): ScheduleRow {
  const next = nextFiring(timingOf(row), after) ?? null;
  return { ...row, nominal_at: next, next_at: next === null ? null : dueOf(row, next) };
}

/**
 * The row with new terms. Undefined if nothing changes. New times begin now; without new times the next one stays. A
 * firing that waits is looked at again: it may have been told of the end that it waits for, and that is in `next_at`.
 */
export function withTerms(row: ScheduleRow, terms: OwnTerms, input: JsonText, now: number): ScheduleRow | undefined {
  const changed = { ...row, ...terms, input };
  const differs = (names: readonly (keyof ScheduleTerms)[]): boolean =>
    names.some((name) => changed[name] !== row[name]);
  if (!differs([...(Object.keys(terms) as (keyof OwnTerms)[]), "input"])) return undefined;
  const next: ScheduleRow = { ...changed, version: row.version + 1, updated_at: now };
  const moved = differs(["cron", "every_ms", "time_zone"])
    ? withNext({ ...next, skip_from: null, skip_kind: null }, lastTime(row.fired_at, now))
    : { ...next, next_at: row.nominal_at === null ? null : dueOf(next, row.nominal_at) };
  if (row.paused_at !== null) return { ...moved, next_at: null };
  return row.queued_at === null ? moved : { ...moved, next_at: now };
}

export function paused(row: ScheduleRow, reason: string | null, now: number): ScheduleRow {
  const since = row.paused_at ?? now;
  return { ...row, next_at: null, paused_at: since, pause_reason: reason, version: row.version + 1, updated_at: now };
}

/** A clock that is set back by less was only a little wrong. */
const WRONG_MS = 86_400_000;

/**
 * Times go on after this one: no time fires twice, even if the clock was set back. If the clock was far ahead when it
 * fired, times go on from now: otherwise the schedule would be silent for years.
 */
function lastTime(firedAt: number | null, now: number): number {
  return firedAt === null || firedAt > now + WRONG_MS ? now : Math.max(now, firedAt);
}

/** Skips the firings of the meantime. */
export function resumed(
  row: ScheduleRow,
  now: number,
): { readonly row: ScheduleRow; readonly skips: readonly SkipRow[] } {
  const first = firstWaiting(row, now);
  const passed = first === null ? undefined : passTimes(timingOf(row), first, now + 1);
  const next = passed?.next ?? null;
  const dueAt = next === null ? null : dueOf(row, next);
  return {
    row: {
      ...row,
      nominal_at: next,
      next_at: row.queued_at === null ? dueAt : now,
      paused_at: null,
      pause_reason: null,
      deaths: 0,
      skip_from: null,
      skip_kind: null,
      skipped_count: row.skipped_count + (passed?.count ?? 0),
      version: row.version + 1,
      updated_at: now,
    },
    skips: passed === undefined || passed.count === 0 ? [] : [skipOf(row, passed, now)],
  };
}

/** The time that was next when it was paused; if the clock was far ahead then, the next one by now. */
function firstWaiting(row: ScheduleRow, now: number): number | null {
  const next = nextFiring(timingOf(row), now) ?? null;
  return row.nominal_at !== null && next !== null && row.nominal_at > next + WRONG_MS ? next : row.nominal_at;
}

function skipOf(
  { name, pause_reason: reason }: ScheduleRow,
  { first, last, count, isAll }: PassedTimes,
  now: number,
): SkipRow {
  const why = `the schedule was paused${reason === null ? "" : `: ${reason}`}`;
  return {
    schedule_name: name,
    from_at: first,
    until_at: last,
    count,
    kind: "paused",
    reason: isAll ? why : `${why}; ${NOT_ALL}`,
    recorded_at: now,
  };
}

/** Of times in a row no more are counted. */
const COUNTED_MAX = 500;

export const NOT_ALL = "there were more of these times than are counted";

export interface PassedTimes {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  /** False: there were more than are counted. */
  readonly isAll: boolean;
  /** The first one that is none of them. */
  readonly next: number | null;
}

/** The times from `first`, which is one, up to `before`, which may be one and is not among them. */
export function passTimes(timing: Timing, first: number, before: number): PassedTimes {
  let count = 0;
  let last = first;
  let at: number | undefined = first;
  while (at !== undefined && at < before && count < COUNTED_MAX) {
    count += 1;
    last = at;
    at = nextFiring(timing, at);
  }
  if (at === undefined || at >= before) return { first, last, count, isAll: true, next: at ?? null };
  return {
    first,
    last: lastBefore(timing, before - 1),
    count,
    isAll: false,
    next: firstFiring(timing, before) ?? null,
  };
}

/** The last time at `until` or before it; where there is none, a time long ago. */
export function lastBefore(timing: Timing, until: number): number {
  for (let back = 60_000; back < until; back *= 2) {
    let last = nextFiring(timing, until - back);
    if (last === undefined || last > until) continue;
    for (;;) {
      const next = nextFiring(timing, last);
      if (next === undefined || next > until) return last;
      last = next;
    }
  }
  return 0;
}
