import type { Decision } from "../../core/flow/program.ts";
import type { TaskRow } from "../../core/record/record.ts";
import { bytesOfStep } from "../../core/record/record-size.ts";

/**
 * Why a task is not continued with these planned steps: its record would be larger than this process allows, in bytes
 * of JSON. Outcomes are recorded in any case. Undefined: nothing prevents it. A cancelled task may clean up, whatever
 * its size.
 */
export function reasonOfSize(
  { task, isCancelling }: { readonly task: TaskRow; readonly isCancelling: boolean },
  planned: readonly Decision[],
  bytesMax: number,
): string | undefined {
  if (task.cancelled_after !== null || isCancelling) return undefined;
  const bytes = task.recorded_bytes;
  let more = 0;
  for (const { input } of planned) more += bytesOfStep({ input_payload: input });
  if (bytes + more <= bytesMax) return undefined;
  return `Its record holds ${bytes} bytes${more === 0 ? "" : `, with its next steps ${bytes + more}`}; here a task may have ${bytesMax} (TASKONAUT_MAX_TASK_BYTES). Raise the limit and resume the task with resume-task, or cancel it.`;
}
