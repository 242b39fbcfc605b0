// The engine: `Taskonaut` over a store in this process.
//
// E1. Callers of one task take turns (in memory here, by version and lease between processes), and each makes its own
//     transition. Whoever lost a race reads the task again and goes on from there.
// E2. What is returned is durable.

import type { Clock } from "../core/clock.ts";
import { TaskonautError } from "../core/errors.ts";
import type { Flow } from "../core/flow.ts";
import { parseTaskId } from "../core/ids.ts";
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
  TaskPage,
  Taskonaut,
} from "../core/taskonaut.ts";
import type { Store } from "../store/store.ts";
import { CommitWriter } from "./commit-writer.ts";
import { planTask } from "./create.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { describeFlow } from "./describe-flow.ts";
import { Draft } from "./draft.ts";
import { Lease } from "./lease.ts";
import { LiveTasks } from "./live-tasks.ts";
import { recover } from "./recover.ts";
import { toTask } from "./resource.ts";
import { LostTaskError, TaskDriver, type DriverTools } from "./task-driver.ts";
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
  #closing: Promise<void> | undefined;

  constructor(private readonly options: EngineOptions) {
    const { store, clock, log, limits } = options;
    this.#store = store;
    this.#flows = new Map(options.flows.map((flow) => [flow.name, flow]));
    this.#turns = new Turns(clock);
    const lease = new Lease(options.newId(), options.workerName, limits.leaseMs, store, clock, log);
    this.#tools = { writer: new CommitWriter(store), lease, clock, log, limits };
  }

  async listFlows(): Promise<readonly FlowDescription[]> {
    const flows = [...this.#flows.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return Promise.all(flows.map(describeFlow));
  }

  async describeFlow(name: string): Promise<FlowDescription> {
    return describeFlow(this.#flow(name));
  }

  async createTask(request: CreateTask): Promise<CreatedTask> {
    this.#assertOpen();
    const { clock, log, limits, writer } = this.#tools;
    const flow = this.#flow(request.flow);
    const planned = planTask(flow, request, { now: clock.now(), newId: this.options.newId, limits });
    const { task } = planned.record;
    if (!(await writer.submitTask(planned.record))) return this.#findKeyed(planned.record);
    log.info?.("task created", { task_id: task.id, flow: flow.name });
    this.#live.keep(task.id, new TaskDriver(planned.record, planned.program, planned.toolOf, this.#tools));
    return { task: toTask(planned.record), created: true };
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
          const failure = isParked(error) ? await toldOnceDurable(error, driver) : error;
          // the tools beside a step in doubt go on, and report to this driver
          if (!(isParked(failure) && driver.isBusy)) this.#live.drop(id);
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
    const flow = this.#flows.get(record.task.flow_name);
    if (!flow) {
      throw new TaskonautError(
        "flow_not_loaded",
        `Task ${id} runs flow ${record.task.flow_name}, which is not loaded here. Load its file, or advance the task where it is.`,
        {
          details: { id, flow: record.task.flow_name },
        },
      );
    }
    const recovery = recover(flow, record, this.#tools.limits.stepsPerTask);
    if (recovery.kind === "mismatch") throw await this.#park(record, recovery.reason);
    const driver = new TaskDriver(record, recovery.program, recovery.tools, this.#tools);
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
    throw new TaskonautError(
      "idempotency_key_reused",
      `The idempotency key was used before, with another flow or input: task ${found.task.id}. Use a new key for a new task.`,
      {
        details: { id: found.task.id },
      },
    );
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

  #flow(name: string): Flow {
    const flow = this.#flows.get(name);
    if (flow) return flow;
    const known = [...this.#flows.keys()].toSorted().join(", ");
    throw new TaskonautError("flow_not_found", `Flow ${JSON.stringify(name)} not found. Known flows: ${known}.`, {
      details: { flow: name },
    });
  }
}

function busy(id: string, ms: number): TaskonautError {
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

/** What to tell of a parked task: that it is, once that is durable, or why it could not be written. */
function toldOnceDurable(parked: unknown, driver: TaskDriver): Promise<unknown> {
  return driver.settle().then(
    () => parked,
    (error: unknown) => error,
  );
}

function isParked(error: unknown): boolean {
  return error instanceof TaskonautError && error.code === "task_parked";
}
