// For tests of the server and the client: a Taskonaut in memory whose tasks walk through the five transitions of
// `echo_add`. It has contracts and errors, but no steps to run: what is tested is how they are spoken of over HTTP.

import * as v from "valibot";
import { applyContract, type ContractResult, type Schema } from "../../src/core/flow/contract.ts";
import { TaskonautError, type Violation } from "../../src/core/errors.ts";
import { parseTaskId } from "../../src/core/record/ids.ts";
import { isTerminal, type TaskStatus } from "../../src/core/record/status.ts";
import type { Json } from "../../src/core/record/json-value.ts";
import type { Task } from "../../src/core/api/task.ts";
import type { Worker } from "../../src/core/api/worker.ts";
import type {
  CancelTask,
  CreateTask,
  FlowDescription,
  ListTasks,
  ResolveTask,
  RunTask,
  SignalTask,
  Taskonaut,
  TaskPage,
} from "../../src/core/api/taskonaut.ts";
import { plannedTask } from "./tasks.ts";

const STATUS_AFTER: readonly TaskStatus[] = [
  "PLANNED",
  "RUNNING",
  "WAITING_OBSERVATION",
  "RUNNING",
  "WAITING_OBSERVATION",
  "COMPLETED",
];

const EchoAddInput = v.strictObject({
  text: v.optional(v.string(), "hello"),
  a: v.optional(v.pipe(v.number(), v.safeInteger()), 1),
  b: v.optional(v.pipe(v.number(), v.safeInteger()), 2),
});

const FLOWS: readonly FlowDescription[] = ["echo_add", "free"].map((name) => ({
  name,
  description: `The flow ${name}.`,
  form: "plan",
  file: null,
  input_schema: { type: "object" },
  signals: name === "free" ? { approved: { type: "object", required: ["by"] }, nudged: {} } : {},
}));

/** Of the signals of the flow `free`. */
const SIGNALS: ReadonlyMap<string, Schema> = new Map<string, Schema>([
  ["approved", v.strictObject({ by: v.string() })],
  ["nudged", v.unknown()],
]);

export function fakeTask(number: number, input: Json = { text: "hello", a: 1, b: 2 }, flow = "echo_add"): Task {
  const id = `00000000-0000-7000-8000-${String(number).padStart(12, "0")}`;
  return plannedTask({ id, flow_name: flow, input_payload: input });
}

export class FakeTaskonaut implements Taskonaut {
  readonly tasks = new Map<string, Task>();
  readonly calls: string[] = [];
  /** Thrown by every method while it is set. */
  failure: Error | undefined;
  closed = 0;
  /** What was delivered, in order. */
  readonly signals: SignalTask[] = [];
  /** What was settled, in order. */
  readonly cancels: CancelTask[] = [];
  readonly resolutions: ResolveTask[] = [];
  workers: readonly Worker[] = [];
  /** Whether what parked a task still stands against it. */
  staysParked = false;
  /** Awaited by runTask before it answers. */
  gate: Promise<void> = Promise.resolve();
  private readonly keys = new Map<string, string>();
  private readonly transitions = new Map<string, number>();

  async listFlows(): Promise<readonly FlowDescription[]> {
    this.enter("listFlows");
    return FLOWS;
  }

  async describeFlow(name: string): Promise<FlowDescription> {
    this.enter("describeFlow");
    const flow = FLOWS.find((one) => one.name === name);
    if (flow === undefined) throw new TaskonautError("flow_not_found", `Flow ${JSON.stringify(name)} not found`);
    return flow;
  }

  async createTask(request: CreateTask): Promise<{ task: Task; created: boolean }> {
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
    this.enter("advanceTask");
    const task = this.find(id);
    if (isTerminal(task.status)) return task;
    const count = (this.transitions.get(task.id) ?? 0) + 1;
    const status = STATUS_AFTER[count] as TaskStatus;
    const next: Task = {
      ...task,
      status,
      current_step: Math.floor(count / 2),
      output_payload: status === "COMPLETED" ? { add: { sum: 5 } } : null,
    };
    this.transitions.set(task.id, count);
    this.tasks.set(task.id, next);
    return next;
  }

