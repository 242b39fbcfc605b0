// What a benchmark needs of a database beside a `Store`: a place of its own, and the baseline.
//
// The baseline is what the database takes from statements that were written by hand for one flow, `echo_add`, with no
// engine above them: the same rows in the same tables with the same indexes, the same durability, tasks in batches.
// It is to be as fast as this form of writing goes, one commit at a time, for the engine is measured by it.
//
// SB1. What `create` and `drain` leave is, column by column, what the engine leaves: only ids and times differ.
// SB2. A claim is durable before its tasks end, as the engine's is: who dies between leaves tasks that somebody holds.
// SB3. Beside tools that are at-least-once stands a baseline that commits before each effect what the effect follows
//      from, as the engine has to. The steps themselves are there from the creation on, so one commit more is all it
//      takes: the outcome of the first tool, and that the flow was given it, before the second tool would be called.

import type { StoreAddress } from "./address.ts";
import type { Store } from "./store.ts";

/** Tasks in one commit of the baseline. */
export const BASELINE_BATCH = 200;

export interface Baseline {
  /** Inserts so many tasks with their steps, due at once. */
  create(tasks: number): Promise<void>;
  /** Claims due tasks and ends them, until none is due. Gives how many. */
  drain(): Promise<number>;
  /** The same with a commit before each effect (SB3). */
  drainByStep(): Promise<number>;
}

export interface BytesWritten {
  /** In the database's log. */
  readonly log: number;
  /** By which the database has grown: rows, indexes, and the room that is kept in their pages. */
  readonly data: number;
}

/** A place to measure on: where the database's other data are, and apart from them. */
export interface BenchPlace {
  /** For a store that another thread opens on the same place. */
  readonly address: StoreAddress;
  /** For people, without passwords. */
  readonly location: string;
  readonly baseline: Baseline;
  /** What a commit is worth here: settings of the database, and its version, by their names there. */
  readDurability(): Promise<Readonly<Record<string, string>>>;
  /** `onCommit`: told of each commit of the store. Throws what `openStore` does. Its caller closes it. */
  openStore(onCommit?: () => void): Promise<Store>;
  /** Inserts one small row into a table of its own, and commits. */
  commitOnce(): Promise<void>;
  countEnded(): Promise<number>;
  /** Gathers statistics of the tables, as the database itself does after a while. */
  analyze(): Promise<void>;
  /** Counts from now on; what is returned ends that and gives the sum. */
  countBytes(): Promise<() => Promise<BytesWritten>>;
  /** Leaves the tables as they were when they were made. No store may be open. */
  clear(): Promise<void>;
  /** Takes everything away again. Harmless when repeated. */
  remove(): Promise<void>;
}
