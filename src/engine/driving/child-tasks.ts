// Child tasks: how they begin, and how cancelled ones end.

import { TaskonautError } from "../../core/errors.ts";
import { during } from "../../core/flow/activity.ts";
import { childTaskId } from "../../core/record/ids.ts";
import { messageOf } from "../../core/record/stored-error.ts";
import { isTerminal } from "../../core/record/status.ts";
import type { ProgramEnd } from "../../core/flow/program.ts";
import type { StepRow, TaskRecord, TaskRow } from "../../core/record/record.ts";
import type { Task } from "../../core/api/task.ts";
import type { InboxPost, Store } from "../../store/store.ts";
import type { QueueNotifier } from "../process/queue-notifier.ts";
import { within } from "../process/within.ts";
import type { TaskPlan } from "../doors/create.ts";
import { type Children, type ChildStep, ObstacleError } from "../task/driver-tools.ts";
import { CANCELLED_CHILD, endOfChild } from "../task/inbox-posts.ts";
import type { DrivingTools } from "./driving-tools.ts";
import { isNotNow } from "./not-now.ts";

interface Family {
  readonly store: Pick<Store, "postToTask" | "readTask">;
  readonly tools: DrivingTools;
  readonly notifier: QueueNotifier;
  readonly insert: (plan: TaskPlan) => Promise<{ readonly isNew: boolean }>;
  readonly run: (id: string) => Promise<Task>;
}

export class ChildTasks implements Children {
  /** By task: cancelled children that end here. */
  readonly #leaving = new Map<string, Promise<void>>();

  /** `family` is read on demand, because parts of the engine need each other. */
  constructor(private readonly family: () => Family) {}

  async create({ flow, step, depth, priority, dueAt, traceparent }: ChildStep): Promise<void> {
    const { tools, insert } = this.family();
    const { flows, clock, limits, log } = tools;
    if (depth + 1 > limits.childDepth) {
      throw new ObstacleError(
        `Child ${flow.name} would be ${depth + 1} levels deep; the limit here is ${limits.childDepth} (TASKONAUT_MAX_CHILD_DEPTH).`,
      );
    }
    const loaded = flows.get(flow.name);
    if (loaded && loaded.body !== flow.body) {
      throw new ObstacleError(
        `Flow ${flow.name} runs as a child but is not the one that is loaded under this name. Export it from its file.`,
      );
    }
    // nothing is awaited before: anything written later, such as a cancel of the child, comes after it
    const plan: TaskPlan = {
      id: childTaskId(step.id),
      flow: loaded ?? flow, // which knows its file
      input: JSON.parse(step.input_payload),
      now: clock.now(),
      limits,
      // a worker can continue it, even if its parent's process ends
      dueAt,
      priority,
      traceparent,
      parent: { taskId: step.task_id, stepId: step.id, depth },
    };
    // its contract, keys and plan are code of its file, which runs for the parent: there is no child yet
    const made = during("flow", { taskId: step.task_id, stepId: step.id }, () => insert(plan));
    const { isNew } = await made.catch(throwObstacle);
    if (!isNew && step.status === "PLANNED") await this.#tellEndAgain(step);
    if (isNew && !loaded) {
      const fields = { task_id: childTaskId(step.id), flow: flow.name, parent: step.task_id };
      log.warn?.("child waits for a process that has loaded its flow", fields);
    }
  }

  async run(child: ChildStep): Promise<number | null> {
    await this.create(child);
    try {
      const { waiting_for } = await this.family().run(childTaskId(child.step.id));
      const times = waiting_for.flatMap(({ until }) => (until === null ? [] : Date.parse(until)));
      return times.length > 0 ? Math.min(...times) : null;
    } catch (error) {
      // its end will come through the inbox
      if (!isNotNow(error)) throw error;
      return null;
    }
  }

  /** The task's driver here reads its inbox. A cancelled child may be waiting without a driver. */
  onPosted({ task_id: id, kind }: InboxPost): void {
    const { tools, notifier } = this.family();
    tools.driven.wake(id);
    notifier.tellWorkers();
    if (kind !== "cancel" || this.#leaving.has(id)) return;
    const left = this.#leave(id).finally(() => this.#leaving.delete(id));
    this.#leaving.set(id, left);
  }

  /** Runs a cancelled task, and the children that were cancelled with it. */
  async runCancelled(id: string): Promise<Task> {
    const task = await this.family().run(id);
    await this.leave(task);
    return task;
  }

  /** Waits for children that were cancelled with the task, as far as they are driven here. */
  async leave({ steps }: { readonly steps: readonly { readonly id: string }[] }): Promise<void> {
    await Promise.all(steps.flatMap((step) => this.#leaving.get(childTaskId(step.id)) ?? []));
  }

  /** Waits for everything that is ending here, at most this long. Returns the time left. */
  async leaveAll(graceMs: number): Promise<number> {
    if (this.#leaving.size === 0) return graceMs;
    const { clock } = this.family().tools;
    const until = clock.now() + graceMs;
    const allLeft = async (): Promise<void> => {
      while (this.#leaving.size > 0) await Promise.all(this.#leaving.values());
    };
    await within(graceMs, allLeft(), clock);
    return Math.max(0, until - clock.now());
  }

  /** Children that were cancelled with their task may still be cleaning up when it has ended. */
  async followCancelled({ steps }: TaskRecord): Promise<void> {
    const { store, tools, run } = this.family();
    for (const step of steps) {
      if (step.kind !== "child" || step.status !== "CANCELLED") continue;
      const child = await store.readTask(childTaskId(step.id));
      if (!child || isTerminal(child.task.status) || (await tools.stored.isHeldElsewhere(child))) continue;
      try {
        await run(child.task.id);
      } catch (error) {
        if (!isNotNow(error)) throw error;
      }
    }
  }

  /** The step was opened again: the parent did not hear what the child told it before. */
  async #tellEndAgain(step: StepRow): Promise<void> {
    const { store } = this.family();
    const child = await store.readTask(childTaskId(step.id));
    const end = child && endOf(child.task);
    if (child && end) await store.postToTask(endOfChild(child.task, end));
  }

  async #leave(id: string): Promise<void> {
    const { store, tools } = this.family();
    try {
      const record = await store.readTask(id);
      // it may have been given up before it was created
      if (record && !(await tools.stored.isHeldElsewhere(record))) await this.runCancelled(id);
    } catch (error) {
      // it stays due: its next driver hears of the cancel
      tools.log.warn?.("child not cancelled yet", { task_id: id, error: messageOf(error) });
    }
  }
}

function endOf({ status, output_payload, error }: TaskRow): ProgramEnd | undefined {
  if (output_payload !== null) return { kind: "completed", output: output_payload };
  if (error !== null) return { kind: "failed", error };
  return status === "CANCELLED" ? CANCELLED_CHILD : undefined;
}

/** If a limit of this process is the reason, that is not a failure of the step. */
function throwObstacle(error: unknown): never {
  if (error instanceof TaskonautError && error.details["limit"] !== undefined) throw new ObstacleError(error.message);
  throw error;
}
