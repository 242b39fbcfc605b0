import { hasCode } from "../../core/errors.ts";
import type { Task } from "../../core/api/task.ts";
import type { CancelTask } from "../../core/api/taskonaut.ts";
import type { TaskRecord } from "../../core/record/record.ts";
import { isTerminal } from "../../core/record/status.ts";
import { cancelOf } from "../task/inbox-posts.ts";
import type { ChildTasks } from "./child-tasks.ts";
import type { DrivingTools } from "./driving-tools.ts";
import { cannotCleanUp, endByForce } from "./end-by-force.ts";

interface CancelTools extends DrivingTools {
  readonly cancelled: Pick<ChildTasks, "runCancelled">;
  /** The task as it is now. */
  readonly read: (id: string) => Promise<Task>;
  readonly tell: (record: TaskRecord) => Promise<Task>;
}

/**
 * Records the cancel, and lets the flow clean up unless another process does. With `force` the task has ended
 * afterwards. Throws task_not_found, task_busy, and task_parked if the flow cannot clean up now.
 */
export async function cancelTask(id: string, { force = false }: CancelTask, tools: CancelTools): Promise<Task> {
  const { stored, store, flows, log, onWoken, read, audit } = tools;
  const row = await stored.readRow(id);
  if (isTerminal(row.status)) return read(id);
  const before = { status: row.status };
  const doing = { action: "cancel-task", kind: "task", target: id, before, after: { force } } as const;
  await store.postToTask(cancelOf(id, { force }), audit(doing));
  log.info?.("task cancel requested", { task_id: id, force });
  onWoken(id);
  if (force) return tools.tell(await endByForce(id, tools));
  // the process that drives the task hears of it; if there is none, this process cleans up, unless only others have its
  // flow
  if (await stored.isHeldElsewhere({ task: row })) return read(id);
  if (!flows.get(row.flow_name)) {
    log.warn?.("task cancel left to a process that has the flow", { task_id: id, flow: row.flow_name });
    return read(id);
  }
  try {
    return await tools.cancelled.runCancelled(id);
  } catch (error) {
    // a tool that ignores its abort signal runs on: the flow hears of the cancel when the tool has ended. And if its
    // flow is paused, the clean-up waits until the pause is over
    if (hasCode(error, "task_busy") || hasCode(error, "flow_paused")) return read(id);
    throw hasCode(error, "task_parked") ? cannotCleanUp(id, error) : error;
  }
}
