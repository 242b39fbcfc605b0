// Posts for the inbox of a task: from drivers of other tasks, as part of their writes, and from people.

import type { ProgramEnd } from "../../core/flow/program.ts";
import type { JsonText, StepRow, TaskRow } from "../../core/record/record.ts";
import type { InboxPost } from "../../store/store.ts";

/** The error of a cancelled child, as its parent sees it. */
export const CANCELLED_CHILD: ProgramEnd = {
  kind: "failed",
  error: JSON.stringify({ name: "CancelledError", message: "The child task was cancelled." }),
};

/** A child's end, for its parent. */
export function endOfChild(task: TaskRow, end: ProgramEnd): InboxPost {
  return post(task.parent_task_id ?? "", "child", {
    step_id: task.parent_step_id,
    payload: end.kind === "completed" ? end.output : null,
    error: end.kind === "failed" ? end.error : null,
  });
}

/** A cancel for a task's inbox. */
export function cancelOf(taskId: string, { force = false } = {}): InboxPost {
  return post(taskId, "cancel", { payload: force ? FORCE : null });
}

/** `key`: the idempotency key, if the sender gave one. */
export function signalOf(taskId: string, name: string, payload: JsonText, key: string | undefined): InboxPost {
  return post(taskId, "signal", { name, payload, idempotency_key: key ?? null });
}

/** The outcome of a step in doubt; with neither field, its tool is called again. */
export function settlementOf(
  { task_id, id, attempt_epoch }: StepRow,
  outcome: { readonly payload?: JsonText | null; readonly error?: JsonText | null },
): InboxPost {
  return post(task_id, "resolve", { ...outcome, step_id: id, attempt_epoch });
}

function post(task_id: string, kind: InboxPost["kind"], fields: Partial<InboxPost>): InboxPost {
  return {
    task_id,
    kind,
    name: null,
    step_id: null,
    payload: null,
    error: null,
    idempotency_key: null,
    attempt_epoch: null,
    ...fields,
  };
}

export function isForcedCancel({ kind, payload }: Pick<InboxPost, "kind" | "payload">): boolean {
  return kind === "cancel" && payload !== null;
}

/** The payload of a cancel by force. */
const FORCE = JSON.stringify({ force: true });
