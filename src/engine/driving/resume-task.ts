// Ends the rest of a parked task, so that the next driver can continue it.

import type { TaskRecord } from "../../core/record/record.ts";
import type { DrivingForCallers } from "./drive-for-caller.ts";
import type { DrivingTools } from "./driving-tools.ts";

/** Returns the task's record, due from now on; undefined if it is not parked. Throws task_not_found, task_busy. */
export async function resumeTask(
  id: string,
  { stored, storeClock, audit }: DrivingTools,
  callers: DrivingForCallers,
): Promise<TaskRecord | undefined> {
  const { parked_reason, status } = await stored.readRow(id);
  if (parked_reason === null) return undefined;
  const audited = audit({ action: "resume-task", kind: "task", target: id, before: { status, parked_reason } });
  await storeClock.recent(); // it is due from now on
  return callers.drive(id, (driver) => {
    driver.unpark(audited);
    return true;
  });
}
