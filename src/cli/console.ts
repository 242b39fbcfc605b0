// Sends the `console` of flow files and tools to stderr. stdout is for data: one other line in it would make the JSON of a
// command unreadable for programs.

import type * as NodeConsole from "node:console";
import { createRequire } from "node:module";
import { outsideWatch } from "../core/flow/determinism.ts";

/** Methods that write to stderr anyway are included: so all lines keep their order, and no write blocks the process. */
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

/** From now on. Call it before a user's file is loaded: the file may keep a reference to what it finds. */
export function sendConsoleToStderr(write: (text: string) => void): void {
  let made: OwnConsole | undefined;
  for (const name of METHODS) {
    console[name] = (...args: unknown[]): void => {
      // outside the guards of a flow, which would refuse the clock that a console reads
      outsideWatch(() => {
        made ??= createConsole(write);
        (made[name] as (...args: unknown[]) => void)(...args);
      });
    };
  }
  // Bun's own method: it writes the texts unchanged
  console.write = (...texts) => {
    const text = texts
      .map((each) => (typeof each === "string" ? each : Buffer.from(each as Uint8Array).toString()))
      .join("");
    write(text);
    return Buffer.byteLength(text);
  };
}

type OwnConsole = Pick<Console, (typeof METHODS)[number]>;

/** Created with the first line: it takes milliseconds to load, and most commands never need it. */
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
