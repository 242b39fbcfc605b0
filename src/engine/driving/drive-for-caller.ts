// Drives a task for a caller.
//
// E1. Callers of one task take turns (in memory here, by version and lease between processes), and each makes its own
//     transition. A caller that lost a race waits for a turn at the store, reads the task again and continues from
//     there.
// E2. What is returned is durable.

import { hasCode, TaskonautError } from "../../core/errors.ts";
import type { TaskRecord } from "../../core/record/record.ts";
import { isTerminal } from "../../core/record/status.ts";
import type { QueueNotifier } from "../process/queue-notifier.ts";
import type { Turn } from "../../store/store.ts";
import { damageOf, recoverSound } from "../task/damage.ts";
import { FlowViolationError, LostTaskError, TaskExistsError } from "../task/driver-tools.ts";
import { TaskDriver } from "../task/task-driver.ts";
import type { DrivingTools } from "./driving-tools.ts";
import { busy } from "./not-now.ts";
import { parkDriven, parkUnrecovered } from "./park.ts";

/** Makes transitions with any methods of the driver. Returns whether there were any. */
export type Drive = (driver: TaskDriver) => boolean | Promise<boolean>;

export class DrivingForCallers {
  constructor(
    private readonly tools: DrivingTools,
    private readonly notifier: QueueNotifier,
    /** Called when a write has failed because the database was away. */
    private readonly onOutage: () => void,
  ) {}

  /**
   * Takes the lock of a task, lets `drive` make transitions, and returns the durable record. If a remembered driver
   * found no transition, the task is read again, because an outsider may have changed it. `unborn`: knows the task,
   * which is not in the store yet; throws TaskExistsError if a task with its id exists.
   */
  async drive(id: string, drive: Drive, unborn?: TaskDriver): Promise<TaskRecord> {
    const { driven, stored, clock, limits, store } = this.tools;
    const deadline = clock.now() + limits.busyMs;
    const unlock = await driven.lock(id);
    let turn: Turn | undefined;
    try {
      if (unborn) driven.remember(id, unborn);
      for (;;) {
        driven.assertOpen();
        const remembered = driven.remembered(id);
        const driver = remembered ?? (await this.#load(id, deadline));
        if (!(driver instanceof TaskDriver)) return driver;
        try {
          const hasMoved = await drive(driver);
          const record = await driver.durableRecord();
          if (hasMoved || !remembered) {
            // remembered again: so many others may have come since that it was dropped
            if (isTerminal(record.task.status)) driven.forget(id);
            else driven.remember(id, driver);
            // a worker continues it, now or later: news that came meanwhile has made it due, whatever is known here
            if (hasMoved && !isTerminal(record.task.status)) this.notifier.tellWorkers();
            return record;
          }
          // its knowledge may be out of date; if it is not, there is nothing to do, even for a driver that knows more
          const { version, wake_seq } = (await stored.read(id)).task;
          if (version === record.task.version && wake_seq === record.task.wake_seq) return record;
          driven.forget(id);
        } catch (error) {
          const failure = await this.#failureOf(error, driver);
          // the tools beside the step that parks the task continue, and report to this driver
          if (!(hasCode(failure, "task_parked") && driver.isBusy)) driven.forget(id);
          if (!(failure instanceof LostTaskError)) {
            // the task may still be leased to this process, without a driver
            if (hasCode(failure, "database_unavailable")) this.onOutage();
            throw failure;
          }
          if (clock.now() > deadline) throw busy(id, limits.busyMs);
          if (turn?.isOver !== false) turn = await store.takeTurn(id);
        }
      }
    } finally {
      turn?.end();
      unlock();
    }
  }

  /** A driver for a task that can be driven here and now, or the record of an ended task. */
  async #load(id: string, deadline: number): Promise<TaskDriver | TaskRecord> {
    const { flows, driven, stored } = this.tools;
    const { record, isOrphan } = await stored.readFree(id, deadline);
    if (isTerminal(record.task.status)) return record;
    const recovery = await recoverSound(flows.ofTask(record.task), record, this.tools);
    if (recovery.kind !== "ready") throw await parkUnrecovered(record, recovery, { ...this.tools, isForCaller: true });
    const driver = new TaskDriver(record, recovery.program, recovery.decisionOf, this.tools, {
      isOrphan,
      left: driven.leftOf(id),
    });
    driven.remember(id, driver);
    return driver;
  }

  async #failureOf(error: unknown, driver: TaskDriver): Promise<unknown> {
    // a worker goes on with it when the pause is over
    if (hasCode(error, "flow_paused")) driver.enqueue();
    if (hasCode(error, "task_parked") || hasCode(error, "flow_paused")) return toldOnceDurable(error, driver);
    if (error instanceof FlowViolationError) return parkDriven(driver, error, { ...this.tools, isForCaller: true });
    const isExplained = error instanceof TaskonautError && error.code !== "internal";
    if (isExplained || error instanceof LostTaskError || error instanceof TaskExistsError) return error;
    const { stored, store } = this.tools;
    try {
      return damageOf(await stored.read(driver.id), store.location) ?? error;
    } catch {
      return error; // it cannot be read either: the first error is reported
    }
  }
}

/** The error for a parked or held-back task: after everything is durable; or the reason why it could not be written. */
function toldOnceDurable(told: unknown, driver: TaskDriver): Promise<unknown> {
  return driver.settle().then(
    () => told,
    (error: unknown) => error,
  );
}
