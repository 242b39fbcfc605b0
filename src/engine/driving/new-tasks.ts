// Creates tasks, for callers and as children of other tasks.

import type { CreateTask } from "../../core/api/create-task.ts";
import type { Audited } from "../../store/audit-store.ts";
import type { Flow } from "../../core/flow/flow.ts";
import { stepId } from "../../core/record/ids.ts";
import { canonicalJson } from "../../core/record/json.ts";
import { checkTraceparent } from "../../core/record/trace-context.ts";
import type { TaskRecord } from "../../core/record/record.ts";
import { keyReused, type PlannedTask, planTask, taskIdOf, type TaskPlan } from "../doors/create.ts";
import { checkExpiresIn, checkPriority, dueAtOf } from "../doors/queue-start.ts";
import { busy } from "./not-now.ts";
import type { UniqueTasks } from "./unique-tasks.ts";
import type { QueueNotifier } from "../process/queue-notifier.ts";
import { TaskDriver, type DriverStart } from "../task/task-driver.ts";
import type { DrivingTools } from "./driving-tools.ts";

export interface NewTask {
  readonly record: TaskRecord;
  /** False: a task with this id existed. */
  readonly isNew: boolean;
}

/** Further facts about a new task. */
interface Origin {
  /** The schedule that makes it. */
  readonly schedule?: string;
  /** Its flow, if not everybody may create tasks of it. */
  readonly flow?: Flow | undefined;
  /** The audit entry about its creator. */
  readonly audit?: ((id: string) => Audited) | undefined;
}

/** If others take the task's key again so often while it is about to be inserted, it waits before each further try. */
const TRIES_AT_ONCE = 20;
const TRY_AGAIN_MS = 50;

export class NewTasks {
  constructor(
    private readonly tools: DrivingTools,
    private readonly notifier: Pick<QueueNotifier, "tellWorkers">,
    private readonly newId: () => string,
    private readonly unique: UniqueTasks,
  ) {}

  /**
   * The new task (of the schedule, if one is named), or the task that the request's idempotency key has created before.
   * Throws flow_not_found, input_invalid, body_too_large, flow_invalid, idempotency_key_reused, and what the store
   * throws.
   */
  async create(request: CreateTask, { schedule, flow, audit }: Origin = {}): Promise<NewTask> {
    const start = dueAtOf(request.start, this.tools.storeClock);
    const dueAt = start instanceof Promise ? await start : start;
    const found = flow ?? this.tools.flows.find(request.flow);
    const id = this.#idOf(request);
    const expiry = this.#expiryOf(request, found, dueAt);
    const expiresAt = expiry instanceof Promise ? await expiry : expiry;
    const plan = this.#planOf(request, { id, flow: found, dueAt, expiresAt, schedule });
    const { record, isNew, isJoined } = await this.insert(plan, audit?.(id));
    return { record: isNew || isJoined ? record : await this.findKeyed(record), isNew };
  }

  /**
   * A task that is not in the store or the queue yet: its driver inserts it with its first write. Throws what planning
   * throws.
   */
  begin(request: CreateTask): { readonly record: TaskRecord; readonly driver: TaskDriver } {
    const flow = this.tools.flows.find(request.flow);
    const { record, program, decisions } = planTask(
      this.#planOf(request, { id: this.#idOf(request), flow, dueAt: null }),
    );
    return { record, driver: this.#driverOf({ record, program, decisions }, { isUnborn: true }) };
  }

  /** Throws input_invalid. */
  #idOf(request: CreateTask): string {
    checkPriority(request.priority);
    return taskIdOf(request, this.newId);
  }

  #planOf(
    { input, priority, tags, traceparent: given }: CreateTask,
    { id, flow, dueAt, expiresAt, schedule }: Pick<TaskPlan, "id" | "flow" | "dueAt" | "expiresAt" | "schedule">,
  ): TaskPlan {
    const { clock, limits } = this.tools;
    const traceparent = checkTraceparent(given);
    return { id, flow, input, now: clock.now(), limits, dueAt, priority, tags, expiresAt, schedule, traceparent };
  }

  /** In store time; null: it never expires. Counted from when it may begin. Throws input_invalid. */
  #expiryOf(request: CreateTask, flow: Flow, dueAt: number | null): number | null | Promise<number> {
    const ms = request.expiresIn ?? flow.expiresInMs;
    if (ms === undefined) return null;
    checkExpiresIn(ms);
    const start = dueAt ?? this.tools.storeClock.recent();
    return start instanceof Promise ? start.then((at) => at + ms) : start + ms;
  }

  /** Whether creating a task of this flow may return another task, or take time. Throws flow_not_found. */
  isUnique({ flow }: CreateTask): boolean {
    return this.tools.flows.find(flow).unique !== undefined;
  }

  /**
   * Workers hear of a task in the queue. Throws what planning and the store throw, and unique_key_taken or task_busy if
   * another task has its key.
   */
  async insert(plan: TaskPlan, audited?: Audited): Promise<NewTask & { readonly isJoined: boolean }> {
    const { writer, log, driven, limits, clock } = this.tools;
    const { record, program, decisions } = planTask(plan);
    const until = clock.elapsed() + limits.busyMs;
    for (let tries = 1; ; tries++) {
      let isNew: boolean;
      try {
        isNew = await writer.submitTask(audited?.audit ? { ...record, ...audited } : record);
      } finally {
        // also if only the answer was lost: the task may exist
        if (record.task.due_at !== null || record.task.expires_at !== null) this.notifier.tellWorkers();
      }
      if (isNew) break;
      const conflict = await this.unique.settle(plan, record);
      if (conflict.kind === "joined") return { record: conflict.record, isNew: false, isJoined: true };
      if (conflict.kind === "known") return { record, isNew: false, isJoined: false };
      if (clock.elapsed() > until) throw busy(record.task.id, limits.busyMs, "others create tasks of the same key");
      if (tries >= TRIES_AT_ONCE) await clock.sleep(TRY_AGAIN_MS);
    }
    const { id, flow_name } = record.task;
    log.info?.("task created", { task_id: id, flow: flow_name });
    // a queued task belongs to a worker, perhaps of another process
    if (record.task.due_at === null)
      driven.remember(id, this.#driverOf({ record, program, decisions }, { isNew: true }));
    return { record, isNew: true, isJoined: false };
  }

  #driverOf({ record, program, decisions }: PlannedTask, start: DriverStart): TaskDriver {
    const decisionOf = new Map(decisions.map((decision) => [stepId(record.task.id, decision.path), decision]));
    return new TaskDriver(record, program, decisionOf, this.tools, start);
  }

  /** The task that its key has created before must be the same. Throws idempotency_key_reused. */
  async findKeyed({ task: wanted }: TaskRecord): Promise<TaskRecord> {
    const found = await this.tools.stored.read(wanted.id);
    const isSame =
      found.task.flow_name === wanted.flow_name &&
      canonicalJson(found.task.input_payload) === canonicalJson(wanted.input_payload);
    if (!isSame) throw keyReused(wanted.id);
    return found;
  }
}
