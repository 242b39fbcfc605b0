// The Io of a real process. Nothing here touches `process.stdout` and its kin before they are needed: to set them up
// costs milliseconds, and their buffered writes are lost at `process.exit`.

import { writeSync } from "node:fs";
import { isatty } from "node:tty";
import type { LineWriter } from "./line-writer.ts";
import type { Io, Output } from "./io.ts";
import { peekStdin } from "./peek-stdin.ts";
import type { OwnStdout } from "./own-stdout.ts";

/** `lines`: what else is said on stderr, before which nothing may come that is said later. */
export function createProcessIo(lines: LineWriter, stdout: OwnStdout): Io {
  const stderr = createOutput({
    descriptor: 2,
    isTTY: isatty(2),
    get columns() {
      return process.stderr.columns;
    },
  });
  return {
    stdout: createOutput(stdout),
    stderr: {
      isTTY: stderr.isTTY,
      get columns() {
        return stderr.columns;
      },
      async write(text) {
        await lines.flush(FLUSH_MS);
        return stderr.write(text);
      },
    },
    stdinIsTTY: isatty(0),
    peekStdin,
    openTerminal: () => ({ input: process.stdin, output: process.stderr }),
    onSignal(listener) {
      process.on("SIGINT", listener);
      process.on("SIGTERM", listener);
      return () => {
        process.off("SIGINT", listener);
        process.off("SIGTERM", listener);
      };
    },
    onDismissal(listener) {
      if (!process.connected) return () => {};
      process.once("disconnect", listener);
      return () => process.off("disconnect", listener);
    },
    now: () => performance.now(),
    time: () => Date.now(),
  };
}

const FLUSH_MS = 1000;

interface Target {
  readonly descriptor: number;
  readonly isTTY: boolean;
  readonly columns: number | undefined;
}

function createOutput(target: Target): Output {
  const { isTTY } = target;
  let open = true;
  return {
    isTTY,
    get columns() {
      return (isTTY && target.columns) || 80;
    },
    async write(text) {
      let rest = Buffer.from(text);
      while (open && rest.length > 0) {
        try {
          rest = rest.subarray(writeSync(target.descriptor, rest));
        } catch (error) {
          const { code } = error as NodeJS.ErrnoException;
          if (code === "EPIPE") open = false;
          // a pipe that does not block and is full: its reader sets the pace
          else if (code === "EAGAIN") await Bun.sleep(1);
          else throw error;
        }
      }
      return open;
    },
  };
}
