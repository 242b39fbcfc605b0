import { stepId } from "../core/ids.ts";
import { parseJson } from "../core/json.ts";
import type { Decision } from "../core/program.ts";
import type { StepRow } from "../core/record.ts";

/** The rows of decisions that are new; `from` steps came before them. Waits are due by the store's clock. */
export function toStepRows(
  taskId: string,
  decisions: readonly Decision[],
  { from, now, storeNow }: { from: number; now: number; storeNow: number },
): { row: StepRow; decision: Decision }[] {
  return decisions.map((decision, index) => ({
    decision,
    row: {
      id: stepId(taskId, decision.path),
      task_id: taskId,
      step_index: from + index + 1,
      path: decision.path,
      kind: decision.kind,
      step_name: decision.name,
      target: decision.target,
      status: "PLANNED",
      input_payload: decision.input,
      output_payload: null,
      error: null,
      outcome_seq: null,
      observed_at: null,
      due_at: dueOf(decision, storeNow),
      attempt_epoch: 0,
      starts: 0,
      doubt: null,
      created_at: now,
      updated_at: now,
    },
  }));
}

function dueOf({ kind, input }: Decision, storeNow: number): number | null {
  if (kind === "sleep") return storeNow + (parseJson(input) as { ms: number }).ms;
  if (kind !== "signal") return null;
  const { timeout_ms: timeoutMs } = parseJson(input) as { timeout_ms?: number };
  return timeoutMs === undefined ? null : storeNow + timeoutMs;
}
