import { TaskonautError } from "../../core/errors.ts";
import type { TaskRecord } from "../../core/record/record.ts";
import { isTerminal } from "../../core/record/status.ts";
import { Draft } from "../task/draft.ts";
import { LostTaskError } from "../task/driver-tools.ts";
import { cancelByForce } from "../task/force-cancel.ts";
import type { DrivenTasks } from "./driven-tasks.ts";
import type { DrivingTools } from "./driving-tools.ts";

/**
 * Ends a task that was cancelled by force, whatever its flow would do. If a driver has the task, the driver ends it.
 * Returns the record of its end. Throws task_busy if another process holds it and does not react.
 */
export async function endByForce(id: string, tools: DrivingTools): Promise<TaskRecord> {
  const { driven, stored, clock, limits, writer, log, children } = tools;
  const deadline = clock.now() + limits.busyMs;
  const unlock = await driven.lock(id);
  try {
    for (;;) {
      await abortTools(id, driven);
      const { record } = await stored.readFree(id, deadline);
      if (isTerminal(record.task.status)) return record;
      const draft = new Draft(record);
      cancelByForce(draft, clock.now());
      const change = draft.takeChange();
      if (change && (await writer.submitChange(change))) {
        log.warn?.("task cancelled by force", { task_id: id, flow: record.task.flow_name });
        for (const post of change.posts) children.onPosted(post);
        tools.onEnded(id);
        return draft.record;
      }
    }
  } finally {
    unlock();
  }
}

/** Tools of the task may run here: whoever started them has to abort them. */
async function abortTools(id: string, driven: DrivenTasks): Promise<void> {
  const driver = driven.remembered(id);
  if (!driver) return;
  try {
    await driver.hear();
    await driver.settle();
  } catch (error) {
    if (!(error instanceof LostTaskError)) throw error;
  } finally {
    driven.forget(id);
  }
}

/** For a task that has to be cancelled although its flow prevents it: `cause` says why. */
export function cannotCleanUp(id: string, cause: TaskonautError): TaskonautError {
  return new TaskonautError(
    "task_parked",
    `${cause.message} The cancel is recorded, and takes effect when the task can go on. A cancel by force ends it now, without what its flow would clean up.`,
    { details: { id }, cause },
  );
}
