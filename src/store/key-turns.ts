// Turns among the keys of a flow: each process continues after the last key that it served. It is kept in memory only:
// forgetting it does no harm.

/** Where a claim begins, and how it continues. */
export interface KeyPlace {
  /** The key that was served last; empty: none. */
  readonly after: string;
  /** How many tasks of a key are taken before the next one is looked at: 1 or more. */
  readonly perVisit: number;
}

/** Where a claim ended. */
export interface KeyVisit {
  readonly last: string;
  /** How many keys it has looked at. */
  readonly keys: number;
}

/** The most keys of a flow that one claim looks at. At most as many keys are full as tasks are held. */
export const KEYS_MAX = 10_000;

/** For one key, the search for tasks that have begun covers this many of the longest due. */
export const BEGUN_MAX = 1_000;

const START: KeyVisit = { last: "", keys: KEYS_MAX };

export class KeyTurns {
  readonly #last = new Map<string, KeyVisit>();

  /** For a claim of this many tasks: if there are few keys, few looks are enough. */
  placeOf(flow: string, limit: number): KeyPlace {
    const { last, keys } = this.#last.get(flow) ?? START;
    return { after: last, perVisit: Math.max(1, Math.ceil(limit / Math.max(1, keys))) };
  }

  note(flow: string, visit: KeyVisit): void {
    if (visit.keys > 0) this.#last.set(flow, visit);
  }
}
