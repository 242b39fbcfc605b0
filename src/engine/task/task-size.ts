import type { Decision } from "../../core/flow/program.ts";
import type { TaskRow } from "../../core/record/record.ts";
import { bytesOfStep } from "../../core/record/record-size.ts";

/**
 * Why a task is not driven on, with these steps planned: its record would be larger than this process allows, in bytes of
 * JSON. What ran is recorded in any case. Undefined where nothing stands against it.
 */
export function reasonOfSize(
  { recorded_bytes: bytes }: TaskRow,
  planned: readonly Decision[],
  bytesMax: number,
): string | undefined {
  let more = 0;
  for (const { input } of planned) more += bytesOfStep({ input_payload: input });
  if (bytes + more <= bytesMax) return undefined;
  return `Its record holds ${bytes} bytes${more === 0 ? "" : `, with its next steps ${bytes + more}`}; here a task may have ${bytesMax} (TASKONAUT_MAX_TASK_BYTES). Raise the limit and take the task up again with resume-task, or cancel it.`;
}
