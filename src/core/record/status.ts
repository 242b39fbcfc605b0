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

const TERMINAL = endsOf(NEXT);
const STEP_TERMINAL = endsOf(NEXT_STEP);

/** Also of a word that is no status: a damaged record has not ended. */
export function isTerminal(status: TaskStatus): boolean {
  return TERMINAL.has(status);
}

export function isStepOpen(status: StepStatus): boolean {
  return !STEP_TERMINAL.has(status);
}

function endsOf(next: Readonly<Record<string, readonly string[]>>): ReadonlySet<string> {
  return new Set(Object.keys(next).filter((status) => next[status]?.length === 0));
}

/** Throws on a change of state that the table does not have: that is a bug, never a user's doing. */
export function assertNext(from: TaskStatus, to: TaskStatus): void {
  const allowed: readonly TaskStatus[] = NEXT[from];
  if (!allowed.includes(to)) throw new Error(`A task cannot go from ${from} to ${to}.`);
}
