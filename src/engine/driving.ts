// Tasks are driven here: by whoever calls (`drive`), and by the worker that has claimed them (`work`).
//
// E1. Callers of one task take turns (in memory here, by version and lease between processes), and each makes its own
//     transition. Whoever lost a race reads the task again and goes on from there.
// E2. What is returned is durable.

import { hasCode, TaskonautError } from "../core/errors.ts";
import type { Flow } from "../core/flow.ts";
import type { TaskRecord } from "../core/record.ts";
import { isTerminal } from "../core/status.ts";
import type { ClaimedTask, Store } from "../store/store.ts";
import type { Bell } from "./bell.ts";
import { Draft } from "./draft.ts";
import { FlowViolationError, LostTaskError, type DriverTools } from "./driver-tools.ts";
import { LiveTasks } from "./live-tasks.ts";
import { recover } from "./recover.ts";
import { TaskDriver, type DriverStart } from "./task-driver.ts";
import { Turns } from "./turns.ts";

/** Who has claimed tasks, as those who drive them see it. None of these must throw. */
export interface Claimant {
  isLeaving(): boolean;
  /** Of a task that took its time: nothing is left to do but to write what was done. */
  onIdle(claimed: ClaimedTask): void;
  /** The task is held no more. */
  onEnd(claimed: ClaimedTask, end: WorkEnd): void;
  /** What the store threw, or the flow: the task may still be leased to this process. */
  onFailed(claimed: ClaimedTask, error: unknown): void;
}

/** One claimed task that is driven for its claimant. */
interface Work {
  readonly claimed: ClaimedTask;
  readonly claimant: Claimant;
}

/** How a worker's part in a task came to its end. */
export interface WorkEnd {
  /** The task has ended here. */
  readonly isEnded: boolean;
  /** Else: when it is due again, in store time; null where no time is known. */
  readonly dueAt: number | null;
}

const ENDED: WorkEnd = { isEnded: true, dueAt: null };
const LET_GO: WorkEnd = { isEnded: false, dueAt: null };

export class Driving {
  readonly #turns: Turns;
  readonly #live = new LiveTasks();
  /** Drivers of tasks that the worker of this process has claimed. */
  readonly #claimed = new Map<string, TaskDriver>();
  #isClosing = false;

  constructor(
    private readonly flows: ReadonlyMap<string, Flow>,
    private readonly store: Store,
    private readonly tools: DriverTools,
    private readonly bell: Bell,
    /** Told where a write has failed because the database was away. */
    private readonly onOutage: () => void,
  ) {
    this.#turns = new Turns(tools.clock);
  }

  get isClosing(): boolean {
    return this.#isClosing;
  }

