// Tasks are driven here: by whoever calls (`drive`), and by the worker that has claimed them (`claimed-work.ts`).
//
// E1. Callers of one task take turns (in memory here, by version and lease between processes), and each makes its own
//     transition. Whoever lost a race reads the task again and goes on from there.
// E2. What is returned is durable.

import { hasCode, TaskonautError } from "../../core/errors.ts";
import type { Flow } from "../../core/flow/flow.ts";
import type { TaskRecord, TaskRow } from "../../core/record/record.ts";
import { isTerminal } from "../../core/record/status.ts";
import type { Store } from "../../store/store.ts";
import type { QueueNotifier } from "../process/queue-notifier.ts";
import { ClaimedWork } from "./claimed-work.ts";
import { Draft } from "../task/draft.ts";
import { FlowViolationError, LostTaskError, ObstacleError, type DriverTools } from "../task/driver-tools.ts";
import { cancelByForce } from "../task/force-cancel.ts";
import { LiveTasks } from "./live-tasks.ts";
import { recoverSound } from "../task/damage.ts";
import type { Recovery } from "../task/recover.ts";
import { TaskDriver } from "../task/task-driver.ts";
import { TaskLocks } from "../process/task-locks.ts";

export class Driving {
  readonly #turns: TaskLocks;
  readonly #live = new LiveTasks();
  /** For the worker of this process. */
  readonly claimed: ClaimedWork;
  #isClosing = false;

  constructor(
    private readonly flows: ReadonlyMap<string, Flow>,
    private readonly store: Store,
    private readonly tools: DriverTools,
    private readonly bell: QueueNotifier,
    /** Told where a write has failed because the database was away. */
    private readonly onOutage: () => void,
  ) {
    this.#turns = new TaskLocks(tools.clock);
    this.claimed = new ClaimedWork(this, tools);
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
    this.claimed.wake(id);
  }

  /** The driver of a task that was just created here. */
  keep(id: string, driver: TaskDriver): void {
    this.#live.keep(id, driver);
  }

  forget(id: string): void {
    this.#live.drop(id);
  }

