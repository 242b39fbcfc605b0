// What comes of the tasks of a FakeTaskonaut: they end when they are run.

import type { AwaitEnd, BegunTask, Results } from "../../src/core/api/results.ts";
import type { Task, TaskSummary } from "../../src/core/api/task.ts";
import type { CreatedTask, CreateTask } from "../../src/core/api/create-task.ts";
import type { Taskonaut } from "../../src/core/api/taskonaut.ts";

type Fake = Pick<Taskonaut, "createTask" | "runTask" | "getTask" | "getTaskSummary">;

export class FakeResults implements Results {
  /** How each call was to wait. */
  readonly waits: AwaitEnd[] = [];
  /** Awaited before the answer to who waits. */
  whileWaiting: ((options: AwaitEnd) => Promise<void>) | undefined;

  constructor(private readonly taskonaut: Fake) {}

  async begin(request: CreateTask): Promise<BegunTask> {
    const { task } = await this.taskonaut.createTask(request);
    return { id: task.id, run: (options) => this.taskonaut.runTask(task.id, options) };
  }

  async create(request: CreateTask, options: AwaitEnd): Promise<CreatedTask> {
    const { task, created } = await this.taskonaut.createTask(request);
    await this.#wait(options);
    if (request.start !== undefined || options.waitMs === 0) return { task, created };
    return { task: await this.taskonaut.runTask(task.id), created };
  }

  async await(id: string, options: AwaitEnd): Promise<Task> {
    await this.#wait(options);
    return this.taskonaut.getTask(id);
  }

  async awaitSummary(id: string, options: AwaitEnd): Promise<TaskSummary> {
    await this.#wait(options);
    return this.taskonaut.getTaskSummary(id);
  }

  async #wait(options: AwaitEnd): Promise<void> {
    this.waits.push(options);
    await this.whileWaiting?.(options);
    options.signal?.throwIfAborted();
  }
}
