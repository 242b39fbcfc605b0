// Reports what happens to the tasks that this process drives, for a live view. Without a listener it costs nothing.

import type { JsonText, StepRow, TaskRow } from "../record/record.ts";
import type { StepStatus } from "../record/status.ts";

/** An attempt of a tool that failed, and is followed by another one in this process. */
export interface FailedAttempt {
  readonly taskId: string;
  readonly stepId: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly error: string;
  /** How long the process waits before the next one. */
  readonly nextMs: number;
}

/** The rows may change later: a listener copies what it keeps. No method may throw. */
export interface TaskListener {
  /** The task has moved, durably. */
  moved(task: TaskRow): void;
  /** It has been left as it is, until a person resumes it. */
  parked(task: TaskRow, reason: string): void;
  /** The flow has decided on the step. */
  planned(step: StepRow): void;
  /** Its tool is about to be called, for the `attempt`-th time of so many, or its child is about to run. */
  started(step: StepRow, attempt: number, attempts: number): void;
  /** How far its tool is, as JSON (`core/record/progress.ts`). */
  progressed(step: StepRow, progress: JsonText): void;
  attemptFailed(failed: FailedAttempt): void;
  /** The next attempt is far away, and none of this process's: the step waits for it until `dueAt`, in store time. */
  postponed(step: StepRow, dueAt: number): void;
  /** Nobody knows whether the effect of its tool happened. */
  doubted(step: StepRow): void;
  /** It has an outcome, durably. `error`: of one that failed. */
  ended(step: StepRow, status: StepStatus, error: string | undefined): void;
}
