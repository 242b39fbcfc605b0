// Of a task whose last process died with it: which steps may have taken the process with them (step-runner's R2).

import type { StepRow } from "../../core/record/record.ts";
import type { TaskState } from "./task-state.ts";
import { isWait } from "./wait-events.ts";

export class Suspects {
  /** Ids of steps that may have run when the process died, and have not ended since. */
  readonly #ids: Set<string>;
  /** None of the steps that it had recorded ran: one that it had not may have. */
  #isCauseUnknown: boolean;

  constructor(state: TaskState) {
    const open = state.openSteps().filter((step) => !isWait(step));
    this.#ids = new Set((state.isSequential ? open.slice(0, 1) : open).map(({ id }) => id));
    this.#isCauseUnknown = this.#ids.size === 0;
  }

  ids(): Iterable<string> {
    return this.#ids;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  delete(id: string): void {
    this.#ids.delete(id);
  }

  /** `unrecorded`: those of the steps that start first which could run before that was recorded (R1). */
  noteStarting(unrecorded: readonly StepRow[]): void {
    if (this.#isCauseUnknown) for (const { id } of unrecorded) this.#ids.add(id);
    this.#isCauseUnknown = false;
  }

  /** How often the step was started since a process that ran it lived, with the start to come. */
  startsOf({ id, starts }: StepRow): number {
    return this.#ids.has(id) ? Math.max(starts, 1) + 1 : 1;
  }
}
