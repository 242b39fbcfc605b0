// For tests of the command line, the server and the client: a Taskonaut in memory whose tasks walk through the five
// transitions of `echo_add`. It has contracts and errors, but no tools to run: what is tested is how they are spoken of.

import { TaskonautError } from "../../src/core/errors.ts";
import { parseTaskId } from "../../src/core/record/ids.ts";
import { isTerminal, type TaskStatus } from "../../src/core/record/status.ts";
import type { Json } from "../../src/core/record/json-value.ts";
import { FOUND_MAX, parseTaskName } from "../../src/core/record/task-names.ts";
import { summarize, summarizeListed } from "../../src/core/api/summarize.ts";
import type { Schedules } from "../../src/core/api/schedules.ts";
import { matchesFilter } from "../../src/core/api/match-filter.ts";
import type { CountTasks, TaskCounts } from "../../src/core/api/task-counts.ts";
import { toTrace } from "../../src/core/record/otlp.ts";
import type { Trace } from "../../src/core/record/trace.ts";
import type { Task, TaskBrief, TaskStep, TaskSummary } from "../../src/core/api/task.ts";
import type { Worker } from "../../src/core/api/worker.ts";
import type { CreateTask, RunTask } from "../../src/core/api/create-task.ts";
import type {
  CancelTask,
  FlowDescription,
  FoundTasks,
  ListTasks,
  ResolveTask,
  SignalTask,
  SummaryPage,
  Taskonaut,
  TaskPage,
} from "../../src/core/api/taskonaut.ts";
import { checkEchoAdd, checkSignal, ECHO_ADD, FREE } from "./fake-flows.ts";
import { FakePauses } from "./fake-pauses.ts";
import { FakeAudit } from "./fake-audit.ts";
import { fakeStats } from "./fake-stats.ts";
import { FakeTokens } from "./fake-tokens.ts";
import { FakeEvents } from "./fake-events.ts";
import { FakeBulk } from "./fake-bulk.ts";
import { FakeForks } from "./fake-forks.ts";
import { FakeLimits } from "./fake-limits.ts";
import { FakeResults } from "./fake-results.ts";
import { plannedStep, plannedTask } from "./tasks.ts";

const STATUS_AFTER: readonly TaskStatus[] = [
  "PLANNED",
  "RUNNING",
  "WAITING_OBSERVATION",
  "RUNNING",
  "WAITING_OBSERVATION",
  "COMPLETED",
];

export function fakeTask(number: number, input: Json = { text: "hello", a: 1, b: 2 }, flow = "echo_add"): Task {
  const id = `00000000-0000-7000-8000-${String(number).padStart(12, "0")}`;
  return plannedTask({ id, flow_name: flow, input_payload: input });
}

/** The id of the task that is created first. */
export const TASK_ID = fakeTask(1).id;

/** Those of the Taskonaut itself, without what is in its parts. */
type Method = {
  [Name in keyof Taskonaut]: Taskonaut[Name] extends (...parameters: never[]) => unknown ? Name : never;
}[keyof Taskonaut];

export class FakeTaskonaut implements Taskonaut {
  readonly results = new FakeResults(this);
  readonly forks = new FakeForks(this);
  readonly tokens = new FakeTokens();
  readonly audit = new FakeAudit();
  readonly events = new FakeEvents();
  /** It has none: tests of schedules have an engine. */
  readonly schedules = {
    list: async () => ({ schedules: [] }),
    get: async (name: string) => ({ name, flow_name: "echo_add" }),
  } as unknown as Schedules;
  readonly bulk = new FakeBulk(this);
  readonly limits = new FakeLimits();
  readonly tasks = new Map<string, Task>();
  readonly #asked: { readonly method: Method; readonly parameters: readonly unknown[] }[] = [];
  /** Thrown by every method while it is set. */
  failure: Error | undefined;
  closed = 0;
  /** Of every task; unset: one without spans. */
  trace: Trace | undefined;
  /** What was delivered, in order. */
  readonly signals: SignalTask[] = [];
  workers: readonly Worker[] = [];
  /** Whether what parked a task still stands against it. */
  staysParked = false;
  ends: "COMPLETED" | "FAILED" = "COMPLETED";
  /** Awaited before a task is driven on, or cancelled. */
  whileRunning: (() => Promise<void>) | undefined;
  private readonly keys = new Map<string, string>();
  private readonly transitions = new Map<string, number>();

  readonly pauses = new FakePauses();

  /** Names of the methods that were called, in order. */
  get calls(): readonly Method[] {
    return this.#asked.map(({ method }) => method);
  }

  /** What each call of the method was given, in order. */
  requests<Name extends Method>(method: Name): readonly Parameters<Taskonaut[Name]>[] {
    const calls = this.#asked.filter((call) => call.method === method);
    return calls.map(({ parameters }) => parameters as Parameters<Taskonaut[Name]>);
  }

