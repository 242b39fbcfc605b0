// The engine's queries for tasks that may not begin: an open task has their unique key, or they have expired.

export interface AdmissionStore {
  /** The id of the open task that has this key; undefined: none has. */
  findOpen(flow: string, uniqueKey: string): Promise<string | undefined>;
  /** Tasks that have not begun, are held by nobody, and had to begin by now: `limit` of them, the earliest first. */
  findExpired(limit: number): Promise<readonly string[]>;
}
