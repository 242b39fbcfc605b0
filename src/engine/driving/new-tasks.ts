// Creates tasks, those of callers and those that are children of others.

import type { CreateTask } from "../../core/api/taskonaut.ts";
import type { Flow } from "../../core/flow/flow.ts";
import { stepId } from "../../core/record/ids.ts";
import { canonicalJson } from "../../core/record/json.ts";
import type { TaskRecord } from "../../core/record/record.ts";
import { keyReused, type PlannedTask, planTask, taskIdOf, type TaskPlan } from "../doors/create.ts";
import { checkPriority, dueAtOf } from "../doors/queue-start.ts";
import type { QueueNotifier } from "../process/queue-notifier.ts";
import { TaskDriver, type DriverStart } from "../task/task-driver.ts";
import type { DrivingTools } from "./driving-tools.ts";

export interface NewTask {
  readonly record: TaskRecord;
  /** False: one of this id was there. */
  readonly isNew: boolean;
}

/** What else there is to say of a task. */
interface Origin {
  /** The schedule that makes it. */
  readonly schedule?: string;
  /** Its flow, where anybody may not create tasks of it. */
  readonly flow?: Flow | undefined;
}

export class NewTasks {
  constructor(
    private readonly tools: DrivingTools,
    private readonly notifier: Pick<QueueNotifier, "tellWorkers">,
    private readonly newId: () => string,
  ) {}

  /**
   * The new task (of the schedule, where one is named), or the one that the request's idempotency key has created before.
   * Throws flow_not_found, input_invalid, body_too_large, flow_invalid, idempotency_key_reused, and what the store throws.
   */
  async create(request: CreateTask, { schedule, flow }: Origin = {}): Promise<NewTask> {
    const start = dueAtOf(request.start, this.tools.storeClock);
    const dueAt = start instanceof Promise ? await start : start;
    const { record, isNew } = await this.insert({
      ...this.#planOf(request, flow ?? this.tools.flows.find(request.flow), dueAt),
      schedule,
    });
    return { record: isNew ? record : await this.findKeyed(record), isNew };
  }

  /** A task that is in no store and in no queue: its driver inserts it with its first write. Throws what planning throws. */
  begin(request: CreateTask): { readonly record: TaskRecord; readonly driver: TaskDriver } {
    const { record, program, decisions } = planTask(this.#planOf(request, this.tools.flows.find(request.flow), null));
    return { record, driver: this.#driverOf({ record, program, decisions }, { isUnborn: true }) };
  }

  #planOf(request: CreateTask, flow: Flow, dueAt: number | null): TaskPlan {
    const { clock, limits } = this.tools;
    const { input, priority, tags } = request;
    checkPriority(priority);
    return { id: taskIdOf(request, this.newId), flow, input, now: clock.now(), limits, dueAt, priority, tags };
  }

  /** Workers hear of one that is in the queue. Throws what planning throws, and what the store throws. */
  async insert(plan: TaskPlan): Promise<NewTask> {
    const { writer, log, driven } = this.tools;
    const { record, program, decisions } = planTask(plan);
    let isNew: boolean;
    try {
      isNew = await writer.submitTask(record);
    } finally {
      // also where only the answer was lost: the task may be there
      if (record.task.due_at !== null) this.notifier.tellWorkers();
    }
    if (!isNew) return { record, isNew };
    const { id, flow_name } = record.task;
    log.info?.("task created", { task_id: id, flow: flow_name });
    // one that is in the queue is a worker's: maybe of another process
    if (record.task.due_at === null) driven.remember(id, this.#driverOf({ record, program, decisions }, { isNew }));
    return { record, isNew };
  }

  #driverOf({ record, program, decisions }: PlannedTask, start: DriverStart): TaskDriver {
    const decisionOf = new Map(decisions.map((decision) => [stepId(record.task.id, decision.path), decision]));
    return new TaskDriver(record, program, decisionOf, this.tools, start);
  }

  /** What its key has created before must be the same. Throws idempotency_key_reused. */
  async findKeyed({ task: wanted }: TaskRecord): Promise<TaskRecord> {
    const found = await this.tools.stored.read(wanted.id);
    const isSame =
      found.task.flow_name === wanted.flow_name &&
      canonicalJson(found.task.input_payload) === canonicalJson(wanted.input_payload);
    if (!isSame) throw keyReused(wanted.id);
    return found;
  }
}
