// Finds the steps that may have killed the last process of a task (step-runner's R2).

import type { StepRow } from "../../core/record/record.ts";
import type { TaskState } from "./task-state.ts";
import { isWait } from "./wait-events.ts";

export class Suspects {
  /** Ids of steps that may have run when the process died, and have not ended since. */
  readonly #ids: Set<string>;
  /** None of the recorded steps ran: an unrecorded one may have. */
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

  /** `unrecorded`: steps among the first to start that could run before their start was recorded (R1). */
  noteStarting(unrecorded: readonly StepRow[]): void {
    if (this.#isCauseUnknown) for (const { id } of unrecorded) this.#ids.add(id);
    this.#isCauseUnknown = false;
  }

  /** How often the step was started since a process survived running it, including the next start. */
  startsOf({ id, starts }: StepRow): number {
    return this.#ids.has(id) ? Math.max(starts, 1) + 1 : 1;
  }
}
