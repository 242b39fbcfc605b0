// The engine: `Taskonaut` over a store in this process, and the worker that it may have.

import { parseTaskId } from "../core/record/ids.ts";
import { BULK_FLOW } from "../core/api/bulk.ts";
import type { Task, TaskSummary } from "../core/api/task.ts";
import type { CreateTask, CreatedTask, RunTask } from "../core/api/create-task.ts";
import type {
  CancelTask,
  FlowDescription,
  FoundTasks,
  ListTasks,
  LookAtSteps,
  OutputContract,
  ResolveTask,
  SignalTask,
  SummaryPage,
  TaskPage,
  Taskonaut,
} from "../core/api/taskonaut.ts";
import type { Pauses } from "../core/api/pauses.ts";
import type { AuditLog } from "../core/api/audit.ts";
import type { Sessions } from "../core/api/sessions.ts";
import type { Gate } from "../core/api/tokens.ts";
import type { ReadStats, Stats } from "../core/api/stats.ts";
import type { CountTasks, TaskCounts } from "../core/api/task-counts.ts";
import type { Trace } from "../core/record/trace.ts";
import type { Worker as WorkerResource } from "../core/api/worker.ts";
import type { Limits as LimitsApi } from "../core/api/limits.ts";
import type { Store } from "../store/store.ts";
import { Acting } from "../acting.ts";
import { turnOfLoop } from "../turn-of-loop.ts";
import type { Engine, EngineOptions } from "./engine-options.ts";
import { leaseOf } from "./engine-lease.ts";
import { drivingToolsOf } from "./engine-tools.ts";
import { EngineWorker } from "./engine-worker.ts";
import { QueueNotifier } from "./process/queue-notifier.ts";
import { BulkOperations } from "./driving/bulk/bulk-operations.ts";
import { createBulkFlow } from "./driving/bulk/bulk-flow.ts";
import { ChildTasks } from "./driving/child-tasks.ts";
import { AuditDoor } from "./doors/audit.ts";
import { findTasks } from "./doors/find-tasks.ts";
import { LimitsDoor } from "./doors/limits.ts";
import { KnownNames } from "./doors/known-names.ts";
import { describeOutput } from "./doors/resolve.ts";
import { readStats } from "./doors/stats.ts";
import { TaskReading } from "./doors/task-reading.ts";
import { LoginSessions } from "./doors/sessions.ts";
import { AccessTokens } from "./doors/tokens.ts";
import type { DrivingTools } from "./driving/driving-tools.ts";
import { DrivenTasks } from "./driving/driven-tasks.ts";
import { DrivingForCallers } from "./driving/drive-for-caller.ts";
import { cancelTask } from "./driving/cancel-task.ts";
import { Forking } from "./driving/forking.ts";
import { NewTasks } from "./driving/new-tasks.ts";
import { TaskResults } from "./driving/task-results.ts";
import { UniqueTasks } from "./driving/unique-tasks.ts";
import { retryTask } from "./driving/retry-task.ts";
import { schedulesOf } from "./driving/schedules.ts";
import { StoredTasks } from "./driving/stored-tasks.ts";
import { Ends } from "./process/ends.ts";
import { Holdings } from "./process/holdings.ts";
import { withStanding } from "./doors/flow-standing.ts";
import { Pausing } from "./doors/pauses.ts";
import { LimitDesk } from "./process/limit-desk.ts";
import { EventHub } from "./process/event-hub.ts";
import { KnownPauses } from "./process/known-pauses.ts";
import { Flows } from "./task/flows.ts";
import { toTask, toWorker } from "./task/to-task.ts";
import { runToEnd, type RunTools } from "./driving/run-to-end.ts";
import { resolveTask } from "./driving/resolve-task.ts";
import { resumeTask } from "./driving/resume-task.ts";
import { signalTask } from "./driving/signal-task.ts";
import { StoreClock } from "./process/store-clock.ts";
import { limitsOf } from "./queue/limits-of.ts";
import type { RunningWorker, WorkOptions } from "./queue/worker-tools.ts";

