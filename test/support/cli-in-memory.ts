// The whole CLI over a Taskonaut that lives in memory.

import { TaskonautError } from "../../src/core/errors.ts";
import type { Json } from "../../src/core/record/json-value.ts";
import type { ListedTask, Task, TaskStep } from "../../src/core/api/task.ts";
import type { CancelTask, CreateTask, FlowDescription, SignalTask, Taskonaut } from "../../src/core/api/taskonaut.ts";
import type { Worker } from "../../src/core/api/worker.ts";
import { callCli, type CliCall, type CliResult, Signals } from "./cli.ts";
import { plannedStep, plannedTask } from "./tasks.ts";

/** The id of the task that is created. */
export const TASK_ID = "019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071";

export const ECHO_ADD: FlowDescription = {
  name: "echo_add",
  description: "Echoes a text, then adds two integers.",
  form: "plan",
  file: null,
  input_schema: {
    type: "object",
    properties: {
      text: { type: "string", default: "hello", description: "the text to echo" },
      a: { type: "integer", default: 1, maximum: 100 },
      b: { type: "integer", default: 2 },
    },
    additionalProperties: false,
  },
  signals: {},
};

/** One step, three transitions: RUNNING, the step's outcome, the end. */
export class FakeTaskonaut implements Taskonaut {
  readonly created: CreateTask[] = [];
  readonly runs: (number | undefined)[] = [];
  readonly pages: number[] = [];
  closed = 0;
  total = 3;
  ends: "COMPLETED" | "FAILED" = "COMPLETED";
  fails: Error | undefined;
  whileRunning: (() => Promise<void>) | undefined;
  /** Everything that was asked of a task by its id, in order. */
  readonly orders: unknown[] = [];
  private readonly tasks = new Map<string, Task>();

  async listFlows(): Promise<readonly FlowDescription[]> {
    return [ECHO_ADD];
  }

  async describeFlow(name: string): Promise<FlowDescription> {
    if (name !== ECHO_ADD.name) throw new TaskonautError("flow_not_found", `There is no flow ${name}`);
    return ECHO_ADD;
  }

  async createTask(request: CreateTask): Promise<{ task: Task; created: boolean }> {
    if (this.fails) throw this.fails;
    this.created.push(request);
    const task = makeTask(TASK_ID, request.input as Json);
    this.tasks.set(TASK_ID, task);
    return { task, created: true };
  }

  async advanceTask(id: string): Promise<Task> {
    await this.whileRunning?.();
    const task = await this.getTask(id);
    const next = transit(task, this.ends);
    this.tasks.set(id, next);
    return next;
  }

  async runTask(id: string, { maxSteps }: { maxSteps?: number } = {}): Promise<Task> {
    this.runs.push(maxSteps);
    if (maxSteps === 1)
      throw new TaskonautError("max_steps_exhausted", `Task ${id} did not reach terminal state within 1 steps`);
    let task = await this.getTask(id);
    while (task.status !== this.ends) task = await this.advanceTask(id);
    return task;
  }

  async signalTask(id: string, signal: SignalTask): Promise<Task> {
    this.orders.push(["signal", id, signal]);
    return this.getTask(id);
  }

  async cancelTask(id: string, options: CancelTask = {}): Promise<Task> {
    this.orders.push(["cancel", id, options]);
    await this.whileRunning?.();
    const task: Task = { ...(await this.getTask(id)), status: "CANCELLED" };
    this.tasks.set(id, task);
    return task;
  }

  async retryTask(id: string): Promise<Task> {
    this.orders.push(["retry", id]);
    throw new TaskonautError("task_not_retryable", `Task ${id} cannot be retried: it is PLANNED.`);
  }

  async resumeTask(id: string): Promise<Task> {
    this.orders.push(["resume", id]);
    throw new TaskonautError("task_parked", `Task ${id} is parked. Another flow.`);
  }

  async resolveTask(): Promise<Task> {
    throw new Error("not asked for here");
  }

  async listWorkers(): Promise<readonly Worker[]> {
    return [];
  }

  async getTask(id: string): Promise<Task> {
    const task = this.tasks.get(id);
    if (!task) throw new TaskonautError("task_not_found", `Task ${id} not found`, { details: { task_id: id } });
    return task;
  }

  async listTasks({
    limit,
    cursor,
  }: {
    limit: number;
    cursor?: string;
  }): Promise<{ tasks: ListedTask[]; next?: string }> {
    this.pages.push(limit);
    const from = Number(cursor ?? 0);
    const to = Math.min(from + limit, this.total);
    const tasks = Array.from({ length: to - from }, (_, i) => makeTask(`task-${from + i}`, {}));
    return to < this.total ? { tasks, next: String(to) } : { tasks };
  }

  async checkReady(): Promise<void> {}

  async close(): Promise<void> {
    this.closed++;
  }
}

interface Options extends Omit<CliCall, "taskonaut"> {
  readonly taskonaut?: FakeTaskonaut;
}

/** Calls it with what is typed; commands speak to `taskonaut`. */
export async function cli(
  argv: readonly string[],
  { taskonaut = new FakeTaskonaut(), ...options }: Options = {},
  signals = new Signals(),
): Promise<CliResult & { readonly taskonaut: FakeTaskonaut }> {
  return { ...(await callCli(argv, { ...options, taskonaut }, signals)), taskonaut };
}

function makeTask(id: string, input: Json): Task {
  const step = plannedStep({ id: `${id}-1`, task_id: id, step_name: "echo", input_payload: input });
  return plannedTask({ id, flow_name: "echo_add", input_payload: input, steps: [step] });
}

function transit(task: Task, ends: "COMPLETED" | "FAILED"): Task {
  if (task.status === "PLANNED") return { ...task, status: "RUNNING" };
  if (task.status === "RUNNING") {
    const steps = task.steps.map((step): TaskStep => ({ ...step, status: "COMPLETED", output_payload: "out" }));
    return { ...task, status: "WAITING_OBSERVATION", steps };
  }
  return ends === "COMPLETED"
    ? { ...task, status: ends, output_payload: { echo: "out" } }
    : { ...task, status: ends, error_message: "the tool gave up" };
}
