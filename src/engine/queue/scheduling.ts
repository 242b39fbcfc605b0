// A worker's duty for schedules: it turns the schedules of its flow files into rows, and due firings into tasks.

import { Firings, type FiringTools } from "./firings.ts";
import type { Duty } from "./maintenance.ts";
import { ScheduleSources } from "./schedule-sources.ts";
import type { Sideline } from "./worker-tools.ts";

/** How often a worker confirms that its code is running, and checks whether to take over. */
const CONFIRM_MS = 40_000;

export class Scheduling implements Sideline {
  readonly #firings: Firings;
  readonly #sources: ScheduleSources;

  constructor(tools: FiringTools) {
    this.#firings = new Firings(tools);
    this.#sources = new ScheduleSources(tools, () => tools.notifier.tellWorkers());
  }

  get duty(): Duty {
    return { name: "declare schedules", everyMs: CONFIRM_MS, do: () => this.#sources.confirm() };
  }

  begin(): Promise<void> {
    return this.#sources.declareAll();
  }

  goOn(signal: AbortSignal): Promise<void> {
    return this.#firings.goOn(signal);
  }

  noteNews(): void {
    this.#firings.noteNews();
  }
}
