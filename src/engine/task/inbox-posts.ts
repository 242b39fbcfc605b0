// What a driver leaves for other tasks, as part of what it writes.

import type { ProgramEnd } from "../../core/flow/program.ts";
import type { TaskRow } from "../../core/record/record.ts";
import type { InboxPost } from "../../store/store.ts";

/** How a child that was cancelled looks to its parent. */
export const CANCELLED_CHILD: ProgramEnd = {
  kind: "failed",
  error: JSON.stringify({ name: "CancelledError", message: "The child task was cancelled." }),
};

/** A child's end, for its parent. */
export function endOfChild(task: TaskRow, end: ProgramEnd): InboxPost {
  return {
    task_id: task.parent_task_id ?? "",
    kind: "child",
    name: null,
    step_id: task.parent_step_id,
    payload: end.kind === "completed" ? end.output : null,
    error: end.kind === "failed" ? end.error : null,
    idempotency_key: null,
    attempt_epoch: null,
  };
}

/** A cancel for a task's inbox. */
export function cancelOf(taskId: string, { force = false } = {}): InboxPost {
  return {
    task_id: taskId,
    kind: "cancel",
    name: null,
    step_id: null,
    payload: force ? FORCE : null,
    error: null,
    idempotency_key: null,
    attempt_epoch: null,
  };
}

export function isForcedCancel({ kind, payload }: Pick<InboxPost, "kind" | "payload">): boolean {
  return kind === "cancel" && payload !== null;
}

/** The payload of a cancel by force. */
const FORCE = JSON.stringify({ force: true });
