import { stepId } from "../core/ids.ts";
import type { Decision } from "../core/program.ts";
import type { StepRow } from "../core/record.ts";
import type { Tool } from "../core/tool.ts";

/** The rows of decisions that are new; `from` steps came before them. */
export function toStepRows(
  taskId: string,
  decisions: readonly Decision[],
  { from, now }: { from: number; now: number },
): { row: StepRow; tool: Tool | undefined }[] {
  return decisions.map((decision, index) => ({
    tool: decision.tool,
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
      created_at: now,
      updated_at: now,
    },
  }));
}
