// A person at a terminal: the program runs in a real pseudo-terminal, the test types and reads what is shown.

import type { Subprocess } from "bun";
import { Transcript } from "./transcript.ts";

const KEYS = {
  enter: "\r",
  escape: "\u001B",
  up: "\u001B[A",
  down: "\u001B[B",
  space: " ",
  backspace: "\u007F",
  "ctrl-c": "\u0003",
} as const;

export interface Terminal {
  readonly pid: number;
  /** Everything shown so far, without colours and cursor movements. */
  readonly shown: string;
  /** The same as the program wrote it. */
  readonly raw: string;
  type(text: string): void;
  press(key: keyof typeof KEYS): void;
  /** Waits until `text` is shown after what the call before waited for. Throws with all that was shown. */
  see(text: string | RegExp): Promise<RegExpExecArray>;
  /** Waits for the end of the program and gives its exit code. */
  exited(): Promise<number>;
}

export interface TerminalOptions {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly columns: number;
  readonly timeoutMs: number;
}

/** Starts `command` in a terminal of 40 rows. `onStart` is given the process, to end it in any case. */
export function openTerminal(
  { command, env, cwd, columns, timeoutMs }: TerminalOptions,
  onStart: (child: Subprocess) => void,
): Terminal {
  const screen = new Transcript(timeoutMs, (raw) => Bun.stripANSI(raw).replaceAll("\r", ""));
  const child = Bun.spawn([...command], {
    cwd,
    env: { TERM: "xterm-256color", ...env },
    terminal: { cols: columns, rows: 40, data: (_terminal, chunk) => screen.add(chunk) },
  });
  onStart(child);
  const send = (text: string): void => {
    child.terminal?.write(text);
  };

  return {
    pid: child.pid,
    get shown() {
      return screen.text;
    },
    get raw() {
      return screen.raw;
    },
    type: send,
    press(key) {
      send(KEYS[key]);
    },
    see: (text) => screen.see(text),
    async exited() {
      const exit = await child.exited;
      child.terminal?.close();
      return exit;
    },
  };
}
