import type { StepRow } from "../../src/core/record/record.ts";

/** What the flow decided. */
export const DECISION = [
  "path",
  "kind",
  "step_name",
  "target",
  "execution",
  "input_payload",
] as const satisfies readonly (keyof StepRow)[];

/** What came of it. */
export const OUTCOME = ["status", "output_payload", "error"] as const satisfies readonly (keyof StepRow)[];
