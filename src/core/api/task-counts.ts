// How many tasks there are, by flow and state.

import type { TaskStatus } from "../record/status.ts";
import type { TaskFilter } from "./task-filter.ts";

export interface CountTasks {
  /** Unset: all tasks. Filters by flow and state alone use stored counts; other filters search the tasks. */
  readonly filter?: TaskFilter;
}

interface TaskCount {
  readonly flow_name: string;
  readonly status: TaskStatus;
  readonly count: number;
}

export interface TaskCounts {
  /** Of all of them. */
  readonly total: number;
  /** False: there are more tasks, and counting them would take too long. */
  readonly complete: boolean;
  /** By flow, then by state as they follow each other; what there is none of is left out. */
  readonly counts: readonly TaskCount[];
}
