// Results of tasks, for callers that wait for them.
//
// TR1. A waiting caller holds nothing of the task: when its time is up, or it leaves, running work continues.
// TR2. A task that is created to be waited for is driven here, in one commit if nothing has to be durable before. When
//      a wait of the task ends, here or elsewhere, the task is continued here unless another process does so first.

import { hasCode } from "../../core/errors.ts";
import { parseTaskId } from "../../core/record/ids.ts";
import type { TaskRecord } from "../../core/record/record.ts";
import { isTerminal } from "../../core/record/status.ts";
import type { AwaitEnd, BegunTask, Results } from "../../core/api/results.ts";
import type { Task, TaskSummary } from "../../core/api/task.ts";
import type { CreatedTask, CreateTask, RunTask } from "../../core/api/create-task.ts";
import type { Ends } from "../process/ends.ts";
import { Patience } from "../process/patience.ts";
import { TaskExistsError } from "../task/driver-tools.ts";
import type { TaskDriver } from "../task/task-driver.ts";
import type { DrivingTools } from "./driving-tools.ts";
import type { NewTasks } from "./new-tasks.ts";
import { isNotNow } from "./not-now.ts";
import { runToEnd, type RunTools } from "./run-to-end.ts";

/** How often to look whether the pause is over that holds back an awaited task, if no worker does. */
const PAUSE_LOOK_MS = 1000;

interface Parts {
  readonly tools: DrivingTools;
  readonly ends: Ends;
  readonly newTasks: NewTasks;
  readonly runTools: RunTools;
  /** The task as its caller sees it. */
  readonly tell: (record: TaskRecord) => Promise<Task>;
  readonly getTask: (id: string) => Promise<Task>;
  readonly getTaskSummary: (id: string) => Promise<TaskSummary>;
}

export class TaskResults implements Results {
  /** The number of callers that wait now. */
  readonly #patiences = new Set<Patience>();
  /** Their answers, which are read from the store. */
  readonly #answers = new Set<Promise<unknown>>();
  #isLeaving = false;

  constructor(private readonly parts: Parts) {}

  async begin(request: CreateTask): Promise<BegunTask> {
    const { tools, newTasks, runTools, tell } = this.parts;
    tools.driven.assertOpen();
    if (newTasks.isUnique(request)) {
      const { id } = (await newTasks.create(request)).record.task;
      return { id, run: async (options) => tell(await runToEnd(id, options ?? {}, runTools)) };
    }
    const { id, run } = this.#begin(request);
    return { id, run: async (options) => this.parts.tell((await run(options)).record) };
  }

