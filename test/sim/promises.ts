// What people are promised about a task as such, looked at with every write.
//
// IP1. Of a flow with keys no two tasks of one key are open.
// IP2. Before its time no task expires.
// IP3. A fork has the other task's steps before it, each with the input and the outcome that it has there.

import { readOrigin } from "../../src/core/record/origin.ts";
import { DECISION, OUTCOME } from "./columns-of-step.ts";
import type { SimDatabase, StoredTask } from "./sim-database.ts";

/** What a fork takes over of a step that has an outcome. */
const SHARED = [...DECISION, ...OUTCOME];

interface Write {
  readonly before: StoredTask | undefined;
  readonly after: StoredTask;
}

/** What is broken by a write, as sentences. `storeNow`: the latest time that the store has told anybody. */
export function brokenPromises({ before, after }: Write, database: SimDatabase, storeNow: number): string[] {
  const { id, flow_name: flow, unique_key: key, finished_at, cancel_reason: reason } = after.task;
  const broken: string[] = [];
  const isOpened = finished_at === null && (before === undefined || before.task.finished_at !== null);
  if (key !== null && isOpened) {
    const open = database.tasks.filter(
      ({ task }) => task.flow_name === flow && task.unique_key === key && task.finished_at === null,
    );
    if (open.length > 1) broken.push(`${open.length} tasks of flow ${flow} with key ${key} are open.`);
  }
  const expiresAt = before?.task.expires_at ?? null;
  const hasExpired = reason !== null && before?.task.cancel_reason === null;
  if (hasExpired && (expiresAt === null || expiresAt > storeNow))
    broken.push(`Task ${id} has expired, although it may begin until ${expiresAt}; it is ${storeNow}.`);
  if (!before) broken.push(...brokenByFork(after, database));
  return broken;
}

function brokenByFork({ task, steps }: StoredTask, database: SimDatabase): string[] {
  const origin = readOrigin(task.origin);
  const from = origin && database.findEver(origin.task_id);
  if (!origin || !from) return [];
  const there = new Map([...from.steps.values()].map((step) => [step.step_index, step]));
  return [...steps.values()].flatMap((step): string[] => {
    const where = `Step ${step.step_index} of task ${task.id}, a fork from step ${origin.step} of task ${from.task.id},`;
    if (step.outcome_seq === null) return [];
    if (step.step_index >= origin.step) return [`${where} came with an outcome.`];
    const other = there.get(step.step_index);
    const differs = other && SHARED.find((column) => step[column] !== other[column]);
    return differs === undefined ? [] : [`${where} has another ${differs}.`];
  });
}