  assertOpen(): void {
    if (this.#isClosing) throw leaving();
  }

  /** Whether others wait for their turn on this task. */
  isWanted(id: string): boolean {
    return this.#turns.isWanted(id);
  }

  /** Ids of tasks that this process may hold a lease on without its worker: somebody drives them, or their tools run. */
  heldByHand(): readonly string[] {
    return [...this.#turns.taken(), ...this.#live.heldIds()];
  }

  /** Something came for the task: whoever drives it here looks at its inbox. */
  wake(id: string): void {
    this.#live.wake(id);
    this.#claimed.get(id)?.wake();
  }

  /** The driver of a task that was just created here. */
  keep(id: string, driver: TaskDriver): void {
    this.#live.keep(id, driver);
  }

  forget(id: string): void {
    this.#live.drop(id);
  }

  /** Gives a function that ends the turn on the task. Throws task_busy. */
  async takeTurn(id: string): Promise<() => void> {
    const { busyMs } = this.tools.limits;
    const endTurn = await this.#turns.take(id, busyMs);
    if (!endTurn) throw busy(id, busyMs);
    return endTurn;
  }

  /** Throws task_not_found. */
  async read(id: string): Promise<TaskRecord> {
    const record = await this.store.readTask(id);
    if (!record) throw new TaskonautError("task_not_found", `Task ${id} not found`, { details: { id } });
    return record;
  }

  /** Whether a living worker of another process holds the task. */
  async isHeldElsewhere({ task }: TaskRecord): Promise<boolean> {
    const owner = task.lease_owner;
    if (owner === null || owner === this.tools.lease.workerId) return false;
    return (await this.store.readWorkerState(owner)) === "alive";
  }

  /** Throws flow_not_loaded. */
  flowOf({ task }: TaskRecord): Flow {
    const flow = this.flows.get(task.flow_name);
    if (flow) return flow;
    throw new TaskonautError(
      "flow_not_loaded",
      `Task ${task.id} runs flow ${task.flow_name}, which is not loaded here. Load its file (--flows), or use the process that has it.`,
      { details: { id: task.id, flow: task.flow_name } },
    );
  }

  /**
   * Takes the turn on a task, lets `drive` make transitions, and gives the durable record. `drive` tells whether it
   * made any; where a driver from memory found none to make, the task is read again, for an outsider may have changed it.
   */
  async drive(id: string, drive: (driver: TaskDriver) => boolean | Promise<boolean>): Promise<TaskRecord> {
    const { clock, limits } = this.tools;
    const deadline = clock.now() + limits.busyMs;
    const endTurn = await this.takeTurn(id);
    try {
      for (;;) {
        this.assertOpen();
        const remembered = this.#live.get(id);
        const driver = remembered ?? (await this.#load(id, deadline));
        if (!(driver instanceof TaskDriver)) return driver;
        try {
          const hasMoved = await drive(driver);
          const record = await driver.durableRecord();
          if (hasMoved || !remembered) {
            // kept anew: so many others may have come since that it was let go
            if (isTerminal(record.task.status)) this.#live.drop(id);
            else this.#live.keep(id, driver);
            // a worker goes on with it, now or then: what came for it meanwhile has made it due, whatever is known here
            if (hasMoved && !isTerminal(record.task.status)) this.bell.ring();
            return record;
          }
          this.#live.drop(id);
        } catch (error) {
          const failure = hasCode(error, "task_parked") ? await toldOnceDurable(error, driver) : error;
          // the tools beside one that parks the task go on, and report to this driver
          if (!(hasCode(failure, "task_parked") && driver.isBusy)) this.#live.drop(id);
          if (failure instanceof FlowViolationError) throw await this.#parkDriven(driver, failure);
          if (!(failure instanceof LostTaskError)) {
            // the task may be leased to this process still, with nobody who drives it
            if (hasCode(failure, "database_unavailable")) this.onOutage();
            throw failure;
          }
          if (clock.now() > deadline) throw busy(id, limits.busyMs);
        }
      }
    } finally {
      endTurn();
    }
  }

  /**
   * Drives a task that was claimed for this process until it has ended, only waits, or `isLeaving`; then it is held no
   * more, and the claimant is told, once. What waits for nothing is driven before this returns: true, where the rest is
   * but to write it.
   */
  work(claimed: ClaimedTask, claimant: Claimant): boolean {
    const { record, takenFrom } = claimed;
    const work: Work = { claimed, claimant };
    const endTurn = this.#turns.takeNow(record.task.id);
    // a caller who has the turn wrote to it, or will find that it was claimed: it is read again
    const driven = endTurn && this.#takeUp(record, { isClaimed: true, isOrphan: takenFrom !== null }, work);
    if (!(driven instanceof TaskDriver)) {
      this.#workOn(work, endTurn, driven);
      return false;
    }
    driven.onSettled((failure) => {
      if (failure !== undefined) return this.#workOn(work, endTurn, Promise.reject(failure));
      endTurn?.();
      claimant.onEnd(claimed, endOf(driven));
    });
    return true;
  }

  /** `work` where there is something to wait for: the turn, or what it comes to. */
  #workOn(work: Work, endTurn: (() => void) | undefined, end: Promise<WorkEnd> | undefined): void {
    const { claimed, claimant } = work;
    this.#workThrough(work, endTurn, end).then(
      (reached) => claimant.onEnd(claimed, reached),
      (error: unknown) => claimant.onFailed(claimed, error),
    );
  }

  /** `end`: what it comes to as it was taken up; unset: it is to be read again first, as after a lost write. */
  async #workThrough(
    work: Work,
    endTurnNow: (() => void) | undefined,
    end: Promise<WorkEnd> | undefined,
  ): Promise<WorkEnd> {
    const { id } = work.claimed.record.task;
    const endTurn = endTurnNow ?? (await this.takeTurn(id));
    try {
      for (let next = end; ;) {
        try {
          if (next) return await next;
        } catch (error) {
          if (!(error instanceof LostTaskError)) throw error;
        }
        const record = await this.read(id);
        if (record.task.lease_owner !== this.tools.lease.workerId) return LET_GO;
        const driven = this.#takeUp(record, { isClaimed: true }, work);
        next = driven instanceof TaskDriver ? driven.settle().then(() => endOf(driven)) : driven;
      }
    } finally {
      this.#claimed.delete(id);
      endTurn();
    }
  }

