// The metrics of the whole store, for Prometheus. They are read when somebody requests them, and kept for a few
// seconds. If the store does not answer, the metrics say so, and all others are still there.

import { FIGURE_FLOWS_MAX, type FlowFigures, type TicketFigure, type WorkerFigures } from "../store/figure-store.ts";
import type { PauseRow, Store, TaskCount } from "../store/store.ts";
import type { ScheduleRow } from "../core/record/schedule.ts";
import type { Registry } from "./registry.ts";

/** How long figures are kept. */
const FRESH_MS = 5_000;

/** How long a request for the metrics waits for the store. */
const WAIT_MS = 3_000;

const SCHEDULES_MAX = 1_000;

export interface FiguresOptions {
  readonly store: Pick<Store, "counts" | "figures" | "schedules" | "pauses">;
  /** Milliseconds since some fixed moment. */
  readonly elapsed?: () => number;
  readonly waitMs?: number;
}

interface Figures {
  readonly counts: readonly TaskCount[];
  readonly flows: readonly FlowFigures[];
  readonly tickets: readonly TicketFigure[];
  readonly workers: WorkerFigures;
  readonly schedules: readonly ScheduleRow[];
  readonly pauses: readonly Pick<PauseRow, "scope">[];
}

/** Undefined: the store has not answered. */
type Read = Figures | undefined;

export class StoreFigures {
  #last: Read;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  readonly #elapsed: () => number;

  constructor(private readonly options: FiguresOptions) {
    this.#elapsed = options.elapsed ?? (() => performance.now());
  }

  /** Reads the figures if the known ones are old. Never rejects, and takes `waitMs` at most. */
  async refresh(): Promise<void> {
    if (this.#elapsed() - this.#readAt < FRESH_MS) return;
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    const { promise: late, resolve } = Promise.withResolvers<"late">();
    const timer = setTimeout(resolve, this.options.waitMs ?? WAIT_MS, "late");
    try {
      if ((await Promise.race([this.#reading, late])) === "late") this.#last = undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  addTo(registry: Registry): void {
    const add = <Name extends string>(
      name: string,
      help: string,
      labels: readonly Name[],
      read: (figures: Figures) => Iterable<readonly [Readonly<Record<Name, string>>, number]>,
    ): void =>
      registry.reading(`taskonaut_${name}`, `${help} Of the whole store: every process tells the same.`, {
        ...(name.endsWith("_total") && { type: "counter" }),
        labels,
        read: () => (this.#last ? read(this.#last) : []),
      });
    registry.reading("taskonaut_store_up", "Whether the store answered when the metrics were asked for: 1 or 0.", {
      labels: [],
      read: () => [[{}, this.#last ? 1 : 0]],
    });
    add("tasks", "Tasks there are.", ["flow", "status"], ({ counts }) =>
      counts.map(({ flow_name: flow, status, tasks }) => [{ flow, status }, tasks]),
    );
    const ofFlow = (name: string, help: string, read: (figures: FlowFigures) => number | null): void =>
      add(name, help, ["flow"], ({ flows }) =>
        flows.map((figures) => [{ flow: figures.flow_name }, read(figures) ?? 0] as const),
      );
    ofFlow("tasks_due", "Tasks that are due and that nobody holds, up to 1000.", ({ due }) => due);
    ofFlow(
      "oldest_due_seconds",
      "For how long the first task that nobody holds has been due; 0 where none is.",
      ({ oldest_due_ms }) => (oldest_due_ms === null ? 0 : Math.max(0, oldest_due_ms) / 1000),
    );
    ofFlow("tasks_in_doubt", "Tasks with a step in doubt, up to 1000.", ({ in_doubt }) => in_doubt);
    ofFlow("tasks_parked", "Parked tasks, up to 1000.", ({ parked }) => parked);
    add("workers", "Living workers that take tasks from the queue.", [], ({ workers }) => [[{}, workers.workers]]);
    add("slots", "How many tasks these drive at once at most.", [], ({ workers }) => [[{}, workers.slots]]);
    add("limit_blocked", "Steps that wait for a ticket of a tool's limit, up to 1000.", ["limit"], ({ tickets }) =>
      tickets.map(({ limit_name: limit, waiting }) => [{ limit }, waiting]),
    );
    add("schedule_fired_total", "Firings that made a task.", ["schedule"], ({ schedules }) =>
      schedules.map(({ name: schedule, fired_count }) => [{ schedule }, fired_count]),
    );
    add("schedule_skipped_total", "Firings that made no task.", ["schedule"], ({ schedules }) =>
      schedules.map(({ name: schedule, skipped_count }) => [{ schedule }, skipped_count]),
    );
    add("pauses", "Pauses that hold.", ["scope"], ({ pauses }) =>
      (["all", "flow", "tool"] as const).map((scope) => [
        { scope },
        pauses.filter((each) => each.scope === scope).length,
      ]),
    );
  }

  async #read(): Promise<void> {
    const { counts, figures, schedules, pauses } = this.options.store;
    try {
      const ofTasks = await counts.read();
      const names = [...new Set(ofTasks.map(({ flow_name }) => flow_name))].slice(0, FIGURE_FLOWS_MAX);
      const [flows, tickets, workers, ofSchedules, held] = await Promise.all([
        figures.ofFlows(names),
        figures.ofTickets(),
        figures.ofWorkers(),
        schedules.list({ limit: SCHEDULES_MAX }),
        pauses.read(NOBODY),
      ]);
      this.#last = { counts: ofTasks, flows, tickets, workers, schedules: ofSchedules, pauses: held.pauses };
    } catch {
      this.#last = undefined;
    }
    this.#readAt = this.#elapsed();
  }
}

/** No worker has this id. */
const NOBODY = "00000000-0000-0000-0000-000000000000";
