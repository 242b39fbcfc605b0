// Decides what to do with a due schedule, from its row alone, without a store or a clock.
//
// DF1. Firings are handled in order, each once: a firing makes a task, is recorded as skipped, or waits (`queue`).
// DF2. A firing that is at most LATE_MS late is on time, whatever the schedule's `catch_up`: no firing is lost because
//      a worker is busy, or was just killed. Later firings follow `catch_up`.
// DF3. If one firing fails (its flow refuses the input), that is recorded for this firing, and the next one follows.
// DF4. A firing whose key another open task has is recorded as skipped, too. If the flow replaces that task, it is
//      cancelled, and the firing waits for its end, as with `queue`.
// DF5. A task that is about to be made here has not begun yet. So a later firing with its key is not refused because of
//      it, but waits for its end, or takes its place if the flow replaces.

import { nextFiring } from "../../core/next-firing.ts";
import { lastBefore, NOT_ALL, passTimes, timingOf } from "../doors/schedule-row.ts";
import { dueOf, type ScheduleRow, type SkipKind, type SkipRow } from "../../core/record/schedule.ts";
import type { TaskRecord } from "../../core/record/record.ts";
import type { DueSchedule, Firing } from "../../store/schedule-store.ts";

/** DF2. */
const LATE_MS = 60_000;

/** The most tasks of one firing; the rest is looked for at once. */
const TASKS_MAX = 10;

/** The most times that one firing handles. */
const TIMES_MAX = 200;

/**
 * A firing that waits for the end of a task is checked again after a tenth of its waiting time, within these bounds.
 */
const WAIT_MS = { min: 1_000, max: 30_000 };

export interface FiringPlan extends Firing {
  /** Ids of tasks to cancel before the firing is written. */
  readonly cancels: readonly string[];
}

/** Another open task of the flow has the key of a firing's task. */
interface TakenKey {
  readonly key: string;
  readonly takenBy: string;
  /** The flow cancels such a task, and the new task takes its place when it has ended. */
  readonly replaces: boolean;
}

/**
 * Makes the task of a firing, or says why there is none. `ownOf`: the id of a task with this key that is about to be
 * made.
 */
export type PlanFiring = (
  nominalAt: number,
  ownOf: (key: string) => string | undefined,
) => TaskRecord | TakenKey | { readonly refused: string };

/** A task that is about to be made, and the row before it. */
interface Made {
  readonly at: number;
  readonly record: TaskRecord;
  readonly before: ScheduleRow;
}

export function decideFirings({ row, open }: DueSchedule, now: number, plan: PlanFiring): FiringPlan {
  return new Decision(row, open, now, plan).decide();
}

class Decision {
  readonly #made: Made[] = [];
  readonly #skips: SkipRow[] = [];
  readonly #cancels = new Set<string>();
  #hasOpen: boolean;
  /** DF5. This time and all later ones are left for the next look. */
  #isHeld = false;
  #row: ScheduleRow;

  constructor(
    row: ScheduleRow,
    private readonly open: readonly string[],
    private readonly now: number,
    private readonly plan: PlanFiring,
  ) {
    this.#row = row;
    this.#hasOpen = open.length > 0;
  }

