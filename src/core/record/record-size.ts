// How large a task's record is: `tasks.recorded_bytes`. It bounds what a task may grow to, and tells whoever reads tasks how
// many to take at once, so about right is right enough. Each text counts once: a call repeats what its step says.

import type { JsonText, StepRow } from "./record.ts";

/** What the rows of a step and its call take beside their texts. */
const STEP_BYTES = 512;

/** Of a short text its characters: to count its bytes would cost more than it can be wrong by. */
const COUNTED_FROM = 1024;

export function bytesOfText(text: JsonText): number {
  return text.length < COUNTED_FROM ? text.length : Buffer.byteLength(text);
}

/** Of a step that is new. */
export function bytesOfStep({ input_payload }: Pick<StepRow, "input_payload">): number {
  return STEP_BYTES + bytesOfText(input_payload);
}