  /** Drives a task as far as it goes without waiting. Where that is all, the driver is given: it only has to be settled. */
  #takeUp(record: TaskRecord, start: DriverStart, work: Work): TaskDriver | Promise<WorkEnd> {
    this.#live.drop(record.task.id); // what it knows is out of date
    let driver: TaskDriver | undefined;
    try {
      const recovery = recover(this.flowOf(record), record, this.tools.limits.stepsPerTask);
      if (recovery.kind === "mismatch") return this.park(record, recovery.reason).then(() => LET_GO);
      driver = new TaskDriver(record, recovery.program, recovery.decisionOf, this.tools, start);
      const moving = goFar(driver, work.claimant);
      if (moving || driver.isBusy) return this.#driveOn(driver, moving, work);
    } catch (error) {
      const failed = Promise.reject<boolean>(error);
      return driver ? this.#driveOn(driver, failed, work) : failed.then(() => LET_GO);
    }
    driver.release();
    return driver;
  }

  /** Drives on from a transition that takes time, until the task is let go of and that is durable. */
  async #driveOn(driver: TaskDriver, moving: Promise<boolean> | undefined, work: Work): Promise<WorkEnd> {
    this.#claimed.set(driver.id, driver);
    try {
      for (let next = moving; next && (await next);) next = goFar(driver, work.claimant);
    } catch (error) {
      if (error instanceof FlowViolationError) {
        await this.#parkDriven(driver, error);
        return LET_GO;
      }
      if (!hasCode(error, "task_parked")) throw error;
    }
    driver.release();
    work.claimant.onIdle(work.claimed);
    if (driver.isBusy) await driver.idle(); // beside one that parks the task
    await driver.settle();
    return endOf(driver);
  }

  /** Puts a task aside with the reason why nobody can drive it. Gives the error that tells so. */
  async park(record: TaskRecord, reason: string): Promise<TaskonautError> {
    const { clock, log, writer } = this.tools;
    const { id, flow_name: flow } = record.task;
    const draft = new Draft(record);
    if (record.task.parked_reason !== reason || record.task.lease_owner !== null) {
      const parked_code = this.tools.codeOf(flow);
      draft.setTask(clock.now(), { parked_reason: reason, parked_code, due_at: null, lease_owner: null });
    }
    const change = draft.takeChange();
    // lost: somebody else got on with it, which is as good
    if (change) await writer.submitChange(change);
    log.warn?.("task parked", { task_id: id, flow, reason });
    return new TaskonautError("task_parked", `Task ${id} is parked. ${reason}`, { details: { id } });
  }

  /** Parks a task that this process holds and cannot drive, whatever it is that fails. */
  async setAside(id: string, failure: string): Promise<void> {
    const record = await this.read(id);
    if (record.task.lease_owner !== this.tools.lease.workerId) return;
    await this.park(record, `It could not be driven on: ${failure}`);
  }

  /** Lets what runs end within `graceMs`, and drives nothing more. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    const stop = new AbortController();
    const graceEnds = this.tools.clock.sleep(graceMs, stop.signal).catch(() => {});
    const drivers = [...this.#live.drivers(), ...this.#claimed.values()];
    await Promise.race([Promise.all(drivers.map((driver) => driver.idle())), graceEnds]);
    stop.abort();
    for (const driver of [...this.#live.drivers(), ...this.#claimed.values()]) driver.abandon(leaving());
  }

  /** A driver for a task that can be driven here and now, or the record of one that has ended. */
  async #load(id: string, deadline: number): Promise<TaskDriver | TaskRecord> {
    const { record, isOrphan } = await this.#readFree(id, deadline);
    if (isTerminal(record.task.status)) return record;
    const flow = this.flowOf(record);
    const recovery = recover(flow, record, this.tools.limits.stepsPerTask);
    if (recovery.kind === "mismatch") throw await this.park(record, recovery.reason);
    const driver = new TaskDriver(record, recovery.program, recovery.decisionOf, this.tools, { isOrphan });
    this.#live.keep(id, driver);
    return driver;
  }

  /** Waits until no other living worker holds the task. */
  async #readFree(id: string, deadline: number): Promise<{ record: TaskRecord; isOrphan: boolean }> {
    const { clock, lease, limits } = this.tools;
    for (let waitMs = 2; ; waitMs = Math.min(2 * waitMs, 100)) {
      this.assertOpen();
      const record = await this.read(id);
      const owner = record.task.lease_owner;
      if (owner === null || owner === lease.workerId) return { record, isOrphan: false };
      if ((await this.store.readWorkerState(owner)) === "dead") return { record, isOrphan: true };
      if (clock.now() > deadline) throw busy(id, limits.busyMs);
      await clock.sleep(waitMs);
    }
  }

  /** The transition that broke determinism is not recorded; all before it is. */
  async #parkDriven(driver: TaskDriver, error: FlowViolationError): Promise<TaskonautError> {
    const record = await driver.durableRecord();
    driver.abandon(error);
    return this.park(record, error.message);
  }
}

