// Who drives a task elsewhere, in words.

import type { TaskRecord } from "../../core/record/record.ts";
import { describeDriver } from "../../core/waiting.ts";
import type { ListedWorker } from "../../store/worker-store.ts";

/** Like `describeDriver`; the worker is undefined if its row is gone. */
export function describeHolder({ task, steps, calls }: TaskRecord, worker: ListedWorker | undefined): string {
  const running = calls.filter(({ status }) => status === "RUNNING").toSorted((a, b) => a.started_at - b.started_at);
  const [first] = running;
  const step = first && steps.find(({ id }) => id === first.task_step_id);
  return describeDriver({ name: worker?.name, step, since: step ? first.started_at : task.updated_at });
}
