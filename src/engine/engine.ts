// The engine: `Taskonaut` over a store in this process.
//
// E1. Callers of one task take turns (in memory here, by version and lease between processes), and each makes its own
//     transition. Whoever lost a race reads the task again and goes on from there.
// E2. What is returned is durable.

import type { Clock } from "../core/clock.ts";
import { hasCode, TaskonautError } from "../core/errors.ts";
import type { Flow } from "../core/flow.ts";
import { childTaskId, parseTaskId } from "../core/ids.ts";
import { canonicalJson } from "../core/json.ts";
import { PAGE_MAX, type Limits } from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import type { TaskRecord } from "../core/record.ts";
import { isTerminal } from "../core/status.ts";
import type { Task } from "../core/task.ts";
import type {
  CreateTask,
  CreatedTask,
  FlowDescription,
  ListTasks,
  RunTask,
  SignalTask,
  TaskPage,
  Taskonaut,
} from "../core/taskonaut.ts";
import { messageOf } from "../core/stored-error.ts";
import type { InboxPost, Store } from "../store/store.ts";
import { CommitWriter } from "./commit-writer.ts";
import { checkKey, planTask, taskIdOf, type TaskPlan } from "./create.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { describeFlow } from "./describe-flow.ts";
import { Draft } from "./draft.ts";
import { findFlow } from "./find-flow.ts";
import { Lease } from "./lease.ts";
import { LiveTasks } from "./live-tasks.ts";
import { recover } from "./recover.ts";
import { toTask } from "./resource.ts";
import { reopenFailedStep } from "./reopen.ts";
import { readSignal } from "./signal.ts";
import { FlowViolationError, LostTaskError, type Children, type DriverTools } from "./driver-tools.ts";
import { cancelOf } from "./posts.ts";
import { TaskDriver } from "./task-driver.ts";
import { Turns } from "./turns.ts";

export interface EngineOptions {
  readonly store: Store;
  readonly flows: readonly Flow[];
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: Limits;
  /** Gives a new UUID, version 7: ids of tasks and of this worker. */
  readonly newId: () => string;
  /** For people: host and process id. */
  readonly workerName: string;
}

export function createEngine(options: EngineOptions): Taskonaut {
  return new Engine(options);
}

class Engine implements Taskonaut {
  readonly #flows: ReadonlyMap<string, Flow>;
  readonly #store: Store;
  readonly #tools: DriverTools;
  readonly #turns: Turns;
  readonly #live = new LiveTasks();
  /** By task: children that were cancelled and come to their end here. */
  readonly #leaving = new Map<string, Promise<void>>();
  #closing: Promise<void> | undefined;

