import type { Clock } from "../../core/clock.ts";

/**
 * The time of this process, for the rows of one task. It never goes back, even if the clocks of the task's processes
 * differ: it is the flow's `now()`.
 */
export class TaskTime {
  constructor(
    private readonly clock: Pick<Clock, "now">,
    private last: number,
  ) {}

  now(): number {
    const now = this.clock.now();
    if (now > this.last) this.last = now;
    return this.last;
  }
}
