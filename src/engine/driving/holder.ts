// Who drives a task elsewhere, in words.

import type { TaskRecord } from "../../core/record/record.ts";
import type { ListedWorker } from "../../store/store.ts";

/** `worker host:17 drives it, step 2 charge since 2026-11-29 03:39:25Z`; the worker is undefined where its row is gone. */
export function describeHolder({ task, steps, calls }: TaskRecord, worker: ListedWorker | undefined): string {
  const who = worker ? `worker ${worker.name} drives it` : "another process drives it";
  const running = calls.filter(({ status }) => status === "RUNNING").toSorted((a, b) => a.started_at - b.started_at);
  const [first] = running;
  const step = first && steps.find(({ id }) => id === first.task_step_id);
  return step
    ? `${who}, step ${step.step_index} ${step.step_name} since ${showTime(first.started_at)}`
    : `${who}, since ${showTime(task.updated_at)}`;
}

/** To the second: it is for people. */
function showTime(ms: number): string {
  return new Date(ms).toISOString().replace("T", " ").replace(/\.\d+/, "");
}
