// Pauses as people and programs see them, over HTTP and in the CLI alike.

import type { Timestamp } from "./task.ts";

/** What a pause is of. */
export type PauseTarget =
  | { readonly scope: "flow" | "tool"; readonly name: string }
  /** Of all flows and tools. */
  | { readonly scope: "all" };

export interface Pause {
  readonly scope: "all" | "flow" | "tool";
  /** Of the flow or the tool; null for `all`. */
  readonly name: string | null;
  readonly reason: string | null;
  /** Who has paused it: a user, or a process. */
  readonly by: string;
  readonly since: Timestamp;
}

export interface PauseOptions {
  readonly reason?: string;
  /** Who pauses it, for people; by default this process. */
  readonly by?: string;
  /** Tells what runs to stop, and to be run again afterwards; but not at-most-once tools, which would be in doubt. */
  readonly abort?: boolean;
}

/** What came of a pause. */
export interface Paused {
  readonly pause: Pause;
  /**
   * Names of living workers that have not said in time that they know of it. They start nothing that is held back, as soon
   * as they go on; what they were just about to start may start then.
   */
  readonly unanswered: readonly string[];
}

export interface Pauses {
  /** By scope, then by name. */
  list(): Promise<readonly Pause[]>;
  /**
   * Holds back every step of a flow, every call of a tool, or everything, for as long as it is not taken back. When this
   * returns nothing of it starts any more, in any process; what runs runs on to its end, unless it is aborted. What is paused already is paused
   * anew, with this reason. Throws flow_not_found, input_invalid.
   */
  pause(target: PauseTarget, options?: PauseOptions): Promise<Paused>;
  /** What was held back goes on at once. Throws pause_not_found. */
  unpause(target: PauseTarget): Promise<void>;
}
