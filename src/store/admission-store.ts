// What the engine asks of the store about tasks that may not begin: those whose unique keys an open task has, and those
// whose time to begin is over.

export interface AdmissionStore {
  /** The id of the open task that has this key; undefined: none has. */
  findOpen(flow: string, uniqueKey: string): Promise<string | undefined>;
  /** Tasks that have not begun, are held by nobody, and had to begin by now: `limit` of them, the earliest first. */
  findExpired(limit: number): Promise<readonly string[]>;
}
