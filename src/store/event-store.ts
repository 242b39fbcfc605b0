// The journal of recent changes of tasks, for listeners. While somebody listens, every writer adds its changes in the
// transaction that makes them: so no event is reported that did not happen, and none is lost with its process. While
// nobody listens, nothing is written.

/** The task after the change. */
export interface EventRow {
  /** The position in the journal: rising, but several rows may share one. */
  readonly position: number;
  /** In store time. */
  readonly at: number;
  readonly kind: "created" | "changed" | "removed";
  readonly task_id: string;
  readonly version: number;
  readonly flow_name: string;
  readonly status: string;
  readonly parked: boolean;
  /** As in the task's row. */
  readonly waits: number | null;
  readonly parent_task_id: string | null;
  readonly schedule: string | null;
  readonly priority: number;
  readonly tags: string | null;
}

export interface EventPage {
  /**
   * The epoch of the journal that was read; null: there is none any more. If it differs from before, something may have
   * been missed.
   */
  readonly epoch: string | null;
  /** In the order of the changes, for one task by version; no row comes twice from one reader. */
  readonly rows: readonly EventRow[];
  /** The journal knows nothing before it any more. */
  readonly floor: number;
  /** Everything before it was read: a reader that continues from there later has missed nothing. */
  readonly next: number;
  /** There is more to read now. */
  readonly isCut: boolean;
  /** False while a change may still appear that began before anybody listened, and that the journal does not have. */
  readonly isWhole: boolean;
}

export interface EventReader {
  /** The new events since the last read; at most EVENTS_PAGE. */
  read(): Promise<EventPage>;
}

export interface EventStore {
  /**
   * From now on, for `ms`, changes are recorded. Also removes everything older than the last EVENTS_KEPT. A journal
   * without a gap keeps its epoch.
   */
  listen(ms: number): Promise<{ readonly epoch: string }>;
  /** From the first row that still exists. */
  openReader(): EventReader;
}

export const EVENTS_PAGE = 1000;

/** How many of the last events are kept for returning listeners. */
export const EVENTS_KEPT = 10_000;
