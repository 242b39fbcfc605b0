// Makes the tasks of schedules: a loop beside that of the queue, in every worker.
//
// SL1. It looks when the next schedule is due, when there may be news, and now and then in any case.
// SL2. Every worker looks, and the first one fires (SS1): there is no leader that could be lost.
// SL3. `cancel-running` cancels only tasks that were open when the schedule's row was read; the firing is written under
//      that version of the row. So a worker that is too late does not cancel a task of a later firing, because that
//      task did not exist then.

import { type Backoff, nextWait } from "../../core/backoff.ts";
import { findZone } from "../../core/next-firing.ts";
import { keyedTaskId } from "../../core/record/ids.ts";
import type { Judged } from "../../core/record/judged.ts";
import { firingKey, type ScheduleRow } from "../../core/record/schedule.ts";
import { TaskonautError } from "../../core/errors.ts";
import { isA, messageOf } from "../../core/record/stored-error.ts";
import type { Clock } from "../../core/clock.ts";
import { during } from "../../core/flow/activity.ts";
import { FlowStuckError } from "../../core/flow/flow-bound.ts";
import type { Limits } from "../../core/limits.ts";
import type { Log } from "../../core/log.ts";
import type { DueSchedule, FiringFlow } from "../../store/schedule-store.ts";
import type { Store } from "../../store/store.ts";
import { planTask } from "../doors/create.ts";
import { damageOfSchedule, zoneUnknown } from "../doors/schedule-damage.ts";
import { inputOfFiring, paused } from "../doors/schedule-row.ts";
import { Pace } from "../process/pace.ts";
import { Pause } from "../process/pause.ts";
import type { QueueNotifier } from "../process/queue-notifier.ts";
import type { StoreClock } from "../process/store-clock.ts";
import type { Flows } from "../task/flows.ts";
import { cancelOf } from "../task/inbox-posts.ts";
import { decideFirings, type FiringPlan, type PlanFiring } from "./decide-firings.ts";

/** A safety net in case news is lost: the time of the next firing is known. */
const POLL_MS = 45_000;

/** News is nearly always about tasks: it does not make anybody look more often. */
const NEWS_MS = 500;

/** The approximate size of one commit: it stays short, however much there is to catch up. */
const TASKS_MAX = 100;

/** After this time another worker, or this one, retries a schedule that could not be computed. */
const LATER_MS = 60_000;

const FAILED: Backoff = { minMs: 50, maxMs: 2_000 };

export interface FiringTools {
  readonly store: Pick<Store, "location" | "schedules" | "postToTask" | "admission">;
  readonly flows: Flows;
  readonly clock: Clock;
  readonly storeClock: StoreClock;
  readonly limits: Limits;
  readonly log: Log;
  readonly notifier: Pick<QueueNotifier, "tellWorkers">;
}

/** The tasks by key; undefined: nobody has the key. */
type KeyHolders = Map<string, string | undefined>;

/** The open task that has the key. */
type HolderOf = (key: string) => string | undefined;

interface Planning {
  readonly now: number;
  readonly holderOf: HolderOf;
}

export class Firings {
  readonly #pause: Pause;
  readonly #flows: readonly FiringFlow[];
  /**
   * When the next firing is due, by the monotonic time of this process, whatever its clock is set to; null: none is
   * known.
   */
  #dueAt: number | null = null;
  /** By the same clock. */
  #lookedAt = Number.NEGATIVE_INFINITY;
  #hasNews = true;
  #failedMs = 0;
  /** The damaged schedules that were logged before. */
  readonly #told = new Set<string>();

  constructor(private readonly tools: FiringTools) {
    this.#pause = new Pause(tools.clock);
    this.#flows = tools.flows.all().map(({ name }) => ({ name, code: tools.flows.codeOf(name) }));
  }

