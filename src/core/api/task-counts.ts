// How many tasks there are, by flow and state.

import type { TaskStatus } from "../record/status.ts";
import type { TaskFilter } from "./task-filter.ts";

export interface CountTasks {
  /** Unset: all tasks. By flow and state alone it costs nothing to count; by anything else tasks are searched for. */
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
  /** False: there are more, which were not counted, for it takes too long. */
  readonly complete: boolean;
  /** By flow, then by state as they follow each other; what there is none of is left out. */
  readonly counts: readonly TaskCount[];
}
