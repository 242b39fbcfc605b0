// Removing tasks that have ended, with all their rows: what retention, `purge` and `delete-tasks` need of a store.
//
// RM1. An open task is not removed, nor a task whose parent is open: the removing write checks both again, under the locks of
//      the rows.
// RM2. A task goes with its steps, calls, inbox and payloads, in one commit.

import type { EndStatus } from "../core/flow/retention.ts";
import type { Audited } from "./audit-store.ts";

/** Tasks that one write removes at most. */
export const REMOVED_MAX = 1000;

/** Of tasks that ended: where a walk through them goes on, in the order of their creation. */
export interface EndedPlace {
  readonly createdAt: number;
  readonly id: string;
}

export interface EndedQuery {
  readonly flow: string;
  readonly status: EndStatus;
  /** They have ended so long ago, by the store's clock. */
  readonly keptMs: number;
  readonly after?: EndedPlace;
}

export interface EndedTasks {
  /** As many as one write removes, or fewer, where they are large or few of those that were looked at are old enough. */
  readonly ids: readonly string[];
  /** Unset: there is no more. */
  readonly next?: EndedPlace;
}

export interface Removal extends Audited {
  /** REMOVED_MAX at most. */
  readonly ids: readonly string[];
  /** They have ended so long ago; by default it does not matter when. */
  readonly keptMs?: number;
  /** Only count what would be removed. */
  readonly isDryRun?: boolean;
  /**
   * Where only one worker removes at a time: nothing is removed while another has a lease that has not passed. `ms`: from
   * now on; 0 ends it.
   */
  readonly lease?: { readonly owner: string; readonly ms: number };
}

export type RemovalResult =
  | { readonly kind: "removed"; readonly count: number }
  /** Another has the lease. */
  | { readonly kind: "busy" };

export interface RemovalStore {
  /**
   * How long whoever removes much should rest after the last removal, in milliseconds, so that others lose little: with
   * SQLite all of them stand still meanwhile.
   */
  restMs(): number;
  /** How many tasks a removal should name now, so that it holds up nobody for long: the more rows tasks have, the fewer. */
  portion(): number;
  /** Names of flows with tasks that have ended, in order. */
  listEndedFlows(): Promise<readonly string[]>;
  /** Those without an open parent; the work is bounded however many there are. */
  findEnded(query: EndedQuery): Promise<EndedTasks>;
  /** Tasks that may not go (RM1), that are being written to, or that are not there are left out. */
  removeTasks(removal: Removal): Promise<RemovalResult>;
}

/** Ids by portions, each as large as the store says when it is asked for. */
export function* portionsOf(ids: readonly string[], removal: Pick<RemovalStore, "portion">): Generator<string[]> {
  for (let from = 0; from < ids.length;) {
    const portion = ids.slice(from, from + removal.portion());
    yield portion;
    from += portion.length;
  }
}
