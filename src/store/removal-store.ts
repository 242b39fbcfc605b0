// Removing tasks that have ended, with all their rows: what retention, `purge` and `delete-tasks` need of a store.
//
// RM1. An open task is not removed, nor a task whose parent is open: the removing write checks both again, under the
//      locks of the rows.
// RM2. A task goes with its steps, calls, inbox and payloads, in one commit.

import type { EndStatus } from "../core/flow/retention.ts";
import type { Audited } from "./audit-store.ts";

/** The most tasks that one write removes. */
export const REMOVED_MAX = 1000;

/** Where a walk through ended tasks continues, in the order of their creation. */
export interface EndedPlace {
  readonly createdAt: number;
  readonly id: string;
}

export interface EndedQuery {
  readonly flow: string;
  readonly status: EndStatus;
  /** They ended at least this long ago, by the store's clock. */
  readonly keptMs: number;
  readonly after?: EndedPlace;
}

export interface EndedTasks {
  /** As many as one write removes; fewer if they are large, or if few of the checked tasks are old enough. */
  readonly ids: readonly string[];
  /** Unset: there is no more. */
  readonly next?: EndedPlace;
}

export interface Removal extends Audited {
  /** At most REMOVED_MAX. */
  readonly ids: readonly string[];
  /** They ended at least this long ago; by default at any time. */
  readonly keptMs?: number;
  /** Only counts what would be removed. */
  readonly isDryRun?: boolean;
  /**
   * For removal by one worker at a time: nothing is removed while another worker has an unexpired lease. `ms`: from now
   * on; 0 ends the lease.
   */
  readonly lease?: { readonly owner: string; readonly ms: number };
}

export type RemovalResult =
  | { readonly kind: "removed"; readonly count: number }
  /** Another worker has the lease. */
  | { readonly kind: "busy" };

export interface RemovalStore {
  /**
   * How long to rest after the last removal when much is removed, in milliseconds, so that others lose little: with
   * SQLite all of them stand still during a removal.
   */
  restMs(): number;
  /**
   * How many tasks a removal should name now, so that it blocks nobody for long: the more rows tasks have, the fewer.
   */
  portion(): number;
  /** Names of flows with ended tasks, in the order of the database. */
  listEndedFlows(): Promise<readonly string[]>;
  /** Ended tasks without an open parent; the work is bounded however many there are. */
  findEnded(query: EndedQuery): Promise<EndedTasks>;
  /** Leaves out tasks that may not be removed (RM1), that somebody is writing to, or that do not exist. */
  removeTasks(removal: Removal): Promise<RemovalResult>;
}

/** Ids in portions, each as large as the store says at that moment. */
export function* portionsOf(ids: readonly string[], removal: Pick<RemovalStore, "portion">): Generator<string[]> {
  for (let from = 0; from < ids.length;) {
    const portion = ids.slice(from, from + removal.portion());
    yield portion;
    from += portion.length;
  }
}
