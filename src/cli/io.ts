// What the CLI needs of its process, so that tests can drive it without one.

import type { Readable, Writable } from "node:stream";

export interface Output {
  readonly isTTY: boolean;
  /** Width of the terminal in columns; 80 where there is none. */
  readonly columns: number;
  /** Resolves when the text has been handed over; false once nobody reads any more (a closed pipe): stop writing. */
  write(text: string): Promise<boolean>;
}

/** `empty`: there is nothing, or a terminal; `silent`: a pipe on which nothing has come yet, and which is still open. */
export type StdinState = "empty" | "data" | "silent";

/** Lines at the bottom of a terminal. What is said meanwhile stands above them. */
export interface LiveLines {
  readonly columns: number;
  readonly rows: number;
  /** In the place of those before. No line may be as wide as the terminal, and not so many may come as it has rows. */
  show(lines: readonly string[]): void;
  /** `keeps`: they stay where they are. Resolves when that is written. Harmless when repeated. */
  close(how: { readonly keeps: boolean }): Promise<void>;
}

export interface Io {
  /** For data. */
  readonly stdout: Output;
  /** For talk and errors. */
  readonly stderr: Output;
  /** Whether a person can answer questions. */
  readonly stdinIsTTY: boolean;
  /** What stands on stdin, without taking any of it. */
  peekStdin(): StdinState;
  /** The streams for questions; opened only when there are some. */
  openTerminal(): { readonly input: Readable; readonly output: Writable };
  /** At the terminal that stderr is, until they are closed; one at a time. Without it nothing can be shown in place. */
  openLive?(): LiveLines;
  /** Leaves what stands there as it is, for an error to be told below. Harmless where there is nothing. */
  endLive?(): Promise<void>;
  /** Calls back at each SIGINT and SIGTERM, which then do not end the process, until the returned function is called. */
  onSignal(listener: () => void): () => void;
  /** Calls back when the process that supervises this one wants it to leave, or is gone; never where there is none. */
  onDismissal(listener: () => void): () => void;
  /** Milliseconds by a clock that nobody sets. */
  now(): number;
  /** The wall clock, milliseconds since 1970. */
  time(): number;
}

export type Env = Readonly<Record<string, string | undefined>>;
