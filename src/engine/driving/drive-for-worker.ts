// Drives tasks that the worker of this process has claimed.
//
// Most tasks wait only for the database. They are driven at once, many in one turn of the event loop, without a promise
// each: promises would cost as much as all their work.

import { hasCode } from "../../core/errors.ts";
import type { TaskRecord } from "../../core/record/record.ts";
import type { ClaimedTask } from "../../store/store.ts";
import { recoverSound } from "../task/damage.ts";
import { FlowViolationError, LostTaskError } from "../task/driver-tools.ts";
import type { Recovery } from "../task/recover.ts";
import { TaskDriver, type DriverStart } from "../task/task-driver.ts";
import type { Unlock } from "./driven-tasks.ts";
import type { DrivingTools } from "./driving-tools.ts";
import { park, parkDriven, parkUnrecovered } from "./park.ts";

/** The claimant of tasks, as their drivers see it. No method may throw. */
export interface Claimant {
  isLeaving(): boolean;
  /** Once for each task that took time: only its changes are still to be written. */
  onIdle(claimed: ClaimedTask): void;
  /** The task is no longer held. */
  onEnd(claimed: ClaimedTask, end: WorkEnd): void;
  /** The store's or the flow's error: the task may still be leased to this process. */
  onFailed(claimed: ClaimedTask, error: unknown): void;
}

/** One claimed task that is driven for its claimant. */
interface Work {
  readonly claimed: ClaimedTask;
  readonly claimant: Claimant;
  /** The claimant knows that the task is idle. */
  isIdle: boolean;
}

/** How a worker's part in a task ended. */
export interface WorkEnd {
  /** The task has ended here. */
  readonly isEnded: boolean;
  /** Otherwise: when it is due again, in store time; null if no time is known. */
  readonly dueAt: number | null;
}

const ENDED: WorkEnd = { isEnded: true, dueAt: null };
const LET_GO: WorkEnd = { isEnded: false, dueAt: null };

export class DrivingForWorker {
  constructor(private readonly tools: DrivingTools) {}

  /**
   * Drives a task that was claimed for this process until it has ended, only waits, or `isLeaving`; then it is no
   * longer held, and the claimant is told once. Everything that need not wait is done before this returns: true if the
   * rest is only to write it.
   */
  drive(claimed: ClaimedTask, claimant: Claimant): boolean {
    const { record, takenFrom, isBare = false } = claimed;
    const work: Work = { claimed, claimant, isIdle: false };
    const unlock = this.tools.driven.lockNow(record.task.id);
    if (takenFrom !== null && (!unlock || isBare)) this.tools.driven.noteOrphan(record);
    // if a caller has the lock, it wrote to the task or will find it claimed: the task is read again. So is a large
    // task, which did not come with the claim
    const taken = unlock && !isBare && this.#takeUp(record, { isClaimed: true, isOrphan: takenFrom !== null }, work);
    if (!(taken instanceof TaskDriver)) {
      this.#driveLater(work, unlock, taken || undefined);
      return false;
    }
    taken.onSettled((failure) => {
      if (failure !== undefined) return this.#driveLater({ ...work, isIdle: true }, unlock, Promise.reject(failure));
      unlock?.();
      claimant.onEnd(claimed, endOf(taken));
    });
    return true;
  }

  /** Parks a task that this process holds and cannot drive, for any reason. */
  async setAside(id: string, failure: string): Promise<void> {
    const { stored, lease } = this.tools;
    // only its row: the rest of its record may be unreadable
    const task = await stored.readRow(id);
    if (task.lease_owner !== lease.workerId) return;
    await park({ task, steps: [], calls: [] }, `It could not be driven on: ${failure}`, this.tools);
  }