  create(request: CreateTask, options: AwaitEnd): Promise<CreatedTask> {
    this.parts.tools.driven.assertOpen();
    return this.#waiting(options, (patience) =>
      request.start === undefined
        ? this.#createHere(request, patience, options)
        : this.#enqueue(request, patience, options),
    );
  }

  await(id: string, options: AwaitEnd): Promise<Task> {
    return this.#afterEnd(id, options, this.parts.getTask);
  }

  awaitSummary(id: string, options: AwaitEnd): Promise<TaskSummary> {
    return this.#afterEnd(id, options, this.parts.getTaskSummary);
  }

  /** Answers all waiting callers with the current state. */
  async close(): Promise<void> {
    this.#isLeaving = true;
    for (const patience of Array.from(this.#patiences)) patience.end();
    await Promise.allSettled(Array.from(this.#answers));
  }

  /** Throws the reason of the caller's signal if the caller has left: nothing is read for it. */
  async #waiting<T>({ waitMs, signal }: AwaitEnd, answer: (patience: Patience) => Promise<T>): Promise<T> {
    const { clock } = this.parts.tools;
    const patience = new Patience({ waitMs: this.#isLeaving ? 0 : waitMs, clock, signal });
    this.#patiences.add(patience);
    const answered = answer(patience);
    this.#answers.add(answered);
    try {
      return await answered;
    } finally {
      patience.end();
      this.#patiences.delete(patience);
      this.#answers.delete(answered);
    }
  }

  #afterEnd<T>(id: string, options: AwaitEnd, read: (id: string) => Promise<T>): Promise<T> {
    return this.#waiting(options, async (patience) => {
      const { ends, tools } = this.parts;
      const taskId = parseTaskId(id);
      const arrival = ends.wait(taskId, patience, { alsoDue: false });
      // after that, so that an end written in between is reported
      if (!isTerminal((await tools.stored.readRow(taskId)).status)) await arrival;
      options.signal?.throwIfAborted();
      return read(taskId);
    });
  }

  async #enqueue(request: CreateTask, patience: Patience, { signal }: AwaitEnd): Promise<CreatedTask> {
    const { newTasks, ends, getTask } = this.parts;
    const { record, isNew } = await newTasks.create(request);
    const { id, status } = record.task;
    if (!isTerminal(status)) await ends.wait(id, patience, { alsoDue: false });
    signal?.throwIfAborted();
    return { task: await getTask(id), created: isNew };
  }

  async #createHere(request: CreateTask, patience: Patience, { signal }: AwaitEnd): Promise<CreatedTask> {
    const { tell, getTask, newTasks, runTools } = this.parts;
    if (newTasks.isUnique(request)) {
      const { record, isNew } = await newTasks.create(request);
      const { id: taskId } = record.task;
      const end = await this.#follow(taskId, runToEnd(taskId, {}, runTools), patience);
      signal?.throwIfAborted();
      return { task: end ? await tell(end) : await getTask(taskId), created: isNew };
    }
    const { id, run, settled } = this.#begin(request);
    const first = run();
    const ended = await this.#follow(
      id,
      first.then(({ record }) => record),
      patience,
    );
    // where a pause has refused the first run, it is known from its first write
    if (ended) return { task: await tell(ended), created: await first.then(({ isNew: made }) => made, settled) };
    signal?.throwIfAborted();
    const isNew = await settled();
    return { task: await getTask(id), created: isNew };
  }

  /** A task that is in the store once `run` or `settled` has written it. `settled` says whether it was new there. */
  #begin(request: CreateTask): {
    readonly id: string;
    readonly run: (options?: RunTask) => Promise<{ readonly record: TaskRecord; readonly isNew: boolean }>;
    readonly settled: () => Promise<boolean>;
  } {
    const { newTasks, runTools } = this.parts;
    const { record: wanted, driver } = newTasks.begin(request);
    const { id } = wanted.task;
    return {
      id,
      async run(options = {}) {
        try {
          return { record: await runToEnd(id, options, runTools, driver), isNew: true };
        } catch (error) {
          if (!(error instanceof TaskExistsError)) throw error;
          await newTasks.findKeyed(wanted);
          return { record: await runToEnd(id, options, runTools), isNew: false };
        }
      },
      async settled() {
        const isNew = await wasInserted(driver);
        if (!isNew) await newTasks.findKeyed(wanted);
        return isNew;
      },
    };
  }

  /** TR2. The record of its end; undefined if that did not come in time, or only a person can continue the task. */
  async #follow(id: string, first: Promise<TaskRecord>, patience: Patience): Promise<TaskRecord | undefined> {
    const { ends, runTools } = this.parts;
    for (let run = first; ; run = runToEnd(id, {}, runTools)) {
      let isPaused = false;
      try {
        const record = await patience.unlessOver(run);
        if (record && isTerminal(record.task.status)) return record;
      } catch (error) {
        if (hasCode(error, "task_parked")) return undefined;
        if (!isNotNow(error)) throw error;
        isPaused = hasCode(error, "flow_paused");
      }
      // while it is paused, it is in the queue, and due
      if (isPaused) await ends.wait(id, patience.forAtMost(PAUSE_LOOK_MS), { alsoDue: false });
      else await ends.wait(id, patience, { alsoDue: true });
      if (patience.isOver) return undefined;
    }
  }
}

/**
 * Resolves once everything so far is durable; false: another task with its id existed. Throws what the store throws.
 */
async function wasInserted(driver: TaskDriver): Promise<boolean> {
  try {
    await driver.settle();
    return true;
  } catch (error) {
    if (error instanceof TaskExistsError) return false;
    if (hasCode(error, "database_unavailable")) throw error;
    return true; // somebody else has it by now
  }
}
