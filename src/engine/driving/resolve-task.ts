import type { ResolveTask } from "../../core/api/taskonaut.ts";
import type { TaskRecord } from "../../core/record/record.ts";
import { postResolution } from "../doors/resolve.ts";
import type { DrivingForCallers } from "./drive-for-caller.ts";
import type { DrivingTools } from "./driving-tools.ts";

/**
 * Settles a step in doubt. The driver of the task hears of it. If there is none, it is recorded here, and the task is
 * in the queue. Throws task_not_found, task_not_in_doubt, input_invalid, task_busy.
 */
export async function resolveTask(
  id: string,
  request: ResolveTask,
  { stored, store, flows, limits, log, driven, audit }: DrivingTools,
  callers: DrivingForCallers,
): Promise<TaskRecord> {
  const record = await stored.read(id);
  const post = postResolution(flows.ofTask(record.task), record, request, limits);
  const step = record.steps.find((each) => each.id === post.step_id);
  await store.postToTask(
    post,
    audit({
      action: "resolve",
      kind: "task",
      target: id,
      before: { status: record.task.status, step: step?.step_index, doubt: step?.doubt },
      after: { step: step?.step_index, resolution: request.resolution.kind },
    }),
  );
  log.info?.("step in doubt settled", { task_id: id, resolution: request.resolution.kind });
  driven.wake(id);
  if (await stored.isHeldElsewhere(record)) return stored.read(id);
  return callers.drive(id, (driver) => driver.hear());
}
