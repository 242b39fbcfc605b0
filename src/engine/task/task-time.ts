import type { Clock } from "../../core/clock.ts";

/**
 * The time of this process, for the rows of one task. It never goes back, whatever the clocks of the processes say that
 * drove the task: it is the flow's `now()`.
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