  /** A schedule may be new, or may be due. */
  noteNews(): void {
    if (this.#hasNews) return;
    this.#hasNews = true;
    this.#pause.cut();
  }

  /** Runs until `signal` aborts. Never rejects. */
  async goOn(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => this.#pause.cut();
    signal.addEventListener("abort", onAbort, { once: true });
    while (!signal.aborted) {
      this.#pause.arm();
      const ms = this.#waitMs();
      if (ms > 0) await this.#pause.take(ms);
      else await this.#look(signal);
    }
    signal.removeEventListener("abort", onAbort);
  }

  /** Makes the due firings. Never rejects. */
  async #look(signal: AbortSignal): Promise<void> {
    const { clock, log, storeClock } = this.tools;
    this.#hasNews = false;
    try {
      const pace = new Pace(clock);
      while (!signal.aborted) {
        const askedAt = clock.elapsed();
        const { now, due, nextAt } = await this.tools.store.schedules.readDue(this.#flows);
        storeClock.note(now, askedAt);
        this.#dueAt = nextAt === null ? null : clock.elapsed() + (nextAt - now);
        if (due.length === 0) break;
        const sound = due.filter(({ row }) => this.#isSound(row));
        // the remaining schedules are due again at once
        if (sound.length === 0) break;
        await this.#fireAll(sound, now, pace);
      }
      this.#failedMs = 0;
    } catch (error) {
      this.#failedMs = nextWait(FAILED, this.#failedMs);
      log.warn?.("schedules not reached", { error: messageOf(error) });
    }
    this.#lookedAt = clock.elapsed();
  }

  /** A damaged schedule, which nobody can write, does not block the others. */
  #isSound(row: Judged<ScheduleRow>): boolean {
    if (row.damage === undefined) return true;
    const key = `${row.name} ${row.damage}`;
    if (!this.#told.has(key)) {
      const damage = damageOfSchedule(row, this.tools.store.location);
      this.tools.log.error?.("schedule damaged", { schedule: row.name, error: damage?.message });
    }
    this.#told.add(key);
    return false;
  }

  #waitMs(): number {
    const { clock } = this.tools;
    const since = clock.elapsed() - this.#lookedAt;
    if (this.#failedMs > 0) return this.#failedMs - since;
    const dueMs = this.#dueAt === null ? POLL_MS : this.#dueAt - clock.elapsed();
    return Math.ceil(Math.min(POLL_MS - since, dueMs, this.#hasNews ? NEWS_MS - since : POLL_MS));
  }

  async #fireAll(due: readonly DueSchedule[], now: number, pace: Pace): Promise<void> {
    const plans: FiringPlan[] = [];
    for (const each of due) {
      await pace.turn();
      plans.push(await this.#decide(each, now));
      if (plans.reduce((sum, { tasks }) => sum + tasks.length, 0) >= TASKS_MAX) await this.#fire(plans.splice(0));
    }
    if (plans.length > 0) await this.#fire(plans);
  }

  async #fire(plans: readonly FiringPlan[]): Promise<void> {
    const { store, notifier, log } = this.tools;
    // SL3
    for (const id of plans.flatMap(({ cancels }) => cancels)) await store.postToTask(cancelOf(id));
    const fired = await store.schedules.fire(plans);
    let tasks = 0;
    for (const [place, plan] of plans.entries()) {
      if (fired[place] !== true) continue;
      tasks += plan.tasks.length + plan.cancels.length;
      for (const { task } of plan.tasks)
        log.info?.("schedule fired", { schedule: plan.row.name, task_id: task.id, flow: task.flow_name });
      for (const { kind, count, reason } of plan.skips)
        log.warn?.("schedule skipped", { schedule: plan.row.name, kind, count, reason });
    }
    if (tasks > 0) notifier.tellWorkers();
  }

  /** A schedule that cannot be computed here (its zone is unknown on this machine) does not block the others. */
  async #decide(due: DueSchedule, now: number): Promise<FiringPlan> {
    const { row } = due;
    const holders: KeyHolders = new Map();
    for (;;) {
      const unknown = new Set<string>();
      const decided = this.#tryDecide(due, now, (key) => {
        if (!holders.has(key)) unknown.add(key);
        return holders.get(key);
      });
      if (unknown.size === 0) return decided;
      for (const key of unknown) holders.set(key, await this.tools.store.admission.findOpen(row.flow_name, key));
    }
  }

  #tryDecide(due: DueSchedule, now: number, holderOf: HolderOf): FiringPlan {
    try {
      // a fact about this process: no firing is put down as skipped because of it
      if (findZone(due.row.time_zone) === undefined) throw zoneUnknown(due.row, this.tools.store.location);
      return decideFirings(due, now, (nominalAt, ownOf) => {
        const holder = (key: string): string | undefined => ownOf(key) ?? holderOf(key);
        return this.#plan(due.row, nominalAt, { now, holderOf: holder });
      });
    } catch (error) {
      const { row } = due;
      if (isA(error, TaskonautError) && isA(error.cause, FlowStuckError)) return this.#stop(row, error.message, now);
      this.tools.log.error?.("schedule not worked out", { schedule: row.name, error: messageOf(error) });
      return { row: { ...row, version: row.version + 1, next_at: now + LATER_MS }, tasks: [], skips: [], cancels: [] };
    }
  }

  /** Its flow was aborted while computing. It would be at the next time, too, and each time holds up the worker. */
  #stop(row: ScheduleRow, why: string, now: number): FiringPlan {
    const reason = `${why} Fix the flow, then resume the schedule with schedule resume ${row.name}.`;
    this.tools.log.error?.("schedule paused", { schedule: row.name, reason });
    return { row: paused(row, reason, now), tasks: [], skips: [], cancels: [] };
  }

  #plan(row: ScheduleRow, nominalAt: number, { now, holderOf }: Planning): ReturnType<PlanFiring> {
    const { flows, clock, limits } = this.tools;
    const id = keyedTaskId(firingKey(row.name, nominalAt));
    try {
      const flow = flows.find(row.flow_name);
      const plan = {
        id,
        flow,
        input: inputOfFiring(row, nominalAt),
        now: clock.now(),
        limits,
        dueAt: now,
        priority: row.priority,
        schedule: row.name,
      };
      // a process that dies of it is counted: the schedule must not take down every worker, one after the other
      const { record } = during("flow", { schedule: row.name, at: flow.at }, () => planTask(plan));
      const { unique_key: key } = record.task;
      const takenBy = key === null ? undefined : holderOf(key);
      // a firing made by hand may already have the same time
      if (key === null || takenBy === undefined || takenBy === id) return record;
      return { key, takenBy, replaces: flow.unique?.onConflict === "replace" };
    } catch (error) {
      // if a limit of this process is the reason, the time is left for a process that can
      if (isA(error, TaskonautError) && error.details["limit"] !== undefined) throw error;
      return { refused: messageOf(error) };
    }
  }
}