  /** Gives a function that ends the turn on the task; undefined where somebody has it. */
  takeTurnNow(id: string): (() => void) | undefined {
    return this.#turns.takeNow(id);
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

  /** The task's row alone, however large the task is. Throws task_not_found. */
  async readRow(id: string): Promise<TaskRow> {
    const row = await this.store.readTaskRow(id);
    if (!row) throw new TaskonautError("task_not_found", `Task ${id} not found`, { details: { id } });
    return row;
  }

  /** Whether a living worker of another process holds the task. */
  async isHeldElsewhere({ task }: Pick<TaskRecord, "task">): Promise<boolean> {
    const owner = task.lease_owner;
    if (owner === null || owner === this.tools.lease.workerId) return false;
    return (await this.store.readWorkerState(owner)) === "alive";
  }

  /** Throws flow_not_loaded. */
  flowOf({ task }: Pick<TaskRecord, "task">): Flow {
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
          // what it knows may be out of date; where it is not, there is nothing to do, neither for a driver that knows more
          const { version, wake_seq } = (await this.read(id)).task;
          if (version === record.task.version && wake_seq === record.task.wake_seq) return record;
          this.#live.drop(id);
        } catch (error) {
          const failure = await this.#failureOf(error, driver);
          // the tools beside one that parks the task go on, and report to this driver
          if (!(hasCode(failure, "task_parked") && driver.isBusy)) this.#live.drop(id);
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
   * Puts a task aside with the reason why nobody can drive it. `forAll`: this process cannot, and every worker that has the
   * flow tries it now and then, whatever its code. Gives the error that tells so.
   */
  async park(record: TaskRecord, reason: string, { forAll = false } = {}): Promise<TaskonautError> {
    const { clock, log, writer } = this.tools;
    const { id, flow_name: flow } = record.task;
    const draft = new Draft(record);
    if (record.task.parked_reason !== reason || record.task.lease_owner !== null) {
      const parked_code = forAll ? null : this.tools.codeOf(flow);
      draft.setTask(clock.now(), { parked_reason: reason, parked_code, due_at: null, lease_owner: null });
    }
    const change = draft.takeChange();
    // lost: somebody else got on with it, which is as good
    if (change) await writer.submitChange(change);
    log.warn?.("task parked", { task_id: id, flow, reason });
    return new TaskonautError("task_parked", `Task ${id} is parked. ${reason}`, { details: { id } });
  }

  /**
   * Ends a task that was told to cancel by force, whatever its flow would do: where somebody drives it, by him. Gives the
   * record of its end. Throws task_busy where another process holds it and does not hear.
   */
  async endByForce(id: string): Promise<TaskRecord> {
    const { clock, limits, writer, log, children } = this.tools;
    const deadline = clock.now() + limits.busyMs;
    const endTurn = await this.takeTurn(id);
    try {
      for (;;) {
        const remembered = this.#live.get(id);
        if (remembered) await this.#hearOnce(remembered);
        const { record } = await this.#readFree(id, deadline);
        if (isTerminal(record.task.status)) return record;
        const draft = new Draft(record);
        cancelByForce(draft, clock.now());
        const change = draft.takeChange();
        if (change && (await writer.submitChange(change))) {
          log.warn?.("task cancelled by force", { task_id: id, flow: record.task.flow_name });
          for (const post of change.posts) children.onPosted(post);
          return draft.record;
        }
      }
    } finally {
      endTurn();
    }
  }

  /** Tools of the task may run here: they are to be aborted by whoever started them. */
  async #hearOnce(driver: TaskDriver): Promise<void> {
    try {
      await driver.hear();
      await driver.settle();
    } catch (error) {
      if (!(error instanceof LostTaskError)) throw error;
    } finally {
      this.#live.drop(driver.id);
    }
  }

  parkUnrecovered(record: TaskRecord, { kind, reason }: Exclude<Recovery, { kind: "ready" }>): Promise<TaskonautError> {
    return this.park(record, reason, { forAll: kind === "obstacle" });
  }

  /** Parks a task that this process holds and cannot drive, whatever it is that fails. */
  async setAside(id: string, failure: string): Promise<void> {
    // its row alone: the rest of its record may be what cannot be read
    const task = await this.readRow(id);
    if (task.lease_owner !== this.tools.lease.workerId) return;
    await this.park({ task, steps: [], calls: [] }, `It could not be driven on: ${failure}`);
  }

  /** Lets what runs end within `graceMs`, and drives nothing more. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    const stop = new AbortController();
    const graceEnds = this.tools.clock.sleep(graceMs, stop.signal).catch(() => {});
    const drivers = [...this.#live.drivers(), ...this.claimed.drivers()];
    await Promise.race([Promise.all(drivers.map((driver) => driver.idle())), graceEnds]);
    stop.abort();
    for (const driver of [...this.#live.drivers(), ...this.claimed.drivers()]) driver.abandon(leaving());
  }

  /** A driver for a task that can be driven here and now, or the record of one that has ended. */
  async #load(id: string, deadline: number): Promise<TaskDriver | TaskRecord> {
    const { record, isOrphan } = await this.#readFree(id, deadline);
    if (isTerminal(record.task.status)) return record;
    const flow = this.flowOf(record);
    const recovery = await recoverSound(flow, record, this.tools);
    if (recovery.kind !== "ready") throw await this.parkUnrecovered(record, recovery);
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

  async #failureOf(error: unknown, driver: TaskDriver): Promise<unknown> {
    if (hasCode(error, "task_parked")) return toldOnceDurable(error, driver);
    return error instanceof FlowViolationError ? this.parkDriven(driver, error) : error;
  }

  /**
   * The transition that broke determinism is not recorded; all before it is. Gives the error that tells so, or that the
   * task was lost: then what it was driven from is out of date, and so is what it broke.
   */
  async parkDriven(driver: TaskDriver, error: FlowViolationError): Promise<TaskonautError | LostTaskError> {
    try {
      const record = await driver.durableRecord();
      driver.abandon(error);
      return await this.park(record, error.message, { forAll: error instanceof ObstacleError });
    } catch (failure) {
      if (failure instanceof LostTaskError) return failure;
      throw failure;
    }
  }
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
