// What the CLI needs of its process, so that tests can drive it without one.

import type { Readable, Writable } from "node:stream";

export interface Output {
  readonly isTTY: boolean;
  /** Width of the terminal in columns; 80 where there is none. */
  readonly columns: number;
  /** Resolves when the text is written. False: nobody reads any more (a closed pipe), so stop writing. */
  write(text: string): Promise<boolean>;
}

/** `empty`: there is nothing, or a terminal; `silent`: a pipe on which nothing has come yet, and which is still open. */
export type StdinState = "empty" | "data" | "silent";

/** Lines at the bottom of a terminal. Other output appears above them. */
export interface LiveLines {
  readonly columns: number;
  readonly rows: number;
  /** Replaces the lines. Each must be narrower than the terminal, and there must be fewer lines than it has rows. */
  show(lines: readonly string[]): void;
  /** `keeps`: the lines stay on the screen. Resolves when that is written. May be repeated. */
  close(how: { readonly keeps: boolean }): Promise<void>;
}

export interface Io {
  /** For data. */
  readonly stdout: Output;
  /** For talk and errors. */
  readonly stderr: Output;
  /** Whether a person can answer questions. */
  readonly stdinIsTTY: boolean;
  /** Looks at stdin without reading from it. */
  peekStdin(): StdinState;
  /** The streams for questions; opened only when there are some. */
  openTerminal(): { readonly input: Readable; readonly output: Writable };
  /** Opens live lines on the terminal of stderr, one set at a time. Absent if nothing can be shown in place. */
  openLive?(): LiveLines;
  /** Ends the live lines and keeps them on the screen, so that an error can follow. Does nothing if there are none. */
  endLive?(): Promise<void>;
  /** Calls back at each SIGINT and SIGTERM, which then do not end the process, until the returned function is called. */
  onSignal(listener: () => void): () => void;
  /** Calls back when the supervising process wants this one to end, or is gone. Never called without a supervisor. */
  onDismissal(listener: () => void): () => void;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** The wall clock, milliseconds since 1970. */
  time(): number;
}

export type Env = Readonly<Record<string, string | undefined>>;
