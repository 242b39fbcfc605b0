// Turns rows of schedules into resources.

import type { BackfillTime, FiringTime, Schedule, ScheduleSkip } from "../../core/api/schedules.ts";
import { isClockChangeDay, wallTime } from "../../core/next-firing.ts";
import { keyedTaskId } from "../../core/record/ids.ts";
import { parseJson } from "../../core/record/json.ts";
import { dueOf, firingKey, type ScheduleRow, type SkipRow } from "../../core/record/schedule.ts";

export function toSchedule(row: ScheduleRow): Schedule {
  const { catch_up, catch_up_ms, nominal_at } = row;
  const isPaused = row.paused_at !== null;
  return {
    name: row.name,
    flow_name: row.flow_name,
    owner: row.owner,
    cron: row.cron,
    every_ms: row.every_ms,
    time_zone: row.time_zone,
    input_payload: parseJson(row.input),
    overlap: row.overlap,
    catch_up: catch_up === "within" ? { within_ms: catch_up_ms ?? 0 } : catch_up,
    jitter_ms: row.jitter_ms,
    priority: row.priority,
    next_at: isPaused ? null : timeOf(nominal_at),
    due_at: isPaused || nominal_at === null ? null : timeOf(dueOf(row, nominal_at)),
    queued_at: timeOf(row.queued_at),
    paused_at: timeOf(row.paused_at),
    pause_reason: row.pause_reason,
    last_fired_at: timeOf(row.fired_at),
    last_task_id: row.last_task_id,
    fired_count: row.fired_count,
    skipped_count: row.skipped_count,
    created_at: new Date(row.created_at).toISOString(),
    updated_at: new Date(row.updated_at).toISOString(),
  };
}

export function toSkip({ from_at, until_at, count, kind, reason }: SkipRow): ScheduleSkip {
  return { from: new Date(from_at).toISOString(), until: new Date(until_at).toISOString(), count, kind, reason };
}

export function toFiringTime(at: number, timeZone: string): FiringTime {
  return {
    at: new Date(at).toISOString(),
    wall: wallTime(at, timeZone),
    time_zone: timeZone,
    clock_change: isClockChangeDay(at, timeZone),
  };
}

export function toBackfillTime(row: ScheduleRow, at: number, exists: boolean): BackfillTime {
  return { ...toFiringTime(at, row.time_zone), task_id: keyedTaskId(firingKey(row.name, at)), exists };
}

function timeOf(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
