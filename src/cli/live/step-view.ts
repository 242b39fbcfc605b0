// What a live view shows of a step.

import type { Waiting } from "../../core/api/task.ts";
import type { Progress } from "../../core/record/progress.ts";

export type StepState =
  | "planned"
  | "running"
  /** Its last attempt failed, and the next one comes. */
  | "retrying"
  | "waiting"
  | "doubt"
  | "completed"
  | "failed"
  | "cancelled";

export interface StepView {
  readonly index: number;
  readonly name: string;
  state: StepState;
  /** The attempt that runs, or comes next: 1 for the first. */
  attempt: number;
  /** How many there may be; undefined: nobody has told. */
  attempts: number | undefined;
  /** Milliseconds since 1970, as all times: since when it runs; undefined: it has not begun. */
  since: number | undefined;
  /** How long it took, of one that has ended. */
  tookMs: number | undefined;
  /** When the next attempt begins. */
  nextAt: number | undefined;
  wait: Waiting | undefined;
  /** How far its tool is, of one that runs. */
  progress: Progress | undefined;
  /** The task that it runs. */
  readonly childId: string | undefined;
  /** Why it failed, or its last attempt did. */
  error: string | undefined;
}
