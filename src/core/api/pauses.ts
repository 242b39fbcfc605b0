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
  /** Of a damaged row, in lists: what is wrong with it. What cannot be read of it may hold back nothing. */
  readonly damage?: string;
}

export interface PauseOptions {
  readonly reason?: string;
  /** Who pauses it, for people; by default this process. */
  readonly by?: string;
  /** Aborts running tools, which run again after the pause. It does not abort at-most-once tools: they would be in doubt. */
  readonly abort?: boolean;
}

/** What came of a pause. */
export interface Paused {
  readonly pause: Pause;
  /**
   * Names of living workers that have not confirmed the pause in time. When they continue they start nothing of it, except
   * what they were just about to start.
   */
  readonly unanswered: readonly string[];
}

export interface Pauses {
  /** By scope, then by name. */
  list(): Promise<readonly Pause[]>;
  /**
   * Holds back every step of a flow, every call of a tool, or everything, until the pause is lifted. When this returns,
   * nothing of it starts any more, in any process. Running steps run to their end, unless they are aborted. If it is paused
   * already, this reason replaces the old one. Throws flow_not_found, input_invalid.
   */
  pause(target: PauseTarget, options?: PauseOptions): Promise<Paused>;
  /** Lifts the pause: everything that it held back continues at once. Throws pause_not_found. */
  unpause(target: PauseTarget): Promise<void>;
}
