// Turns among the keys of a flow: each process continues after the last key that it served. It is kept in memory only:
// forgetting it does no harm.

/** Where a claim begins, and how it goes on. */
export interface KeyPlace {
  /** The key that was served last; empty: none was. */
  readonly after: string;
  /** How many tasks of a key are taken before the next one is looked at: 1 or more. */
  readonly perVisit: number;
}

/** What a claim came to. */
export interface KeyVisit {
  readonly last: string;
  /** How many keys it has looked at. */
  readonly keys: number;
}

/** No claim looks at more keys of a flow. Those that have no room are as many as tasks are held, at most. */
export const KEYS_MAX = 10_000;

/** Of a key: what goes on is looked for among so many tasks that are due for longest. */
export const BEGUN_MAX = 1_000;

const START: KeyVisit = { last: "", keys: KEYS_MAX };

export class KeyTurns {
  readonly #last = new Map<string, KeyVisit>();

  /** For a claim of so many tasks: what there are few keys of is taken in few looks. */
  placeOf(flow: string, limit: number): KeyPlace {
    const { last, keys } = this.#last.get(flow) ?? START;
    return { after: last, perVisit: Math.max(1, Math.ceil(limit / Math.max(1, keys))) };
  }

  note(flow: string, visit: KeyVisit): void {
    if (visit.keys > 0) this.#last.set(flow, visit);
  }
}