export function createEngine(options: EngineOptions): Engine {
  return new StoreEngine(options);
}

class StoreEngine implements Engine {
  readonly forks: Forking;
  readonly events: EventHub;
  readonly tokens: Gate;
  readonly audit: AuditLog;
  readonly sessions: Sessions;
  readonly results: TaskResults;
  readonly bulk: BulkOperations;
  readonly #ends: Ends;
  readonly #runTools: RunTools;
  readonly schedules: Taskonaut["schedules"];
  readonly #flows: Flows;
  readonly #store: Store;
  readonly #tools: DrivingTools;
  readonly #driven: DrivenTasks;
  readonly #stored: StoredTasks;
  readonly #callers: DrivingForCallers;
  readonly #newTasks: NewTasks;
  readonly #children: ChildTasks;
  readonly #notifier: QueueNotifier;
  readonly #pauses: KnownPauses;
  readonly pauses: Pauses;
  readonly #worker: EngineWorker;
  readonly #holdings: Holdings;
  readonly #reading: TaskReading;
  readonly #names: KnownNames;
  readonly limits: LimitsApi;
  #closing: Promise<void> | undefined;

  constructor(options: EngineOptions) {
    const { store, clock, log, limits } = options;
    this.#store = store;
    const actors = new Acting();
    const door = new AuditDoor(store.audit, actors, turnOfLoop, store.location);
    this.audit = door;
    const { audit } = door;
    // its start is written down, and says who; the rest is a worker's
    const makeBulkFlow = () => createBulkFlow((request) => actors.asNobody(() => this.bulk.doPortion(request)));
    this.#flows = new Flows(options.flows, limits, { name: BULK_FLOW, make: makeBulkFlow });
    const workerId = options.newId();
    this.#pauses = new KnownPauses({
      store,
      clock,
      log,
      workerId,
      onAbort: (pauses) => this.#driven.drivers().forEach((driver) => driver.interrupt(pauses)),
      onWoken: (id) => this.#wake(id),
    });
    const lease = leaseOf(options, workerId, this.#flows);
    this.#notifier = new QueueNotifier(store, clock, log);
    const names = new KnownNames({ store, flows: this.#flows });
    this.#names = names;
    this.events = new EventHub({ events: store.events, clock, log, checkNames: (filter) => names.check(filter) });
    const storeClock = new StoreClock(store, clock);
    const tokens = new AccessTokens(store.tokens, clock, storeClock, audit, store.location, names);
    this.tokens = tokens;
    this.sessions = new LoginSessions(store.sessions, tokens, clock, storeClock, audit);
    this.#driven = new DrivenTasks(clock, limits.busyMs);
    this.#ends = new Ends({ store, clock, storeClock });
    this.#stored = new StoredTasks(
      { store, lease, driven: this.#driven, clock, tellWait: options.tellWait },
      limits.busyMs,
    );
    this.#reading = new TaskReading({
      store,
      clock,
      storeClock,
      pauses: this.#pauses,
      flows: this.#flows,
      names,
      read: (id, reading) => this.#stored.read(id, reading),
      turnOfLoop,
    });
    this.#children = new ChildTasks(() => ({
      store,
      tools: this.#tools,
      notifier: this.#notifier,
      insert: (plan) => this.#newTasks.insert(plan),
      run: (id) => this.runTask(id),
    }));
    const limitDesk = new LimitDesk({ store, lease, clock, log, onWoken: (ids) => this.#wakeAll(ids) });
    this.limits = new LimitsDoor({
      store,
      audit,
      own: () => limitsOf(this.#flows.all()),
      onChanged: async () => {
        await limitDesk.settleNow();
        this.#notifier.tellWorkers();
      },
    });
    this.#tools = drivingToolsOf(options, {
      flows: this.#flows,
      audit,
      driven: this.#driven,
      stored: this.#stored,
      notifier: this.#notifier,
      events: this.events,
      lease,
      limitDesk,
      children: this.#children,
      storeClock,
      pauses: this.#pauses,
      isLeaving: () => this.#closing !== undefined,
      hasWorker: () => this.#worker.isThere,
      onEnded: (taskId) => this.#ends.tell(taskId),
      onWoken: (taskId) => this.#wake(taskId),
    });
    this.pauses = new Pausing({
      ...this.#tools,
      store,
      known: this.#pauses,
      notifier: this.#notifier,
      newId: options.newId,
      name: options.workerName,
    });
    this.#newTasks = new NewTasks(
      this.#tools,
      this.#notifier,
      options.newId,
      new UniqueTasks({ ...this.#tools, store, cancel: (id) => this.cancelTask(id) }),
    );
    this.schedules = schedulesOf({ ...this.#tools, store, newTasks: this.#newTasks, notifier: this.#notifier });
    this.#worker = new EngineWorker({ ...this.#tools, store, notifier: this.#notifier, limitDesk });
    this.#callers = new DrivingForCallers(this.#tools, this.#notifier, () => this.#onOutage());
    this.#runTools = {
      callers: this.#callers,
      driven: this.#driven,
      children: this.#children,
      stepsMax: limits.stepsPerTask,
      isLeaving: () => this.#closing !== undefined,
    };
    this.forks = new Forking({
      tools: this.#tools,
      notifier: this.#notifier,
      newId: options.newId,
      tell: (record) => this.#reading.tell(record),
    });
    this.results = new TaskResults({
      tools: this.#tools,
      ends: this.#ends,
      newTasks: this.#newTasks,
      runTools: this.#runTools,
      tell: (record) => this.#reading.tell(record),
      getTask: (id) => this.getTask(id),
      getTaskSummary: (id) => this.getTaskSummary(id),
    });
    this.bulk = new BulkOperations({
      tools: { ...this.#tools, tasks: store, names, resumeTask: (id) => this.resumeTask(id) },
      newTasks: this.#newTasks,
      tell: async (record, isNew) => ({
        task: isNew ? toTask(record) : await this.#reading.tell(record),
        created: isNew,
      }),
    });
    this.#holdings = new Holdings({
      store,
      lease,
      notifier: this.#notifier,
      clock,
      log,
      heldByHand: () => this.#driven.heldIds(),
      isLeaving: () => this.#driven.isClosing,
    });
  }

  async startWorker(options: WorkOptions): Promise<RunningWorker> {
    this.#driven.assertOpen();
    return this.#worker.start(options);
  }

  async listFlows(): Promise<readonly FlowDescription[]> {
    return withStanding(await this.#flows.describeAll(), this.#store);
  }

  async describeFlow(name: string): Promise<FlowDescription> {
    const [told] = await withStanding([await this.#flows.describe(name)], this.#store);
    if (!told) throw new Error("One description gives one.");
    return told;
  }

  async createTask(request: CreateTask): Promise<CreatedTask> {
    this.#driven.assertOpen();
    const { record, isNew } = await this.#newTasks.create(request);
    const task = isNew ? this.#reading.tellNew(record) : this.#reading.tell(record);
    return { task: task instanceof Promise ? await task : task, created: isNew };
  }

  async advanceTask(id: string): Promise<Task> {
    const advance = (taskId: string) => this.#callers.drive(taskId, (driver) => driver.advance());
    return this.#stored.about(id, async (taskId) => this.#reading.tell(await advance(taskId)));
  }

  async runTask(id: string, options: RunTask = {}): Promise<Task> {
    const run = (taskId: string) => runToEnd(taskId, options, this.#runTools);
    return this.#stored.about(id, async (taskId) => this.#reading.tell(await run(taskId)));
  }

  async signalTask(id: string, signal: SignalTask): Promise<Task> {
    return this.#stored.about(id, async (taskId) => this.getTask(await signalTask(taskId, signal, this.#tools)));
  }

  cancelTask(id: string, options: CancelTask = {}): Promise<Task> {
    return cancelTask(parseTaskId(id), options, {
      ...this.#tools,
      cancelled: this.#children,
      read: (taskId) => this.getTask(taskId),
      tell: (record) => this.#reading.tell(record),
    });
  }

  async retryTask(id: string): Promise<Task> {
    try {
      return await this.#stored.about(id, async (taskId) => this.#reading.tell(await retryTask(taskId, this.#tools)));
    } finally {
      this.#notifier.tellWorkers(); // a child may be in the queue by now, whatever became of its parent
    }
  }

  async resolveTask(id: string, request: ResolveTask): Promise<Task> {
    try {
      return await this.#stored.about(id, async (taskId) =>
        this.#reading.tell(await resolveTask(taskId, request, this.#tools, this.#callers)),
      );
    } finally {
      this.#notifier.tellWorkers();
    }
  }

  async describeOutput(id: string, step: number): Promise<OutputContract> {
    const record = await this.#stored.read(parseTaskId(id));
    return describeOutput(this.#flows.ofTask(record.task), record, step, this.#tools.limits);
  }

  async resumeTask(id: string): Promise<Task> {
    const taskId = parseTaskId(id);
    const resumed = await resumeTask(taskId, this.#tools, this.#callers);
    return resumed ? this.#reading.tell(resumed) : this.getTask(taskId);
  }

  getTask(id: string, look?: LookAtSteps): Promise<Task> {
    return this.#reading.getTask(id, look);
  }

  listTasks(request: ListTasks): Promise<TaskPage> {
    return this.#reading.listTasks(request);
  }

  countTasks(request: CountTasks = {}): Promise<TaskCounts> {
    return this.#reading.countTasks(request);
  }

  readStats(request: ReadStats = {}): Promise<Stats> {
    return readStats(this.#store, this.#names, request);
  }

  readTrace(id: string): Promise<Trace> {
    return this.#reading.readTrace(id);
  }

  getTaskSummary(id: string, look?: LookAtSteps): Promise<TaskSummary> {
    return this.#reading.getTaskSummary(id, look);
  }

  listTaskSummaries(request: ListTasks): Promise<SummaryPage> {
    return this.#reading.listTaskSummaries(request);
  }

  findTasks(name: string): Promise<FoundTasks> {
    return findTasks(this.#store, name);
  }

  async listWorkers(): Promise<readonly WorkerResource[]> {
    return (await this.#store.listWorkers()).map((worker) => toWorker(worker, this.#store.location));
  }

  /** Whoever has the database may. */
  async checkMayRun(): Promise<void> {}

  checkReady(): Promise<void> {
    return this.#store.checkReady();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Everything that runs shares one grace period. Then all held tasks are released, and others can take them at once. */
  async #close(): Promise<void> {
    const { limits, writer, lease } = this.#tools;
    this.events.close();
    try {
      // a child that was cancelled just now has nobody else to end it, where there is no worker
      const left = this.#children.leaveAll(limits.graceMs).then((graceMs) => this.#driven.close(graceMs));
      await Promise.all([this.#worker.stop(), left, this.results.close()]);
      await writer.settle();
      await this.#notifier.settle();
      await this.#pauses.settle();
      await this.#holdings.letGoOfAll();
    } finally {
      await lease.stop();
      await this.#store.close();
    }
  }

  /** A worker looks itself; it knows what it has claimed. */
  #onOutage(): void {
    if (!this.#worker.lookAgain()) this.#holdings.letGoSoon();
  }

  #wake(id: string): void {
    this.#ends.wake(id);
    this.#wakeAll([id]);
  }

  #wakeAll(ids: readonly string[]): void {
    for (const id of ids) this.#driven.wake(id);
    this.#notifier.tellWorkers();
  }
}
