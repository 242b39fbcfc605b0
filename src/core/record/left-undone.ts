// What a task that was cancelled by force leaves behind: recorded with its end, for a person who has to look after it.

import type { JsonText } from "./record.ts";

export interface LeftUndone {
  /**
   * `given_up`: the step was open, and what it was about to do, or did, was cut short. `child`: so was this child, which is
   * told to cancel and may take its time. `ran`: the step's tool had been called, and the flow was not asked whether what
   * came of it has to be undone.
   */
  readonly what: "given_up" | "child" | "ran";
  readonly step_index: number;
  readonly step_name: string;
  /** For `child`: its task. */
  readonly task_id: string | null;
}

export function writeLeftUndone(list: readonly LeftUndone[]): JsonText {
  return JSON.stringify(list);
}

/** Throws if the text is not that of a list. */
export function readLeftUndone(text: JsonText): readonly LeftUndone[] {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list)) throw new Error("The text is not that of a list.");
  return list as LeftUndone[];
}
