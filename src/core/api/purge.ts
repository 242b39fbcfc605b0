// Removes the tasks now that workers would remove: those whose retention is over.

import type { TaskStatus } from "../record/status.ts";
import type { TaskFilter } from "./task-filter.ts";

export interface PurgeRequest {
  /** Only those of them that match; of a flow that it names also where that is not loaded. */
  readonly filter: TaskFilter;
  /** Only count. */
  readonly isDryRun: boolean;
  /** The `next` of the answer before. */
  readonly cursor?: string;
}

/** Each call takes a moment: there may be a next one. */
export interface PurgePage {
  readonly removed: readonly PurgedTasks[];
  /** Flows whose tasks were kept, because this process does not know their retention. Only on the first page. */
  readonly not_loaded: readonly string[];
  readonly next: string | null;
}

export interface PurgedTasks {
  readonly flow_name: string;
  readonly status: TaskStatus;
  readonly tasks: number;
}

export function addPurged(one: readonly PurgedTasks[], other: readonly PurgedTasks[]): readonly PurgedTasks[] {
  const sums = new Map<string, PurgedTasks>();
  for (const each of [...one, ...other]) {
    const key = `${each.flow_name} ${each.status}`;
    sums.set(key, { ...each, tasks: (sums.get(key)?.tasks ?? 0) + each.tasks });
  }
  return [...sums.values()];
}
