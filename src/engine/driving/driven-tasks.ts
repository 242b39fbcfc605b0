// The tasks that are driven in this process, or were a moment ago. For each task it keeps the lock, which says who may
// drive it now, and the driver that knows it. The registry owns the locks. A driver belongs to the holder of the lock.
// Afterwards it is remembered, so that the next transition needs neither a read nor a replay. Its knowledge may be out
// of date then; the fence finds that out (store: S1).

import type { Clock } from "../../core/clock.ts";
import type { TaskRecord } from "../../core/record/record.ts";
import { within } from "../process/within.ts";
import { TaskLock } from "../process/task-lock.ts";
import { LostTaskError } from "../task/driver-tools.ts";
import type { LeavingTool } from "../task/running-steps.ts";
import type { TaskDriver } from "../task/task-driver.ts";
import { LeftTools } from "./left-tools.ts";
import { busy, leaving } from "./not-now.ts";

/** How many drivers are remembered. */
const REMEMBERED_MAX = 500;

/** A task from its first lock until nobody has the lock and no driver is kept. */
interface DrivenTask {
  readonly lock: TaskLock;
  /** At most one driver knows the task. */
  driver: TaskDriver | undefined;
  /** Whether the driver stays when the lock is free. */
  isRemembered: boolean;
  /** The version with which this process's worker took it from a dead one, until somebody begins to drive it. */
  orphanedAt: number | undefined;
}

export type Unlock = () => void;

export class DrivenTasks {
  /** In order of last use, the latest last. */
  readonly #tasks = new Map<string, DrivenTask>();
  readonly #left = new LeftTools();
  #rememberedCount = 0;
  #isClosing = false;

  /** `busyMs` is how long a caller waits for a lock. */
  constructor(
    private readonly clock: Clock,
    private readonly busyMs: number,
  ) {}

  // ---- the lock of a task

  /** Undefined if somebody has it. */
  lockNow(id: string): Unlock | undefined {
    const task = this.#tasks.get(id) ?? this.#add(id);
    return task.lock.takeNow() ? () => this.#unlock(id, task) : undefined;
  }

  /** Undefined if it did not become free within `ms`. */
  async lockWithin(id: string, ms: number): Promise<Unlock | undefined> {
    const task = this.#tasks.get(id) ?? this.#add(id);
    return (await task.lock.take(ms, this.clock)) ? () => this.#unlock(id, task) : undefined;
  }

  /** Throws task_busy. */
  async lock(id: string): Promise<Unlock> {
    const unlock = await this.lockWithin(id, this.busyMs);
    if (!unlock) throw busy(id, this.busyMs);
    return unlock;
  }

  /** Whether others wait for the lock of this task. */
  isWanted(id: string): boolean {
    return this.#tasks.get(id)?.lock.isWanted === true;
  }

  #unlock(id: string, task: DrivenTask): void {
    task.lock.free();
    this.#removeUnused(id, task);
  }

  // ---- its driver

  /** Undefined also if the driver has given up since: the task is read again. */
  remembered(id: string): TaskDriver | undefined {
    const task = this.#tasks.get(id);
    if (!task?.driver || task.driver.isAbandoned) return undefined;
    this.#touch(id, task);
    return task.driver;
  }

  /** Also after the lock is free, unless too many others come. */
  remember(id: string, driver: TaskDriver): void {
    const task = this.#tasks.get(id) ?? this.#add(id);
    if (task.driver !== driver) this.#noteLeft(id, task);
    task.driver = driver;
    if (!task.isRemembered) this.#rememberedCount += 1;
    task.isRemembered = true;
    this.#touch(id, task);
    if (this.#rememberedCount > REMEMBERED_MAX) this.#forgetOldest();
  }

  /** Only while the worker has the lock: it drops the driver before it unlocks. */
  hold(id: string, driver: TaskDriver): void {
    const task = this.#tasks.get(id) ?? this.#add(id);
    if (task.driver !== driver) this.#noteLeft(id, task);
    task.driver = driver;
  }

  letGo(id: string): void {
    const task = this.#tasks.get(id);
    if (!task) return;
    task.orphanedAt = undefined;
    if (!task.isRemembered) this.forget(id);
  }

  /**
   * The driver's knowledge is out of date, or nobody needs it any more. Its running tools are aborted, and no new
   * attempt begins (TD1 in `task-driver.ts`): the next driver of the task runs their steps itself.
   */
  forget(id: string): void {
    const task = this.#tasks.get(id);
    if (!task?.driver) return;
    if (task.driver.isBusy) task.driver.abandon(new LostTaskError(id));
    if (task.isRemembered) this.#rememberedCount -= 1;
    task.isRemembered = false;
    this.#noteLeft(id, task);
    task.driver = undefined;
    this.#removeUnused(id, task);
  }

  /** Tools that former drivers of the task have left running here. */
  leftOf(id: string): readonly LeavingTool[] {
    return this.#left.of(id);
  }

  #noteLeft(id: string, { driver }: DrivenTask): void {
    if (driver) this.#left.note(id, driver.toolsThatRun);
  }

  /**
   * This process's worker has taken the task from a dead one, and waits for its lock, or has the lock and has not read
   * the task yet.
   */
  noteOrphan({ task: { id, version } }: Pick<TaskRecord, "task">): void {
    const task = this.#tasks.get(id) ?? this.#add(id);
    task.orphanedAt = version;
  }

  /** Whether the task is held here in the state in which a dead worker left it. */
  isOrphan({ task: { id, version } }: Pick<TaskRecord, "task">): boolean {
    return this.#tasks.get(id)?.orphanedAt === version;
  }

  /** Something came for the task: its driver here reads the inbox. */
  wake(id: string): void {
    this.#tasks.get(id)?.driver?.wake();
  }

  /**
   * Ids of tasks that this process may hold a lease on: somebody drives them, their tools run, or their last write is
   * in progress.
   */
  heldIds(): readonly string[] {
    return [...this.#tasks].flatMap(([id, { lock, driver }]) =>
      lock.isHeld || (driver && isAtWork(driver)) ? id : [],
    );
  }

  drivers(): readonly TaskDriver[] {
    return [...this.#tasks.values()].flatMap(({ driver }) => driver ?? []);
  }

  // ---- closing

  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** Throws shutting_down. */
  assertOpen(): void {
    if (this.#isClosing) throw leaving();
  }

  /** Lets running work end within `graceMs`; then nothing is driven any more. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    await within(graceMs, Promise.all(this.drivers().map((driver) => driver.idle())), this.clock);
    for (const driver of this.drivers()) driver.abandon(leaving());
  }

  // ---- the map

  #add(id: string): DrivenTask {
    const task: DrivenTask = { lock: new TaskLock(), driver: undefined, isRemembered: false, orphanedAt: undefined };
    this.#tasks.set(id, task);
    return task;
  }

  #touch(id: string, task: DrivenTask): void {
    this.#tasks.delete(id);
    this.#tasks.set(id, task);
  }

  #removeUnused(id: string, { lock, driver }: DrivenTask): void {
    if (!lock.isHeld && !driver) this.#tasks.delete(id);
  }

  #forgetOldest(): void {
    for (const [id, { driver, isRemembered }] of this.#tasks) {
      if (!driver || !isRemembered || isAtWork(driver)) continue; // its tools report to it
      return this.forget(id);
    }
  }
}

/** Whether its tools run here, or something of it is not durable yet. */
function isAtWork(driver: TaskDriver): boolean {
  return driver.isBusy || driver.isUnsettled;
}
