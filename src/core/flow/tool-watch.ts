// What tools leave behind: an error in a callback, a promise that nobody awaits. The process tells which attempt it is of.

import type { LogFields } from "../log.ts";

/** An attempt of a tool that takes time. */
export interface RunningAttempt {
  readonly fields: LogFields;
  /** What the attempt has left uncaught is its failure. False: it has ended already. */
  fail(error: unknown): boolean;
}

/** Whoever sees what is uncaught in this process. */
export interface ToolWatch {
  /** Runs a piece of the attempt: what it starts belongs to it, whenever it comes. */
  within<T>(attempt: RunningAttempt, run: () => T): T;
  /** It takes time. */
  begin(attempt: RunningAttempt): void;
  end(attempt: RunningAttempt): void;
}
