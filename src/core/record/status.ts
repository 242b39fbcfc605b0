// The states, and which may follow which. `NEXT` is the whole truth; the stores' CHECKs repeat its words.

export type TaskStatus = "PLANNED" | "RUNNING" | "WAITING_OBSERVATION" | "COMPLETED" | "FAILED" | "CANCELLED";
export type StepStatus = "PLANNED" | "RUNNING" | "COMPLETED" | "FAILED" | "CANCELLED";
export type ToolCallStatus = "RUNNING" | "COMPLETED" | "FAILED";

export const NEXT = {
  PLANNED: ["RUNNING", "CANCELLED"],
  RUNNING: ["WAITING_OBSERVATION", "FAILED", "CANCELLED"],
  WAITING_OBSERVATION: ["RUNNING", "COMPLETED", "FAILED", "CANCELLED"],
  COMPLETED: [],
  FAILED: [],
  CANCELLED: [],
} as const satisfies Record<TaskStatus, readonly TaskStatus[]>;

export const NEXT_STEP = {
  PLANNED: ["RUNNING", "COMPLETED", "FAILED", "CANCELLED"],
  RUNNING: ["COMPLETED", "FAILED", "CANCELLED"],
  COMPLETED: [],
  FAILED: [],
  CANCELLED: [],
} as const satisfies Record<StepStatus, readonly StepStatus[]>;

/** The ends of `NEXT`, also of `NEXT_STEP`. Compared word by word: it is asked several times for each row. */
type End = "COMPLETED" | "FAILED" | "CANCELLED";

/** Also of a word that is no status: a damaged record has not ended. */
export function isTerminal(status: TaskStatus): status is End {
  return status === "COMPLETED" || status === "FAILED" || status === "CANCELLED";
}

export function isStepOpen(status: StepStatus): boolean {
  return status !== "COMPLETED" && status !== "FAILED" && status !== "CANCELLED";
}

/** Throws on a change of state that the table does not have: that is a bug, never a user's doing. */
export function assertNext(from: TaskStatus, to: TaskStatus): void {
  const allowed: readonly TaskStatus[] = NEXT[from];
  if (!allowed.includes(to)) throw new Error(`A task cannot go from ${from} to ${to}.`);
}
