// What the pages need to know about a task's state, besides the words that they share with the command line.

import type { StepSummary } from "../core/api/task.ts";

export function isEnded(status: string): boolean {
  return status === "COMPLETED" || status === "FAILED" || status === "CANCELLED";
}

export function isInDoubt({ doubt, status }: StepSummary): boolean {
  return doubt !== null && status === "RUNNING";
}
