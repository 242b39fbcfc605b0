// The meaning of a filter, defined once for a task in memory. The stores search by indexes, and tests compare them with this.

import { isWithin } from "../record/text-within.ts";
import type { Task } from "./task.ts";
import { type TaskFilter, timeOfBound, type WaitFilter } from "./task-filter.ts";

/** `now`: durations are so long ago by then. */
export function matchesFilter(task: Task, filter: TaskFilter, now: number): boolean {
  const isInDoubt = task.steps.some(({ doubt }) => doubt !== null);
  const waitsFor = (wait: WaitFilter): boolean =>
    wait === "doubt"
      ? isInDoubt
      : task.waiting_for.some(({ kind, name }) => wait === kind || wait === `${kind}:${name}`);
  const isBetween = (time: string | null, since: string | undefined, until: string | undefined): boolean =>
    (since === undefined || (time !== null && Date.parse(time) >= timeOfBound(since, now))) &&
    (until === undefined || (time !== null && Date.parse(time) < timeOfBound(until, now)));
  return (
    isAmong(filter.flow, task.flow_name) &&
    isAmong(filter.status, task.status) &&
    (!filter.parked || task.parked_reason !== null) &&
    (!filter.inDoubt || isInDoubt) &&
    (!filter.needsPerson || task.parked_reason !== null || isInDoubt || waitsFor("signal")) &&
    (filter.waitingFor === undefined || filter.waitingFor.some(waitsFor)) &&
    Object.entries(filter.tags ?? {}).every(([key, value]) => task.tags[key] === value) &&
    isBetween(task.created_at, filter.since, filter.until) &&
    isBetween(task.updated_at, filter.updatedSince, filter.updatedUntil) &&
    isBetween(task.finished_at, filter.finishedSince, filter.finishedUntil) &&
    (filter.error === undefined || (task.error_message !== null && isWithin(filter.error, task.error_message))) &&
    (filter.parent === undefined || task.parent_task_id === filter.parent) &&
    (filter.schedule === undefined || task.schedule === filter.schedule) &&
    (filter.priority === undefined || task.priority === filter.priority)
  );
}

function isAmong<Value>(values: readonly Value[] | undefined, value: Value): boolean {
  return values === undefined || values.includes(value);
}