/**
 * Makes transitions until there is nothing to do here before something comes from outside, or the claimant leaves. Gives
 * the first one that takes time; where it comes to true there may be more.
 */
function goFar(driver: TaskDriver, claimant: Claimant): Promise<boolean> | undefined {
  while (!driver.isEnded && !driver.onlyWaits && !claimant.isLeaving()) {
    const moved = driver.advance();
    if (moved instanceof Promise) return moved;
    if (!moved) return undefined;
  }
  return undefined;
}

function endOf(driver: TaskDriver): WorkEnd {
  return driver.isEnded ? ENDED : { isEnded: false, dueAt: driver.dueAt };
}

export function busy(id: string, ms: number): TaskonautError {
  return new TaskonautError(
    "task_busy",
    `Task ${id} is busy: another caller is driving it, and it did not become free within ${ms / 1000} s. Try again.`,
    { details: { id } },
  );
}

function leaving(): TaskonautError {
  return new TaskonautError(
    "shutting_down",
    "This process is leaving. What was done so far is recorded; run the task again to go on.",
  );
}

const PAUSES: ReadonlySet<string> = new Set(["task_busy", "task_parked", "shutting_down", "flow_not_loaded"]);

/** Somebody else drives the task, it is parked, or this process leaves: that is no failure of what waits for it. */
export function isPause(error: unknown): boolean {
  return error instanceof TaskonautError && PAUSES.has(error.code);
}

/** What to tell of a parked task: that it is, once that is durable, or why it could not be written. */
function toldOnceDurable(parked: unknown, driver: TaskDriver): Promise<unknown> {
  return driver.settle().then(
    () => parked,
    (error: unknown) => error,
  );
}
