// Schedules, as people and programs see them: over HTTP, in the CLI and in the client alike. Field names of resources are the
// contract of the HTTP API; fields may be added, none may go or change its type.

import type { Json } from "../record/json-value.ts";
import type { Overlap, ScheduleOwner, SkipKind } from "../record/schedule.ts";
import type { Task, Timestamp } from "./task.ts";

export interface Schedule {
  readonly name: string;
  readonly flow_name: string;
  /** `flow`: its flow's file says it; `command`: somebody made it. */
  readonly owner: ScheduleOwner;
  /** Just one of the two is set. */
  readonly cron: string | null;
  readonly every_ms: number | null;
  readonly time_zone: string;
  readonly input_payload: Json;
  readonly overlap: Overlap;
  readonly catch_up: "none" | "last" | { readonly within_ms: number };
  readonly jitter_ms: number;
  readonly priority: number;
  /** The time of the next firing by the clock on the wall, and when it comes with its jitter; null: there is none. */
  readonly next_at: Timestamp | null;
  readonly due_at: Timestamp | null;
  /** The firing that waits for the end of a task: of the one before (`queue`), or of one that it replaces. */
  readonly queued_at: Timestamp | null;
  readonly paused_at: Timestamp | null;
  readonly pause_reason: string | null;
  /** The time of the last firing that made a task, and that task. */
  readonly last_fired_at: Timestamp | null;
  readonly last_task_id: string | null;
  readonly fired_count: number;
  readonly skipped_count: number;
  readonly created_at: Timestamp;
  readonly updated_at: Timestamp;
  /** Of a damaged row, in lists: what is wrong with it. What cannot be read of it is left out. */
  readonly damage?: string;
}

/** Times in a row that made no task, for one reason. */
export interface ScheduleSkip {
  readonly from: Timestamp;
  readonly until: Timestamp;
  readonly count: number;
  readonly kind: SkipKind;
  readonly reason: string;
}

export interface ScheduleDetails extends Schedule {
  /** The last ones, the newest first. */
  readonly skips: readonly ScheduleSkip[];
}

/** A time at which it fires. */
export interface FiringTime {
  readonly at: Timestamp;
  /** By the clock on the wall of its zone: `2026-03-29T03:30:00+02:00`. */
  readonly wall: string;
  readonly time_zone: string;
  /** The clock of its zone is set on that day. */
  readonly clock_change: boolean;
}

export interface BackfillTime extends FiringTime {
  readonly task_id: string;
  /** Its task is there already, and stays as it is. */
  readonly exists: boolean;
  /** Why there is none: another task has its key, or its flow refuses the input. */
  readonly refused?: string;
}

/** As the file of a flow says it (`ScheduleDefinition`), beside its flow. */
export interface NewSchedule {
  readonly name: string;
  readonly flow: string;
  readonly cron?: string;
  readonly every?: string | number;
  readonly timeZone?: string;
  /** As it came: the flow's contract is applied to it. */
  readonly input?: unknown;
  readonly overlap?: string;
  readonly catchUp?: string | { readonly within: string | number };
  readonly jitter?: string | number;
  readonly priority?: number;
}

interface SchedulePage {
  /** In order of name. */
  readonly schedules: readonly Schedule[];
  /** `after` of the next page; unset on the last one. */
  readonly next?: string;
}

export interface Backfill {
  /** From this time to that one, both included; what is yet to come fires by itself. By default until now. */
  readonly from: Timestamp;
  readonly until?: Timestamp | undefined;
  /** Only tell what would be made. */
  readonly dryRun: boolean;
}

/** Times that one preview and one backfill have at most. */
export const FIRINGS_MAX = 1000;

/** All but `list` and `add` throw schedule_not_found. */
export interface Schedules {
  list(page: { readonly limit: number; readonly after?: string }): Promise<SchedulePage>;
  get(name: string): Promise<ScheduleDetails>;
  /** Throws flow_not_found, input_invalid, schedule_exists. */
  add(schedule: NewSchedule): Promise<Schedule>;
  /** It makes no tasks until it is resumed; what would have come meanwhile is put down as skipped. */
  pause(name: string, pause: { readonly reason?: string }): Promise<Schedule>;
  resume(name: string): Promise<Schedule>;
  /** Makes a task now, whatever its times and its overlap say. The same key gives the same task. */
  trigger(name: string, trigger: { readonly idempotencyKey?: string }): Promise<Task>;
  /** Gives it as it was. Throws schedule_of_flow where a flow's file still says it. */
  remove(name: string): Promise<Schedule>;
  /** The next times: 1 to FIRINGS_MAX. Also of a schedule that a loaded file says and no worker has seen yet. */
  preview(name: string, preview: { readonly count: number; readonly from?: Timestamp }): Promise<readonly FiringTime[]>;
  /** Makes the tasks of times that have passed, each under the key of its firing: none is made twice. Throws input_invalid. */
  backfill(name: string, backfill: Backfill): Promise<readonly BackfillTime[]>;
}