  /** `drive` if there is something to wait for: the lock, or the result. */
  #driveLater(work: Work, unlock: Unlock | undefined, end: Promise<WorkEnd> | undefined): void {
    const { claimed, claimant } = work;
    this.#driveThrough(work, unlock, end)
      .finally(() => tellIdle(work))
      .then(
        (reached) => claimant.onEnd(claimed, reached),
        (error: unknown) => claimant.onFailed(claimed, error),
      );
  }

  /** `end`: the result as it was taken up; undefined if the task is to be read again, as after a lost write. */
  async #driveThrough(work: Work, lock: Unlock | undefined, end: Promise<WorkEnd> | undefined): Promise<WorkEnd> {
    const { driven } = this.tools;
    const { id } = work.claimed.record.task;
    const unlock = lock ?? (await driven.lock(id));
    try {
      for (let next = end ?? this.#takeUpAgain(work); ; next = this.#takeUpAgain(work)) {
        try {
          return await next;
        } catch (error) {
          if (!(error instanceof LostTaskError)) throw error;
        }
      }
    } finally {
      driven.letGo(id);
      unlock();
    }
  }

  /** Somebody else wrote to the task, or it is read for the first time. */
  async #takeUpAgain(work: Work): Promise<WorkEnd> {
    const { driven, stored, lease } = this.tools;
    const record = await stored.read(work.claimed.record.task.id);
    if (record.task.lease_owner !== lease.workerId) return LET_GO;
    return settled(this.#takeUp(record, { isClaimed: true, isOrphan: driven.isOrphan(record) }, work));
  }

  /**
   * Drives a task as far as possible without waiting. If that is everything, returns the driver, which only has to be
   * settled.
   */
  #takeUp(record: TaskRecord, start: DriverStart, work: Work): TaskDriver | Promise<WorkEnd> {
    const { flows, driven } = this.tools;
    driven.forget(record.task.id); // its knowledge is out of date
    try {
      const recovery = recoverSound(flows.ofTask(record.task), record, this.tools);
      if (!(recovery instanceof Promise)) return this.#driveFrom(recovery, record, start, work);
      return recovery.then((late) => settled(this.#driveFrom(late, record, start, work)));
    } catch (error) {
      return Promise.reject<WorkEnd>(error);
    }
  }

  #driveFrom(recovery: Recovery, record: TaskRecord, start: DriverStart, work: Work): TaskDriver | Promise<WorkEnd> {
    if (recovery.kind !== "ready") return parkUnrecovered(record, recovery, this.tools).then(() => LET_GO);
    const left = this.tools.driven.leftOf(record.task.id);
    const driver = new TaskDriver(record, recovery.program, recovery.decisionOf, this.tools, { ...start, left });
    try {
      const moving = goFar(driver, work.claimant);
      if (moving || driver.isBusy) return this.#driveSlowly(driver, moving, work);
    } catch (error) {
      return this.#driveSlowly(driver, Promise.reject<boolean>(error), work);
    }
    driver.release();
    return driver;
  }

  /** Continues from a transition that takes time, until the task is released and that is durable. */
  async #driveSlowly(driver: TaskDriver, moving: Promise<boolean> | undefined, work: Work): Promise<WorkEnd> {
    this.tools.driven.hold(driver.id, driver);
    try {
      for (let next = moving; next && (await next);) next = goFar(driver, work.claimant);
    } catch (error) {
      if (error instanceof FlowViolationError) {
        const told = await parkDriven(driver, error, this.tools);
        if (told instanceof LostTaskError) throw told;
        return LET_GO;
      }
      if (!hasCode(error, "task_parked") && !hasCode(error, "flow_paused")) {
        driver.abandon(error); // running work is aborted: the task is given back
        throw error;
      }
    }
    driver.release();
    tellIdle(work);
    if (driver.isBusy) await driver.idle(); // beside one that parks the task
    await driver.settle();
    return endOf(driver);
  }
}

/**
 * Makes transitions until there is nothing to do here before something comes from outside, or the claimant leaves.
 * Returns the first transition that takes time; if it resolves to true, there may be more.
 */
function goFar(driver: TaskDriver, claimant: Claimant): Promise<boolean> | undefined {
  while (!driver.isEnded && !driver.onlyWaits && !claimant.isLeaving()) {
    const moved = driver.advance();
    if (moved instanceof Promise) return moved;
    if (!moved) return undefined;
  }
  return undefined;
}

function tellIdle(work: Work): void {
  if (work.isIdle) return;
  work.isIdle = true;
  work.claimant.onIdle(work.claimed);
}

async function settled(driven: TaskDriver | Promise<WorkEnd>): Promise<WorkEnd> {
  if (!(driven instanceof TaskDriver)) return driven;
  await driven.settle();
  return endOf(driven);
}

function endOf(driver: TaskDriver): WorkEnd {
  return driver.isEnded ? ENDED : { isEnded: false, dueAt: driver.dueAt };
}
