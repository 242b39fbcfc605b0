// A schedule as it is stored: the rows of its tables, column by column, the same in both stores. Times are milliseconds
// since 1970 (UTC), by the store's clock.

import type { JsonText } from "./record.ts";

/** What a firing does while a task of its schedule has not ended. */
export const OVERLAPS = ["skip", "queue", "all", "cancel-running"] as const;
export type Overlap = (typeof OVERLAPS)[number];

/** `flow`: the flow's file says it; `command`: somebody made it by `schedule add` or `POST /schedules`. */
export type ScheduleOwner = "flow" | "command";

/** Why firings made no task. */
export const SKIP_KINDS = ["missed", "overlap", "unique", "paused", "refused"] as const;
export type SkipKind = (typeof SKIP_KINDS)[number];

/** What a flow's file, a command or a request says of a schedule. */
export interface ScheduleTerms {
  readonly flow_name: string;
  /** Just one of `cron` and `every_ms` is set. */
  readonly cron: string | null;
  readonly every_ms: number | null;
  readonly time_zone: string;
  readonly input: JsonText;
  readonly overlap: Overlap;
  /** How late a firing may be made that nobody was there to make: `none`, `last` (the last one, however late) or within so long. */
  readonly catch_up: "none" | "last" | "within";
  readonly catch_up_ms: number | null;
  /** A firing comes later than its time by less than this, each by its own share. */
  readonly jitter_ms: number;
  readonly priority: number;
}

export interface ScheduleRow extends ScheduleTerms {
  readonly name: string;
  readonly owner: ScheduleOwner;
  /** Raised by every write. The fence. */
  readonly version: number;
  /** The nominal time of the next firing; null: there is none (paused, or it never fires again). */
  readonly nominal_at: number | null;
  /** When that is due, with its jitter; or when it is looked again whether it can start (`queued_at`). */
  readonly next_at: number | null;
  /** The nominal time of the firing that waits for the end of a task: the one before (`queue`), or one that is replaced. */
  readonly queued_at: number | null;
  readonly paused_at: number | null;
  readonly pause_reason: string | null;
  /** How many processes in a row have died while they planned its next task. */
  readonly deaths: number;
  /** The nominal time of the last firing that made a task, and that task. */
  readonly fired_at: number | null;
  readonly last_task_id: string | null;
  readonly fired_count: number;
  readonly skipped_count: number;
  /** Where the range of skips begins to which the next skip of that kind belongs; null: it begins a new one. */
  readonly skip_from: number | null;
  readonly skip_kind: SkipKind | null;
  readonly created_at: number;
  readonly updated_at: number;
}

/** Firings in a row that made no task, for one reason. */
export interface SkipRow {
  readonly schedule_name: string;
  readonly from_at: number;
  readonly until_at: number;
  /** How many; where the reason says so there were more. */
  readonly count: number;
  readonly kind: SkipKind;
  /** For people. */
  readonly reason: string;
  readonly recorded_at: number;
}

/** Ranges of skips that are kept of each schedule. */
export const SKIPS_KEPT = 50;

/** Which code of a flow says which schedules the flow has. */
export interface ScheduleSourceRow {
  readonly flow_name: string;
  /** Of the flow's code (`Flow.code`). */
  readonly code: string;
  /** A JSON array of the codes that have had a say, the last one last. */
  readonly seen: JsonText;
  readonly version: number;
  /** When a worker that has this code last said so. */
  readonly confirmed_at: number;
}

/** The idempotency key of a firing's task: the same for whoever makes it. */
export function firingKey(name: string, nominalAt: number): string {
  return `schedule:${name}:${new Date(nominalAt).toISOString()}`;
}

/** When the firing is due: its share of the jitter follows from its name and time. */
export function dueOf({ name, jitter_ms }: Pick<ScheduleRow, "name" | "jitter_ms">, nominalAt: number): number {
  if (jitter_ms === 0) return nominalAt;
  const digest = new Bun.CryptoHasher("sha256").update(firingKey(name, nominalAt)).digest();
  return nominalAt + Math.floor((digest.readUInt32BE(0) / 2 ** 32) * jitter_ms);
}
