import { stepId } from "../../core/record/ids.ts";
import { parseJson } from "../../core/record/json.ts";
import type { Decision } from "../../core/flow/program.ts";
import type { StepRow } from "../../core/record/record.ts";

/** The row of a new decision; `index` is its step_index. A wait is due by the store's clock. */
export function toStepRow(
  taskId: string,
  decision: Decision,
  { index, now, storeNow }: { index: number; now: number; storeNow: number },
): StepRow {
  return {
    id: stepId(taskId, decision.path),
    task_id: taskId,
    step_index: index,
    path: decision.path,
    kind: decision.kind,
    step_name: decision.name,
    target: decision.target,
    execution: decision.tool?.execution ?? null,
    status: "PLANNED",
    input_payload: decision.input,
    output_payload: null,
    error: null,
    outcome_seq: null,
    observed_at: null,
    due_at: dueOf(decision, storeNow),
    attempt_epoch: 0,
    starts: 0,
    limited_by: null,
    doubt: null,
    created_at: now,
    updated_at: now,
  };
}

function dueOf({ kind, input }: Decision, storeNow: number): number | null {
  if (kind === "sleep") return storeNow + (parseJson(input) as { ms: number }).ms;
  if (kind !== "signal") return null;
  const { timeout_ms: timeoutMs } = parseJson(input) as { timeout_ms?: number };
  return timeoutMs === undefined ? null : storeNow + timeoutMs;
}