  async listFlows(): Promise<readonly FlowDescription[]> {
    this.enter("listFlows");
    return [ECHO_ADD, FREE];
  }

  async describeFlow(name: string): Promise<FlowDescription> {
    this.enter("describeFlow", name);
    const flow = [ECHO_ADD, FREE].find((one) => one.name === name);
    if (flow === undefined) throw new TaskonautError("flow_not_found", `Flow ${JSON.stringify(name)} not found`);
    return flow;
  }

  async createTask(request: CreateTask): Promise<{ task: Task; created: boolean }> {
    this.enter("createTask", request);
    const { flow, input, idempotencyKey } = request;
    await this.describeFlow(flow);
    const payload = flow === "echo_add" ? checkEchoAdd(input) : (input as Json);
    const known = idempotencyKey === undefined ? undefined : this.tasks.get(this.keys.get(idempotencyKey) ?? "");
    if (known !== undefined) {
      if (JSON.stringify(known.input_payload) === JSON.stringify(payload)) return { task: known, created: false };
      throw new TaskonautError(
        "idempotency_key_reused",
        `The idempotency key of task ${known.id} came with another input.`,
      );
    }
    const made = fakeTask(this.tasks.size + 1, payload, flow);
    const task = this.change(made, queuedAs(request, made));
    if (idempotencyKey !== undefined) this.keys.set(idempotencyKey, task.id);
    return { task, created: true };
  }

  async advanceTask(id: string): Promise<Task> {
    this.enter("advanceTask", id);
    await this.whileRunning?.();
    const task = this.find(id);
    if (isTerminal(task.status)) return task;
    const count = (this.transitions.get(task.id) ?? 0) + 1;
    const status = STATUS_AFTER[count] as TaskStatus;
    this.transitions.set(task.id, count);
    return this.change(task, {
      status,
      current_step: Math.floor(count / 2),
      steps: stepsAfter(task, count),
      ...(status === "COMPLETED" && this.end()),
    });
  }

  async checkMayRun(): Promise<void> {}

  async runTask(id: string, options: RunTask = {}): Promise<Task> {
    this.enter("runTask", id, options);
    const { maxSteps = 1000 } = options;
    let task = this.find(id);
    for (let i = 0; i < maxSteps && !isTerminal(task.status); i++) task = await this.advanceTask(id);
    if (isTerminal(task.status)) return task;
    throw new TaskonautError(
      "max_steps_exhausted",
      `Task ${task.id} did not reach terminal state within ${maxSteps} steps`,
    );
  }

  async signalTask(id: string, signal: SignalTask): Promise<Task> {
    this.enter("signalTask", id, signal);
    const task = this.find(id);
    checkSignal(task, signal);
    if (isTerminal(task.status)) throw new TaskonautError("task_ended", `Task ${task.id} is ${task.status}.`);
    const { idempotencyKey, payload } = signal;
    const known = this.signals.find((one) => idempotencyKey !== undefined && one.idempotencyKey === idempotencyKey);
    if (known === undefined) this.signals.push(signal);
    else if (!Bun.deepEquals(known.payload, payload))
      throw new TaskonautError("idempotency_key_reused", "The idempotency key came with another payload.");
    return task;
  }

  async cancelTask(id: string, options: CancelTask = {}): Promise<Task> {
    this.enter("cancelTask", id, options);
    await this.whileRunning?.();
    const task = this.find(id);
    return isTerminal(task.status) ? task : this.change(task, { status: "CANCELLED" });
  }

  async retryTask(id: string): Promise<Task> {
    this.enter("retryTask", id);
    const task = this.find(id);
    if (task.status === "FAILED") return this.change(task, { status: "RUNNING", error_message: null });
    throw new TaskonautError("task_not_retryable", `Task ${task.id} cannot be retried: it is ${task.status}.`);
  }

  async resolveTask(id: string, request: ResolveTask): Promise<Task> {
    this.enter("resolveTask", id, request);
    const task = this.find(id);
    if (task.steps.every(({ doubt }) => doubt === null))
      throw new TaskonautError("task_not_in_doubt", `No step of task ${task.id} is in doubt.`);
    return this.change(task, { steps: task.steps.map((step) => ({ ...step, doubt: null })) });
  }

  /** As a server: it tells no contracts of tools. */
  async describeOutput(): Promise<undefined> {}

  async listWorkers(): Promise<readonly Worker[]> {
    this.enter("listWorkers");
    return this.workers;
  }

  async resumeTask(id: string): Promise<Task> {
    this.enter("resumeTask", id);
    const task = this.find(id);
    if (task.parked_reason === null) return task;
    if (this.staysParked) throw new TaskonautError("task_parked", `Task ${task.id} is parked. ${task.parked_reason}`);
    return this.change(task, { parked_reason: null });
  }

  /** For the test's setup, too. */
  change(task: Task, parts: Partial<Task>): Task {
    const changed = { ...task, ...parts };
    this.tasks.set(task.id, changed);
    return changed;
  }

