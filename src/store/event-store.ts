// The journal of recent changes of tasks, for listeners. While somebody listens, every writer adds its changes in the
// transaction that makes them: so no event is reported that did not happen, and none is lost with its process. While nobody
// listens, nothing is written.

/** Of the task as the change left it. */
export interface EventRow {
  /** Of the journal: rising, but several rows may have one. */
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
  /** Of the journal that was read; null: there is none any more. Another one than before: something may have been missed. */
  readonly epoch: string | null;
  /** In the order in which they happened, of one task by version; no row comes twice from one reader. */
  readonly rows: readonly EventRow[];
  /** Before it nothing of the journal is known any more. */
  readonly floor: number;
  /** All before it was read: who goes on from there later has missed nothing. */
  readonly next: number;
  /** There is more to be read at once. */
  readonly isCut: boolean;
  /** False while a change may still come through that began before anybody listened, and was not put down. */
  readonly isWhole: boolean;
}

export interface EventReader {
  /** What has come since the last time; EVENTS_PAGE at most. */
  read(): Promise<EventPage>;
}

export interface EventStore {
  /**
   * From now on, for `ms`, changes are put down. Also removes what is older than the last EVENTS_KEPT. A journal that was
   * kept up all the time keeps its epoch.
   */
  listen(ms: number): Promise<{ readonly epoch: string }>;
  /** From the first that is still there. */
  openReader(): EventReader;
}

export const EVENTS_PAGE = 1000;

/** So many of the last events are kept for those who come back. */
export const EVENTS_KEPT = 10_000;
