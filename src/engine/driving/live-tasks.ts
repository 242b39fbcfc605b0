// Drivers of tasks that were driven here a moment ago: their next transition needs neither a read nor a replay.
// What they know may be out of date; the fence finds out (store: S1).

import type { TaskDriver } from "../task/task-driver.ts";

const LIVE_MAX = 500;

export class LiveTasks {
  /** In order of last use, the latest last. */
  readonly #drivers = new Map<string, TaskDriver>();

  /** Undefined also where the driver has given up since: the task is read again. */
  get(id: string): TaskDriver | undefined {
    const driver = this.#drivers.get(id);
    if (!driver || driver.isAbandoned) return undefined;
    this.#drivers.delete(id);
    this.#drivers.set(id, driver);
    return driver;
  }

  keep(id: string, driver: TaskDriver): void {
    this.#drivers.delete(id);
    this.#drivers.set(id, driver);
    if (this.#drivers.size <= LIVE_MAX) return;
    for (const [oldest, candidate] of this.#drivers) {
      if (candidate.isBusy || candidate.isUnsettled) continue; // its tools report to it
      this.#drivers.delete(oldest);
      return;
    }
  }

  /** Something came for the task: whoever drives it here looks at its inbox. */
  wake(id: string): void {
    this.#drivers.get(id)?.wake();
  }

  drop(id: string): void {
    this.#drivers.delete(id);
  }

  /** Of tasks whose tools run here, or of which something is not durable yet. */
  heldIds(): readonly string[] {
    return [...this.#drivers].flatMap(([id, driver]) => (driver.isBusy || driver.isUnsettled ? id : []));
  }

  drivers(): readonly TaskDriver[] {
    return [...this.#drivers.values()];
  }
}