  decide(): FiringPlan {
    const { queued_at: queued } = this.#row;
    if (queued !== null && (!this.#hasOpen || this.#row.overlap !== "queue")) {
      this.#row = { ...this.#row, queued_at: null };
      if (this.#hasOpen && this.#row.overlap === "skip") this.#skipQueued(queued);
      else this.#fire(queued, this.#row.overlap === "cancel-running" ? this.open : []);
    }
    const timing = timingOf(this.#row);
    let at = this.#row.nominal_at === null ? null : this.#passMissed(this.#row.nominal_at);
    for (let times = 0; at !== null && this.#isDue(at) && times < TIMES_MAX; times++) {
      if (this.#made.length === TASKS_MAX) break;
      const next: number | null = nextFiring(timing, at) ?? null;
      this.#dealWith(at, next === null || !this.#isDue(next));
      if (this.#isHeld) break;
      at = next;
    }
    return {
      row: this.#moved(at),
      tasks: this.#made.map(({ record }) => record),
      skips: this.#skips,
      cancels: [...this.#cancels],
    };
  }

  #isDue(at: number): boolean {
    return dueOf(this.#row, at) <= this.now;
  }

  /**
   * A worker is back after a long time: returns the first time that may still matter, with all earlier ones recorded.
   */
  #passMissed(first: number): number | null {
    const { catch_up, catch_up_ms, jitter_ms } = this.#row;
    const timing = timingOf(this.#row);
    const onTime = this.now - LATE_MS - jitter_ms;
    if (first >= onTime) return first;
    const latest = catch_up === "last" ? lastBefore(timing, onTime) : onTime;
    const from = catch_up === "within" ? Math.min(onTime, this.now - (catch_up_ms ?? 0)) : latest;
    const passed = passTimes(timing, first, from);
    if (passed.count === 0) return first;
    const { last: until, count, isAll, next } = passed;
    this.#skip(first, "missed", isAll ? AWAY : `${AWAY}; ${NOT_ALL}`, { until, count });
    return next;
  }

  #dealWith(at: number, isLast: boolean): void {
    const { catch_up, catch_up_ms } = this.#row;
    if (this.now - dueOf(this.#row, at) > LATE_MS) {
      const isWanted = catch_up === "within" ? this.now - at <= (catch_up_ms ?? 0) : catch_up === "last" && isLast;
      if (!isWanted) return this.#skip(at, "missed", AWAY);
    }
    switch (this.#row.overlap) {
      case "all":
        return this.#fire(at);
      case "skip":
        if (this.#hasOpen) return this.#skip(at, "overlap", `a task has not ended: ${this.#openId()}`);
        return this.#fire(at);
      case "queue":
        if (!this.#hasOpen && this.#row.queued_at === null) return this.#fire(at);
        if (this.#row.queued_at === null) this.#row = { ...this.#row, queued_at: at };
        else this.#skip(at, "overlap", `a firing waits already for a task to end: ${this.#openId()}`);
        return;
      case "cancel-running":
        if (!isLast) return this.#skip(at, "overlap", "the next time has come as well, and its task is the one");
        return this.#fire(at, this.open);
    }
  }

  #openId(): string {
    return this.open[0] ?? this.#made.at(-1)?.record.task.id ?? "";
  }

  /** `replaced`: the tasks that are cancelled for it. */
  #fire(at: number, replaced: readonly string[] = []): void {
    const made = this.plan(
      at,
      (key) => this.#made.find(({ record }) => record.task.unique_key === key)?.record.task.id,
    );
    if ("refused" in made) return this.#skip(at, "refused", made.refused);
    if ("key" in made) {
      const place = this.#made.findIndex(({ record }) => record.task.id === made.takenBy);
      if (place === -1) return this.#fireLater(at, made, replaced);
      if (!made.replaces) return this.#fireAfterOwn(at);
      this.#unmake(place, made.key);
      return this.#fire(at, replaced);
    }
    for (const id of replaced) this.#cancels.add(id);
    this.#made.push({ at, record: made, before: this.#row });
    this.#hasOpen = true;
    this.#row = {
      ...this.#row,
      fired_at: at,
      last_task_id: made.task.id,
      fired_count: this.#row.fired_count + 1,
      skip_from: null,
      skip_kind: null,
    };
  }

  /** DF5. */
  #fireAfterOwn(at: number): void {
    if (this.#row.queued_at === null) this.#row = { ...this.#row, queued_at: at };
    else this.#isHeld = true;
  }

  /** DF5. It was replaced before it was made: it never ran. */
  #unmake(place: number, key: string): void {
    const [{ at, before } = { at: 0, before: this.#row }] = this.#made.splice(place, 1);
    const isLast = place === this.#made.length;
    this.#row = {
      ...this.#row,
      fired_count: this.#row.fired_count - 1,
      ...(isLast && { skip_from: before.skip_from, skip_kind: before.skip_kind }),
    };
    this.#skip(at, "unique", `the next time has come as well, and its task has the same key ${JSON.stringify(key)}`);
  }

  /** DF4. */
  #fireLater(at: number, { key, takenBy, replaces }: TakenKey, replaced: readonly string[]): void {
    // the id last: a table that is too narrow leaves it out
    const why = (what: string): string => `${what} its key ${JSON.stringify(key)}: ${takenBy}`;
    if (!replaces && !replaced.includes(takenBy)) return this.#skip(at, "unique", why("an open task has"));
    if (this.#row.queued_at !== null)
      return this.#skip(at, "unique", why("a firing waits already for the task that has"));
    for (const id of replaced) this.#cancels.add(id);
    this.#cancels.add(takenBy);
    this.#row = { ...this.#row, queued_at: at };
  }

  /** It waited under another rule. Its range is its own: later times may have been skipped while it waited. */
  #skipQueued(at: number): void {
    this.#row = { ...this.#row, skip_from: null, skip_kind: null };
    this.#skip(at, "overlap", `a task has not ended: ${this.#openId()}`);
    this.#row = { ...this.#row, skip_from: null, skip_kind: null };
  }

  /** Consecutive times that are skipped for the same reason form one range. */
  #skip(at: number, kind: SkipKind, reason: string, { until = at, count = 1 } = {}): void {
    const isSame = this.#row.skip_kind === kind && this.#row.skip_from !== null;
    const from = isSame ? (this.#row.skip_from ?? at) : at;
    const place = this.#skips.findIndex(({ from_at }) => from_at === from);
    const skip: SkipRow = {
      schedule_name: this.#row.name,
      from_at: from,
      until_at: until,
      count: (this.#skips[place]?.count ?? 0) + count,
      kind,
      reason: this.#skips[place]?.reason ?? reason,
      recorded_at: this.now,
    };
    if (place === -1) this.#skips.push(skip);
    else this.#skips[place] = skip;
    this.#row = { ...this.#row, skip_from: from, skip_kind: kind, skipped_count: this.#row.skipped_count + count };
  }

  #moved(next: number | null): ScheduleRow {
    const row = this.#row;
    const times = next === null || this.#isHeld ? [] : [dueOf(row, next)];
    if (row.queued_at !== null) {
      const waited = (this.now - row.queued_at) / 10;
      times.push(this.now + Math.round(Math.min(Math.max(waited, WAIT_MS.min), WAIT_MS.max)));
    }
    return {
      ...row,
      version: row.version + 1,
      deaths: 0, // it was planned, and this process lives
      nominal_at: next,
      next_at: times.length === 0 ? null : Math.min(...times),
      updated_at: this.now,
    };
  }
}

const AWAY = "no worker was there that has its flow and could make the task";