  async runTask(id: string, { maxSteps = 1000 }: RunTask = {}): Promise<Task> {
    this.enter("runTask");
    await this.gate;
    let task = this.find(id);
    for (let i = 0; i < maxSteps && !isTerminal(task.status); i++) task = await this.advanceTask(id);
    if (isTerminal(task.status)) return task;
    throw new TaskonautError(
      "max_steps_exhausted",
      `Task ${task.id} did not reach terminal state within ${maxSteps} steps`,
    );
  }

  async signalTask(id: string, signal: SignalTask): Promise<Task> {
    this.enter("signalTask");
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
    this.enter("cancelTask");
    this.cancels.push(options);
    await this.gate;
    const task = this.find(id);
    return isTerminal(task.status) ? task : this.change(task, { status: "CANCELLED" });
  }

  async retryTask(id: string): Promise<Task> {
    this.enter("retryTask");
    const task = this.find(id);
    if (task.status === "FAILED") return this.change(task, { status: "RUNNING", error_message: null });
    throw new TaskonautError("task_not_retryable", `Task ${task.id} cannot be retried: it is ${task.status}.`);
  }

  async resolveTask(id: string, request: ResolveTask): Promise<Task> {
    this.enter("resolveTask");
    const task = this.find(id);
    if (task.steps.every(({ doubt }) => doubt === null))
      throw new TaskonautError("task_not_in_doubt", `No step of task ${task.id} is in doubt.`);
    this.resolutions.push(request);
    return this.change(task, { steps: task.steps.map((step) => ({ ...step, doubt: null })) });
  }

  async listWorkers(): Promise<readonly Worker[]> {
    this.enter("listWorkers");
    return this.workers;
  }

  async resumeTask(id: string): Promise<Task> {
    this.enter("resumeTask");
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

  async getTask(id: string): Promise<Task> {
    this.enter("getTask");
    return this.find(id);
  }

  /** The cursor is the index of the page's first task. */
  async listTasks({ limit, cursor }: ListTasks): Promise<TaskPage> {
    this.enter("listTasks");
    const start = Number(cursor ?? 0);
    if (!Number.isInteger(start))
      throw new TaskonautError("input_invalid", "The cursor is none.", {
        errors: [{ path: "cursor", message: "unknown" }],
      });
    const all = [...this.tasks.values()].toReversed();
    const next = start + limit;
    return { tasks: all.slice(start, next), ...(next < all.length && { next: String(next) }) };
  }

  async checkReady(): Promise<void> {
    this.enter("checkReady");
  }

  async close(): Promise<void> {
    this.closed++;
  }

  private enter(call: string): void {
    this.calls.push(call);
    if (this.failure !== undefined) throw this.failure;
  }

  private find(id: string): Task {
    const task = this.tasks.get(parseTaskId(id));
    if (task === undefined) throw new TaskonautError("task_not_found", `Task ${id} not found`);
    return task;
  }
}

function checkSignal({ flow_name }: Task, { name, payload }: SignalTask): void {
  const schema = flow_name === "free" ? SIGNALS.get(name) : undefined;
  const errors = schema ? resultErrors(applyContract(schema, payload)) : [{ path: "name", message: "unknown signal" }];
  if (errors.length > 0) throw new TaskonautError("input_invalid", `No such signal ${name}, or not so.`, { errors });
}

function resultErrors(result: ContractResult<unknown>): readonly Violation[] {
  return result.ok ? [] : result.errors;
}

function queuedAs({ start, priority = 5 }: CreateTask, { created_at }: Task): Pick<Task, "due_at" | "priority"> {
  const due_at = start === undefined ? null : start === "now" ? created_at : new Date(start).toISOString();
  return { due_at, priority };
}

function checkEchoAdd(input: unknown): Json {
  const result = applyContract(EchoAddInput, input);
  if (result.ok) return result.value;
  throw new TaskonautError("input_invalid", "The input breaks the contract of echo_add.", { errors: result.errors });
}
