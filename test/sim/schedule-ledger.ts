// What is known of the schedules of a simulation, and what must hold of them:
//
// SI1. Each time of a schedule is dealt with once: it made a task under its key, or was skipped, or waits.

import { keyedTaskId } from "../../src/core/record/ids.ts";
import { firingKey, type ScheduleRow } from "../../src/core/record/schedule.ts";
import type { Firing } from "../../src/store/schedule-store.ts";
import type { SimDatabase } from "./sim-database.ts";

export class ScheduleLedger {
  /** The first time of each, by its name. */
  readonly #firstAt = new Map<string, number>();
  /** Ids of the tasks that each has made. */
  readonly #made = new Map<string, Set<string>>();

  noteInserted({ name, nominal_at }: ScheduleRow): void {
    if (nominal_at !== null) this.#firstAt.set(name, nominal_at);
  }

  /** SI1, of one write: what it makes are times that were still to come, each under its key. */
  breachOf({ row, tasks }: Firing, before: ScheduleRow): string | undefined {
    const made = this.#made.get(row.name) ?? new Set<string>();
    this.#made.set(row.name, made);
    const times = timesOf(before.nominal_at, row.nominal_at, row.every_ms);
    const ids = new Set([...times, before.queued_at ?? -1].map((at) => keyedTaskId(firingKey(row.name, at))));
    for (const { task } of tasks) {
      if (!ids.has(task.id)) return `Schedule ${row.name} makes task ${task.id} for a time that was not its turn.`;
      if (made.has(task.id)) return `Schedule ${row.name} makes task ${task.id} once more.`;
      made.add(task.id);
    }
    return undefined;
  }

  /** SI1, at the end. */
  breachesAtEnd(rows: readonly ScheduleRow[], database: SimDatabase): string[] {
    return rows.flatMap((row) => {
      const { name, fired_count: fired, skipped_count: skipped, queued_at: queued } = row;
      const passed = timesOf(this.#firstAt.get(name) ?? null, row.nominal_at, row.every_ms).length;
      const dealtWith = fired + skipped + (queued === null ? 0 : 1);
      const made = database.everyTask.filter(({ task }) => task.schedule === name).length;
      return [
        ...(passed === dealtWith
          ? []
          : [`Of ${passed} times of schedule ${name} ${dealtWith} were dealt with: ${JSON.stringify(row)}`]),
        ...(made === fired ? [] : [`Schedule ${name} has fired ${fired} times, and there are ${made} tasks of it.`]),
      ];
    });
  }
}

/** From one up to another, which is not among them. */
function timesOf(from: number | null, until: number | null, every: number | null): readonly number[] {
  if (from === null || until === null || every === null) return [];
  const times: number[] = [];
  for (let at = from; at < until; at += every) times.push(at);
  return times;
}
