import { idempotencyKeyOf, toolCallId } from "../../core/record/ids.ts";
import type { StepRow, ToolCallRow } from "../../core/record/record.ts";
import type { Tool } from "../../core/flow/tool.ts";

/** The call of a step that begins: a new row, or the row of an earlier epoch reopened under the same key. */
export function openCall(earlier: ToolCallRow | undefined, step: StepRow, tool: Tool, now: number): ToolCallRow {
  const idempotency_key = idempotencyKeyOf({ taskId: step.task_id, stepId: step.id, tool: tool.name });
  return {
    id: earlier?.id ?? toolCallId(step.id),
    task_id: step.task_id,
    task_step_id: step.id,
    idempotency_key,
    tool_name: tool.name,
    status: "RUNNING",
    retry_count: 0,
    attempt_epoch: step.attempt_epoch,
    last_error: earlier?.last_error ?? null,
    request_payload: step.input_payload,
    response_payload: null,
    error: null,
    started_at: now,
    finished_at: null,
    progress: null,
    created_at: earlier?.created_at ?? now,
  };
}
