// The engine's queries for tasks that may not begin: an open task has their unique key, or they have expired.

export interface Expired {
  readonly ids: readonly string[];
  /** When the next task expires that has time now, in store time; null: none does. */
  readonly nextAt: number | null;
}

export interface AdmissionStore {
  /** The id of the open task with this key; undefined: there is none. */
  findOpen(flow: string, uniqueKey: string): Promise<string | undefined>;
  /**
   * Tasks that have not begun, that nobody holds, and that had to begin by now: at most `limit`, the earliest first.
   */
  findExpired(limit: number): Promise<Expired>;
}
