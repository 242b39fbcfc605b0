// Forks of tasks: planned from the record, checked against their flow by a replay, and inserted in one commit.

import type { ForkPreview, Forks, ForkTask } from "../../core/api/forks.ts";
import type { CreatedTask } from "../../core/api/create-task.ts";
import type { Task } from "../../core/api/task.ts";
import { TaskonautError } from "../../core/errors.ts";
import type { Flow } from "../../core/flow/flow.ts";
import { isReserved } from "../../core/flow/names.ts";
import { parseTaskId } from "../../core/record/ids.ts";
import { canonicalJson, parseJson } from "../../core/record/json.ts";
import type { TaskRecord, TaskRow } from "../../core/record/record.ts";
import { readTags } from "../../core/record/tags.ts";
import { keyReused, planTask, taskIdOf } from "../doors/create.ts";
import { planFork } from "../doors/fork.ts";
import { ownTags } from "../doors/task-tags.ts";
import { checkForkRequest, effectsOf, readOutputs } from "../doors/fork-request.ts";
import { checkPriority, dueAtOf } from "../doors/queue-start.ts";
import { keyTaken } from "./unique-tasks.ts";
import { inSlices } from "../process/in-slices.ts";
import type { QueueNotifier } from "../process/queue-notifier.ts";
import { damageOf } from "../task/damage.ts";
import { recoverInSlices } from "../task/recover.ts";
import type { DrivingTools } from "./driving-tools.ts";

interface Parts {
  readonly tools: DrivingTools;
  readonly notifier: Pick<QueueNotifier, "tellWorkers">;
  readonly newId: () => string;
  /** The task as its caller sees it. */
  readonly tell: (record: TaskRecord) => Promise<Task>;
}

interface Planned {
  /** The other task. */
  readonly from: TaskRecord;
  readonly record: TaskRecord;
  readonly shared: number;
}

export class Forking implements Forks {
  constructor(private readonly parts: Parts) {}

  async preview(id: string, request: ForkTask): Promise<ForkPreview> {
    const { from, record, shared } = await this.#plan(id, request);
    return {
      id: record.task.id,
      flow_name: record.task.flow_name,
      forked_from: { task_id: from.task.id, step: request.from },
      shared_steps: shared,
      effects: effectsOf(from, record),
    };
  }

  async create(id: string, request: ForkTask): Promise<CreatedTask> {
    const { tools, notifier, tell } = this.parts;
    const { record } = await this.#plan(id, request);
    const { task } = record;
    let isNew: boolean;
    try {
      const { input, set } = request;
      const doing = {
        action: "fork-task",
        kind: "task",
        target: parseTaskId(id),
        after: {
          task_id: task.id,
          from: request.from,
          other_input: input !== undefined,
          other_outputs: Object.keys(set ?? {}),
        },
      } as const;
      isNew = await tools.writer.submitTask({ ...record, ...tools.audit(doing) });
    } finally {
      if (task.due_at !== null) notifier.tellWorkers(); // also if only the answer was lost
    }
    if (!isNew) return { task: await tell(await this.#findKeyed(task)), created: false };
    const { id: task_id, flow_name: flow } = task;
    tools.log.info?.("task forked", { task_id, flow, forked_from: parseTaskId(id), step: request.from });
    return { task: await tell(record), created: true };
  }

  async #plan(id: string, request: ForkTask): Promise<Planned> {
    const { tools, newId } = this.parts;
    const { driven, stored, store, flows, limits, clock, storeClock } = tools;
    driven.assertOpen();
    checkPriority(request.priority);
    const from = await stored.read(parseTaskId(id));
    if (isReserved(from.task.flow_name)) throw operationForked(from.task);
    // what is shared is written anew, and a damaged text would look like a flow that decides otherwise
    const damage = damageOf(from, store.location);
    if (damage) throw damage;
    checkForkRequest(from, request);
    const flow = flows.ofTask(from.task);
    // its waits begin now
    const storeNow = await storeClock.read();
    const dueAt = await dueAtOf(request.start, storeClock);
    const plan = planFork({
      flow,
      record: from,
      from: request.from,
      outputOf: readOutputs(flow, request.set, limits),
      base: this.#baseOf(flow, from, request, { id: taskIdOf(request, newId), dueAt }),
      storeNow,
      stepsMax: limits.stepsPerTask,
    });
    const fork = await inSlices(plan, clock);
    if (fork.kind === "refused") throw notForkable(from.task, request, fork.reason);
    // FK4: any process that continues it comes to the same result
    const recovery = await recoverInSlices(flow, fork.record, tools);
    if (recovery.kind !== "ready") throw notForkable(from.task, request, recovery.reason);
    return { from, record: fork.record, shared: fork.shared };
  }

  /** The new task as it would be without anything shared. */
  #baseOf(
    flow: Flow,
    { task }: TaskRecord,
    { input, priority }: ForkTask,
    { id, dueAt }: { readonly id: string; readonly dueAt: number | null },
  ): TaskRow {
    const { limits, clock } = this.parts.tools;
    const given = task.given_tags ?? task.tags;
    const { record } = planTask({
      id,
      flow,
      input: input === undefined ? parseJson(task.input_payload) : input,
      now: clock.now(),
      limits,
      dueAt,
      priority: priority ?? task.priority,
      ...(given !== null && { tags: ownTags(flow, task.input_payload, readTags(given)) }),
    });
    if (input !== undefined) return record.task;
    return { ...record.task, input_payload: task.input_payload, tags: given };
  }

  /** A task that the key has created before must be the same fork. */
  async #findKeyed(wanted: TaskRow): Promise<TaskRecord> {
    const { store, stored } = this.parts.tools;
    const found = await stored.read(wanted.id).catch(async (error: unknown) => {
      const { flow_name: flow, unique_key: key } = wanted;
      const holder = key === null ? undefined : await store.admission.findOpen(flow, key);
      throw holder === undefined ? error : keyTaken(wanted, holder);
    });
    const { origin, input_payload } = found.task;
    const isSame = origin === wanted.origin && canonicalJson(input_payload) === canonicalJson(wanted.input_payload);
    if (!isSame) throw keyReused(wanted.id);
    return found;
  }
}

/** The tasks that it acts on are shown before it starts; a fork would skip that. */
function operationForked({ id, flow_name: flow }: TaskRow): TaskonautError {
  return new TaskonautError(
    "task_not_forkable",
    `Task ${id} is of ${flow}, which comes with taskonaut, and cannot be forked. Start a new operation instead.`,
    { details: { id, flow } },
  );
}

function notForkable(
  { id, cancelled_after }: TaskRow,
  { from: step, input, set = {} }: ForkTask,
  reason: string,
): TaskonautError {
  const isChanged = input !== undefined || Object.keys(set).length > 0;
  const or = isChanged ? "without another input or other outputs" : "with the flow's code that the task was run with";
  const cancelled =
    cancelled_after === null ? "" : " The task was cancelled, and what it did after that cannot be taken over.";
  return new TaskonautError(
    "task_not_forkable",
    `Task ${id} cannot be forked from step ${step}: ${reason}.${cancelled} Fork from an earlier step, or ${or}.`,
    { details: { id, step } },
  );
}