  async readTrace(id: string): Promise<Trace> {
    this.enter("readTrace", id);
    return this.trace ?? toTrace([], { resource: { "taskonaut.task.id": this.find(id).id } });
  }

  async getTask(id: string): Promise<Task> {
    this.enter("getTask", id);
    return this.find(id);
  }

  /** The cursor is the index of the page's first task. */
  async listTasks(request: ListTasks): Promise<TaskPage> {
    this.enter("listTasks", request);
    const { limit, cursor, filter = {} } = request;
    const start = Number(cursor ?? 0);
    if (!Number.isInteger(start))
      throw new TaskonautError("input_invalid", "The cursor is none.", {
        errors: [{ path: "cursor", message: "unknown" }],
      });
    const now = Date.now();
    const all = [...this.tasks.values()].filter((task) => matchesFilter(task, filter, now)).toReversed();
    const next = start + limit;
    return { tasks: all.slice(start, next), ...(next < all.length && { next: String(next) }) };
  }

  async countTasks({ filter = {} }: CountTasks = {}): Promise<TaskCounts> {
    this.enter("countTasks", { filter });
    const found = [...this.tasks.values()].filter((task) => matchesFilter(task, filter, Date.now()));
    const counts = [...Map.groupBy(found, ({ flow_name, status }) => `${flow_name} ${status}`).values()].flatMap(
      ([first, ...others]) =>
        first ? [{ flow_name: first.flow_name, status: first.status, count: others.length + 1 }] : [],
    );
    return { total: found.length, complete: true, counts };
  }

  readonly readStats = fakeStats;

  async getTaskSummary(id: string): Promise<TaskSummary> {
    this.enter("getTaskSummary", id);
    return summarize(this.find(id));
  }

  async listTaskSummaries(request: ListTasks): Promise<SummaryPage> {
    const { tasks, ...page } = await this.listTasks(request);
    return { tasks: tasks.map(summarizeListed), ...page };
  }

  async findTasks(text: string): Promise<FoundTasks> {
    this.enter("findTasks", text);
    const name = parseTaskName(text);
    const all = [...this.tasks.values()];
    const found =
      name.kind === "beginning"
        ? all.filter(({ id }) => name.from <= id && id <= name.to)
        : all
            .filter((task) => task.parent_task_id === null && task.flow_name === (name.flow ?? task.flow_name))
            .slice(-1);
    const briefs = found.map(({ id, status, flow_name, parked_reason, created_at }): TaskBrief => ({
      id,
      status,
      flow_name,
      parked_reason,
      created_at,
    }));
    return { tasks: briefs.slice(0, FOUND_MAX), more: briefs.length > FOUND_MAX };
  }

  async checkReady(): Promise<void> {
    this.enter("checkReady");
  }

  async close(): Promise<void> {
    this.closed++;
  }

  protected enter<Name extends Method>(method: Name, ...parameters: Parameters<Taskonaut[Name]>): void {
    this.#asked.push({ method, parameters });
    if (this.failure !== undefined) throw this.failure;
  }

  private find(id: string): Task {
    const task = this.tasks.get(parseTaskId(id));
    if (task) return task;
    throw new TaskonautError("task_not_found", `Task ${id} not found`, { details: { task_id: id } });
  }

  private end(): Partial<Task> {
    return this.ends === "COMPLETED"
      ? { output_payload: { add: { sum: 5 } } }
      : { status: "FAILED", error_message: "the tool gave up" };
  }
}

/** As many tasks as it is told, which exist only while they are looked at. */
export class ManyTasks extends FakeTaskonaut {
  constructor(
    readonly count: number,
    private readonly text = "",
  ) {
    super();
  }

  override async listTasks(request: ListTasks): Promise<TaskPage> {
    this.enter("listTasks", request);
    const first = Number(request.cursor ?? 0);
    const next = first + request.limit;
    const tasks = Array.from({ length: Math.min(next, this.count) - first }, (_, i) =>
      fakeTask(first + i, { text: this.text }),
    );
    return { tasks, ...(next < this.count && { next: String(next) }) };
  }
}

function stepsAfter({ id, steps }: Task, transitions: number): readonly TaskStep[] {
  const planned = (step_name: string, index: number): TaskStep =>
    steps[index] ?? plannedStep({ id: `${id}-${step_name}`, task_id: id, step_index: index + 1, step_name });
  return ["echo", "add"].map((step_name, index) => {
    const status = (["PLANNED", "RUNNING", "COMPLETED"] as const)[Math.min(Math.max(transitions - 2 * index, 0), 2)];
    return {
      ...planned(step_name, index),
      status: status ?? "PLANNED",
      output_payload: status === "COMPLETED" ? "out" : null,
    };
  });
}

function queuedAs({ start, priority = 5 }: CreateTask, { created_at }: Task): Pick<Task, "due_at" | "priority"> {
  const due_at = start === undefined ? null : start === "now" ? created_at : new Date(start).toISOString();
  return { due_at, priority };
}