  constructor(private readonly options: EngineOptions) {
    const { store, clock, log, limits } = options;
    this.#store = store;
    this.#flows = new Map(options.flows.map((flow) => [flow.name, flow]));
    this.#turns = new Turns(clock);
    const lease = new Lease(options.newId(), options.workerName, limits.leaseMs, store, clock, log);
    const children: Children = { run: (child) => this.#runChild(child), onPosted: (post) => this.#onPosted(post) };
    this.#tools = { store, writer: new CommitWriter(store), lease, children, clock, log, limits };
  }

  async listFlows(): Promise<readonly FlowDescription[]> {
    const flows = [...this.#flows.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return Promise.all(flows.map(describeFlow));
  }

  async describeFlow(name: string): Promise<FlowDescription> {
    return describeFlow(findFlow(this.#flows, name));
  }

  async createTask(request: CreateTask): Promise<CreatedTask> {
    this.#assertOpen();
    const { clock, limits } = this.#tools;
    const flow = findFlow(this.#flows, request.flow);
    const id = taskIdOf(request, this.options.newId);
    const { record, isNew } = await this.#insert({ id, flow, input: request.input, now: clock.now(), limits });
    if (isNew) return { task: toTask(record), created: true };
    return this.#findKeyed(record);
  }

  async advanceTask(id: string): Promise<Task> {
    return toTask(await this.#drive(parseTaskId(id), (driver) => driver.advance()));
  }

  async runTask(id: string, { maxSteps }: RunTask = {}): Promise<Task> {
    const taskId = parseTaskId(id);
    // a task of so many steps cannot make more: each is planned, run and observed once
    const limit = maxSteps ?? 3 * this.#tools.limits.stepsPerTask + 3;
    let made = 0;
    for (;;) {
      let hasMoved = true;
      let driven: TaskDriver | undefined;
      let start = 0;
      const countLost = (): void => {
        if (driven) made += driven.durableMoves - start;
        driven = undefined;
      };
      const record = await this.#drive(taskId, async (driver) => {
        countLost();
        driven = driver;
        start = driver.durableMoves;
        let moves = 0;
        do {
          hasMoved = await driver.advance();
          if (!hasMoved) break;
          moves += 1;
          driver.writeSoon();
        } while (!driver.isEnded && made + moves < limit && !this.#turns.isWanted(taskId) && !this.#closing);
        return moves > 0;
      });
      countLost();
      if (record.task.status === "CANCELLED") await this.#followCancelledChildren(record);
      if (isTerminal(record.task.status) || !hasMoved) return toTask(record);
      if (made >= limit) {
        throw new TaskonautError(
          "max_steps_exhausted",
          `Task ${taskId} did not reach terminal state within ${limit} steps`,
          {
            details: { id: taskId, status: record.task.status, max_steps: limit },
          },
        );
      }
      this.#assertOpen();
    }
  }

  async signalTask(id: string, { name, payload, idempotencyKey }: SignalTask): Promise<Task> {
    const record = await this.#read(parseTaskId(id));
    const taskId = record.task.id;
    if (idempotencyKey !== undefined) checkKey("Idempotency-Key", idempotencyKey);
    const text = readSignal(this.#flowOf(record), { name, payload, bytesMax: this.#tools.limits.inputBytes });
    const posted = await this.#store.postToTask({
      task_id: taskId,
      kind: "signal",
      name,
      step_id: null,
      payload: text,
      error: null,
      idempotency_key: idempotencyKey ?? null,
    });
    if (posted.kind === "refused") {
      const { status } = (await this.#read(taskId)).task;
      throw new TaskonautError(
        "task_ended",
        `Task ${taskId} is ${status}; only a task that has not ended takes signals.`,
        {
          details: { id: taskId, status },
        },
      );
    }
    if (posted.kind === "duplicate" && !posted.same) throw keyReused(taskId);
    this.#tools.log.info?.("signal received", { task_id: taskId, signal: name });
    this.#live.wake(taskId);
    return this.getTask(taskId);
  }

  async cancelTask(id: string): Promise<Task> {
    const record = await this.#read(parseTaskId(id));
    const taskId = record.task.id;
    if (isTerminal(record.task.status)) return toTask(record);
    await this.#store.postToTask(cancelOf(taskId));
    this.#tools.log.info?.("task cancel requested", { task_id: taskId });
    this.#live.wake(taskId);
    // whoever drives the task hears of it; where nobody does, it is done here
    if (await this.#isHeldElsewhere(record)) return this.getTask(taskId);
    return this.#runCancelled(taskId);
  }

  async retryTask(id: string): Promise<Task> {
    const taskId = parseTaskId(id);
    const { clock, limits, log, writer } = this.#tools;
    const endTurn = await this.#turns.take(taskId, limits.busyMs);
    if (!endTurn) throw busy(taskId, limits.busyMs);
    try {
      const record = await this.#read(taskId);
      const draft = reopenFailedStep(this.#flowOf(record), record, { now: clock.now(), stepsMax: limits.stepsPerTask });
      const change = draft.takeChange();
      if (change && !(await writer.submitChange(change))) throw busy(taskId, limits.busyMs);
      this.#live.drop(taskId);
      log.info?.("task reopened", { task_id: taskId, flow: record.task.flow_name });
      return toTask(draft.record);
    } finally {
      endTurn();
    }
  }

  async resumeTask(id: string): Promise<Task> {
    const taskId = parseTaskId(id);
    const record = await this.#read(taskId);
    if (record.task.parked_reason === null) return toTask(record);
    return toTask(
      await this.#drive(taskId, async (driver) => {
        driver.unpark();
        return true;
      }),
    );
  }

  async getTask(id: string): Promise<Task> {
    return toTask(await this.#read(parseTaskId(id)));
  }

  async listTasks({ limit, cursor }: ListTasks): Promise<TaskPage> {
    if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_MAX) {
      throw new TaskonautError("input_invalid", `limit must be an integer from 1 to ${PAGE_MAX}, got ${limit}.`, {
        errors: [{ path: "limit", message: `must be 1 to ${PAGE_MAX}` }],
      });
    }
    // one more than asked for: whether there is a next page
    const records = await this.#store.listTasks({
      limit: limit + 1,
      ...(cursor !== undefined && { after: readCursor(cursor) }),
    });
    const page = records.slice(0, limit);
    const last = records.length > limit ? page.at(-1) : undefined;
    return { tasks: page.map(toTask), ...(last && { next: writeCursor(last.task) }) };
  }

  checkReady(): Promise<void> {
    return this.#store.checkReady();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { clock, limits, writer, lease } = this.#tools;
    const stop = new AbortController();
    const graceEnds = clock.sleep(limits.graceMs, stop.signal).catch(() => {});
    await Promise.race([Promise.all(this.#live.drivers().map((driver) => driver.idle())), graceEnds]);
    stop.abort();
    for (const driver of this.#live.drivers()) driver.abandon(leaving());
    await writer.settle();
    try {
      await lease.release();
    } finally {
      await this.#store.close();
    }
  }

  /**
   * Takes the turn on a task, lets `drive` make transitions, and gives the durable record. `drive` tells whether it
   * made any; where a driver from memory found none to make, the task is read again, for an outsider may have changed it.
   */
  async #drive(id: string, drive: (driver: TaskDriver) => Promise<boolean>): Promise<TaskRecord> {
    const { clock, limits } = this.#tools;
    const deadline = clock.now() + limits.busyMs;
    const endTurn = await this.#turns.take(id, limits.busyMs);
    if (!endTurn) throw busy(id, limits.busyMs);
    try {
      for (;;) {
        this.#assertOpen();
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
            return record;
          }
          this.#live.drop(id);
        } catch (error) {
          const failure = hasCode(error, "task_parked") ? await toldOnceDurable(error, driver) : error;
          // the tools beside a step in doubt go on, and report to this driver
          if (!(hasCode(failure, "task_parked") && driver.isBusy)) this.#live.drop(id);
          if (failure instanceof FlowViolationError) throw await this.#parkDriven(driver, failure);
          if (!(failure instanceof LostTaskError)) throw failure;
          if (clock.now() > deadline) throw busy(id, limits.busyMs);
        }
      }
    } finally {
      endTurn();
    }
  }

  /** A driver for a task that can be driven here and now, or the record of one that has ended. */
  async #load(id: string, deadline: number): Promise<TaskDriver | TaskRecord> {
    const record = await this.#readFree(id, deadline);
    if (isTerminal(record.task.status)) return record;
    const flow = this.#flowOf(record);
    const recovery = recover(flow, record, this.#tools.limits.stepsPerTask);
    if (recovery.kind === "mismatch") throw await this.#park(record, recovery.reason);
    const driver = new TaskDriver(record, recovery.program, recovery.decisionOf, this.#tools, { isNew: false });
    this.#live.keep(id, driver);
    return driver;
  }

  /** Waits until no other living worker holds the task. */
  async #readFree(id: string, deadline: number): Promise<TaskRecord> {
    const { clock, lease, limits } = this.#tools;
    for (let waitMs = 2; ; waitMs = Math.min(2 * waitMs, 100)) {
      this.#assertOpen();
      const record = await this.#read(id);
      const owner = record.task.lease_owner;
      if (owner === null || owner === lease.workerId) return record;
      if ((await this.#store.readWorkerState(owner)) === "dead") return record;
      if (clock.now() > deadline) throw busy(id, limits.busyMs);
      await clock.sleep(waitMs);
    }
  }

  #assertOpen(): void {
    if (this.#closing) throw leaving();
  }

  async #read(id: string): Promise<TaskRecord> {
    const record = await this.#store.readTask(id);
    if (!record) throw new TaskonautError("task_not_found", `Task ${id} not found`, { details: { id } });
    return record;
  }

  /** The task that an idempotency key has created before; its input must be the same. */
  async #findKeyed(wanted: TaskRecord): Promise<CreatedTask> {
    const found = await this.#read(wanted.task.id);
    if (
      found.task.flow_name === wanted.task.flow_name &&
      canonicalJson(found.task.input_payload) === canonicalJson(wanted.task.input_payload)
    ) {
      return { task: toTask(found), created: false };
    }
    throw keyReused(found.task.id);
  }

  async #park(record: TaskRecord, reason: string): Promise<TaskonautError> {
    const { clock, log, writer } = this.#tools;
    const draft = new Draft(record);
    if (record.task.parked_reason !== reason)
      draft.setTask(clock.now(), { parked_reason: reason, due_at: null, lease_owner: null });
    const change = draft.takeChange();
    // lost: somebody else got on with it, which is as good
    if (change) await writer.submitChange(change);
    log.warn?.("task parked", { task_id: record.task.id, flow: record.task.flow_name, reason });
    return new TaskonautError("task_parked", `Task ${record.task.id} is parked. ${reason}`, {
      details: { id: record.task.id },
    });
  }

  /** The transition that broke determinism is not recorded; all before it is. */
  async #parkDriven(driver: TaskDriver, error: FlowViolationError): Promise<TaskonautError> {
    const record = await driver.durableRecord();
    driver.abandon(error);
    return this.#park(record, error.message);
  }

  /** Inserts a planned task; `isNew` is false where one of this id is there. */
  async #insert(plan: TaskPlan): Promise<{ record: TaskRecord; isNew: boolean }> {
    const { record, program, decisionOf } = planTask(plan);
    const isNew = await this.#tools.writer.submitTask(record);
    if (isNew) {
      const { id, flow_name } = record.task;
      this.#tools.log.info?.("task created", { task_id: id, flow: flow_name });
      this.#live.keep(id, new TaskDriver(record, program, decisionOf, this.#tools, { isNew }));
    }
    return { record, isNew };
  }

  async #runChild({ flow, step, depth }: Parameters<Children["run"]>[0]): Promise<number | null> {
    const { clock, limits } = this.#tools;
    if (depth + 1 > limits.childDepth) {
      throw new TaskonautError(
        "flow_invalid",
        `Child ${flow.name} would be ${depth + 1} levels deep; the limit is ${limits.childDepth} (TASKONAUT_MAX_CHILD_DEPTH).`,
      );
    }
    if (findFlow(this.#flows, flow.name).body !== flow.body) {
      throw new TaskonautError(
        "flow_invalid",
        `Flow ${flow.name} runs as a child but is not the one that is loaded under this name: export it from its file.`,
      );
    }
    const id = childTaskId(step.id);
    const parent = { taskId: step.task_id, stepId: step.id, depth };
    await this.#insert({ id, flow, input: JSON.parse(step.input_payload), now: clock.now(), limits, parent });
    try {
      const { waiting_for } = await this.runTask(id);
      const times = waiting_for.flatMap(({ until }) => (until === null ? [] : Date.parse(until)));
      return times.length > 0 ? Math.min(...times) : null;
    } catch (error) {
      // somebody else drives it, it is parked, or this process leaves: its end will come through the inbox
      if (!isPause(error)) throw error;
      return null;
    }
  }

  /** Children that were cancelled with their task may still be cleaning up when it has ended. */
  async #followCancelledChildren({ steps }: TaskRecord): Promise<void> {
    for (const step of steps) {
      if (step.kind !== "child" || step.status !== "CANCELLED") continue;
      const child = await this.#store.readTask(childTaskId(step.id));
      if (!child || isTerminal(child.task.status) || (await this.#isHeldElsewhere(child))) continue;
      try {
        await this.runTask(child.task.id);
      } catch (error) {
        if (!isPause(error)) throw error;
      }
    }
  }

  /** Whoever drives the task here looks at its inbox. A child that was cancelled may wait, and nobody drive it. */
  #onPosted({ task_id: id, kind }: InboxPost): void {
    this.#live.wake(id);
    if (kind !== "cancel" || this.#leaving.has(id)) return;
    const left = this.#leave(id).finally(() => this.#leaving.delete(id));
    this.#leaving.set(id, left);
  }

  async #leave(id: string): Promise<void> {
    try {
      const record = await this.#store.readTask(id);
      // it may have been given up before it was created
      if (record && !(await this.#isHeldElsewhere(record))) await this.#runCancelled(id);
    } catch (error) {
      // it stays due: whoever drives it next hears of the cancel
      this.#tools.log.warn?.("child not cancelled yet", { task_id: id, error: messageOf(error) });
    }
  }

  /** Runs a task that was cancelled, and the children that were cancelled with it. */
  async #runCancelled(id: string): Promise<Task> {
    const task = await this.runTask(id);
    await Promise.all(task.steps.flatMap((step) => this.#leaving.get(childTaskId(step.id)) ?? []));
    return task;
  }

  async #isHeldElsewhere({ task }: TaskRecord): Promise<boolean> {
    const owner = task.lease_owner;
    if (owner === null || owner === this.#tools.lease.workerId) return false;
    return (await this.#store.readWorkerState(owner)) === "alive";
  }

  #flowOf({ task }: TaskRecord): Flow {
    const flow = this.#flows.get(task.flow_name);
    if (flow) return flow;
    throw new TaskonautError(
      "flow_not_loaded",
      `Task ${task.id} runs flow ${task.flow_name}, which is not loaded here. Load its file (--flows), or use the process that has it.`,
      { details: { id: task.id, flow: task.flow_name } },
    );
  }
}

function busy(id: string, ms: number): TaskonautError {
  return new TaskonautError(
    "task_busy",
    `Task ${id} is busy: another caller is driving it, and it did not become free within ${ms / 1000} s. Try again.`,
    { details: { id } },
  );
}

const PAUSES: ReadonlySet<string> = new Set(["task_busy", "task_parked", "shutting_down", "flow_not_loaded"]);

function isPause(error: unknown): boolean {
  return error instanceof TaskonautError && PAUSES.has(error.code);
}

function keyReused(id: string): TaskonautError {
  return new TaskonautError(
    "idempotency_key_reused",
    `The idempotency key was used before, for something else: task ${id}. Use a new key for what is new.`,
    { details: { id } },
  );
}

function leaving(): TaskonautError {
  return new TaskonautError(
    "shutting_down",
    "This process is leaving. What was done so far is recorded; run the task again to go on.",
  );
}

/** What to tell of a parked task: that it is, once that is durable, or why it could not be written. */
function toldOnceDurable(parked: unknown, driver: TaskDriver): Promise<unknown> {
  return driver.settle().then(
    () => parked,
    (error: unknown) => error,
  );
}
