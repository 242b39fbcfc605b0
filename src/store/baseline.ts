// What a benchmark needs from a database besides a `Store`: a separate place, and the baseline.
//
// The baseline is the time that the database takes for statements that were written by hand for one flow, `echo_add`,
// without an engine: the same rows in the same tables with the same indexes and the same durability, tasks in batches.
// It has to be as fast as this way of writing allows, one commit at a time, because the engine is measured against it.
//
// SB1. The rows that `create` and `drain` leave equal the engine's rows, column by column: only ids and times differ.
// SB2. A claim is durable before its tasks end, like the engine's: a process that dies in between leaves tasks that it
//      holds.
// SB3. For at-least-once tools there is another baseline. Before each effect it commits what the effect follows from,
//      as the engine has to. The steps themselves exist from the creation on, so it needs only one more commit: the
//      outcome of the first tool, and that the flow was given it, before the second tool would be called.

import type { StoreAddress } from "./address.ts";
import type { Store } from "./store.ts";

/** The number of tasks in one commit of the baseline. */
export const BASELINE_BATCH = 200;

export interface Baseline {
  /** Inserts this many tasks with their steps, due at once. */
  create(tasks: number): Promise<void>;
  /** Claims due tasks and ends them, until none is due. Returns how many. */
  drain(): Promise<number>;
  /** The same with a commit before each effect (SB3). */
  drainByStep(): Promise<number>;
}

export interface BytesWritten {
  /** In the database's log. */
  readonly log: number;
  /** How much the database has grown: rows, indexes, and free room in their pages. */
  readonly data: number;
}

/** A place to measure on: beside the database's other data, but separate. */
export interface BenchPlace {
  /** For a store that another thread opens in the same place. */
  readonly address: StoreAddress;
  /** For people, without passwords. */
  readonly location: string;
  readonly baseline: Baseline;
  /** What a commit guarantees here: settings of the database, and its version, by their names there. */
  readDurability(): Promise<Readonly<Record<string, string>>>;
  /** `onCommit` is called with each commit of the store. Throws what `openStore` does. The caller closes the store. */
  openStore(onCommit?: () => void): Promise<Store>;
  /** Inserts one small row into a table of its own, and commits. */
  commitOnce(): Promise<void>;
  countEnded(): Promise<number>;
  /** Gathers statistics of the tables, as the database itself does after a while. */
  analyze(): Promise<void>;
  /** Counts from now on; the returned function ends that and returns the sum. */
  countBytes(): Promise<() => Promise<BytesWritten>>;
  /** Empties the tables. No store may be open. */
  clear(): Promise<void>;
  /** Removes everything. Harmless when repeated. */
  remove(): Promise<void>;
}
