// Where `console` of flow files and tools goes: to stderr. stdout is for data, and one line of talk between would make
// the JSON of a command unreadable for programs.

import type * as NodeConsole from "node:console";
import { createRequire } from "node:module";
import { outsideWatch } from "../core/flow/determinism.ts";

/** Also those that write to stderr as it is: all of it in one order, and nobody waits for whoever reads it. */
const METHODS = [
  "error",
  "warn",
  "trace",
  "assert",
  "log",
  "info",
  "debug",
  "dir",
  "dirxml",
  "table",
  "group",
  "groupCollapsed",
  "groupEnd",
  "count",
  "countReset",
  "time",
  "timeLog",
  "timeEnd",
] as const satisfies readonly (keyof Console)[];

/** From now on, by `write`. Before any user's file is loaded: it may keep what it finds. */
export function sendConsoleToStderr(write: (text: string) => void): void {
  let made: OwnConsole | undefined;
  for (const name of METHODS) {
    console[name] = (...args: unknown[]): void => {
      // also in a flow, whose guards would refuse the clock that a console reads
      outsideWatch(() => {
        made ??= createConsole(write);
        (made[name] as (...args: unknown[]) => void)(...args);
      });
    };
  }
  // Bun's own: the texts as they are
  console.write = (...texts) => {
    const text = texts
      .map((each) => (typeof each === "string" ? each : Buffer.from(each as Uint8Array).toString()))
      .join("");
    write(text);
    return Buffer.byteLength(text);
  };
}

type OwnConsole = Pick<Console, (typeof METHODS)[number]>;

/** Made when something is said for the first time: to load it takes milliseconds, and most commands say nothing. */
function createConsole(write: (text: string) => void): OwnConsole {
  const { Console } = createRequire(import.meta.url)("node:console") as typeof NodeConsole;
  const stderr = {
    write(text: string): boolean {
      write(text);
      return true;
    },
  };
  // a console calls nothing but `write` as long as it does not have to listen for errors
  const stream = stderr as unknown as NodeJS.WritableStream;
  return new Console({ stdout: stream, stderr: stream, ignoreErrors: false, colorMode: false });
}
