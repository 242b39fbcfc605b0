// The Io of a real process. It does not touch `process.stdout`, `process.stderr` and `process.stdin` before it needs them:
// they take milliseconds to set up, and `process.exit` loses their buffered writes.

import { fstatSync, write, writeSync } from "node:fs";
import { TaskonautError } from "../core/errors.ts";
import type { LineWriter } from "./line-writer.ts";
import { peekStdin } from "./peek-stdin.ts";
import type { Io, LiveLines, Output } from "./io.ts";
import { LiveArea } from "./live/live-area.ts";
import type { OwnStdout } from "./own-stdout.ts";
import { isTerminal, sizeOf } from "./terminal.ts";

/** `lines` writes the log to stderr. Text that comes later is written after it. */
export function createProcessIo(lines: LineWriter, stdout: OwnStdout): Io {
  const stderr = createOutput(
    {
      descriptor: 2,
      isTTY: isTerminal(2),
      get columns() {
        return sizeOf(2).columns;
      },
    },
    // the text is dropped: there is nowhere left to complain, and the exit code still says what has happened
    () => {},
  );
  const out = createOutput(stdout, (error) => {
    throw notWritten(error);
  });
  return {
    stdout: {
      isTTY: out.isTTY,
      get columns() {
        return out.columns;
      },
      write: (text) => (lines.isLive ? writeAbove(lines, text) : out.write(text)),
    },
    stderr: {
      isTTY: stderr.isTTY,
      get columns() {
        return stderr.columns;
      },
      async write(text) {
        if (lines.isLive) return writeAbove(lines, text);
        await lines.flush(FLUSH_MS);
        return stderr.write(text);
      },
    },
    stdinIsTTY: isTerminal(0),
    peekStdin,
    openLive: () => openLive(lines, stdout),
    endLive: () => endLive(lines, { keeps: true }),
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

/** Above what stands at the bottom of the terminal. */
async function writeAbove(lines: LineWriter, text: string): Promise<boolean> {
  lines.write(text);
  await lines.flush(FLUSH_MS);
  return true;
}

/** stdout and stderr are the same terminal. */
function openLive(lines: LineWriter, { descriptor }: OwnStdout): LiveLines {
  const area = new LiveArea(() => sizeOf(descriptor).columns);
  const onContinued = (): void => area.forget();
  process.on("SIGCONT", onContinued);
  lines.openArea(area);
  return {
    get columns() {
      return sizeOf(descriptor).columns;
    },
    get rows() {
      return sizeOf(descriptor).rows;
    },
    show: (shown) => lines.show(shown),
    async close(how) {
      process.off("SIGCONT", onContinued);
      await endLive(lines, how);
    },
  };
}

async function endLive(lines: LineWriter, how: { readonly keeps: boolean }): Promise<void> {
  lines.closeArea(how);
  await lines.flush(FLUSH_MS);
}

interface Target {
  readonly descriptor: number;
  readonly isTTY: boolean;
  /** Of the terminal. */
  readonly columns: number;
}

/** Where there is no terminal. */
const COLUMNS = 80;

const WHY: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file would be larger than is allowed",
  EIO: "the disk or the terminal reports an error",
};

function notWritten(error: NodeJS.ErrnoException): TaskonautError {
  const why = WHY[error.code ?? ""] ?? error.message;
  return new TaskonautError("output_not_written", `The output cannot be written: ${why}. What was done stays done.`, {
    cause: error,
  });
}

/**
 * `onFault`: what becomes of a text that cannot be written. A write to a file ends at once. Any other may wait for a
 * reader, and meanwhile signals must be heard: a person stops a `watch` whose reader has stopped reading.
 */
function createOutput(target: Target, onFault: (error: NodeJS.ErrnoException) => void): Output {
  const { isTTY } = target;
  let writePart: ((bytes: Uint8Array) => number | Promise<number>) | undefined;
  let open = true;
  let last: Promise<unknown> = Promise.resolve();
  return {
    isTTY,
    get columns() {
      return isTTY ? target.columns : COLUMNS;
    },
    write(text) {
      const written = last.then(() => writeWhole(text));
      last = written.catch(() => {}); // its writer hears of it
      return written;
    },
  };

  /** Texts are written one after the other, each as a whole. */
  async function writeWhole(text: string): Promise<boolean> {
    let rest = Buffer.from(text);
    while (open && rest.length > 0) {
      try {
        writePart ??= isFile(target.descriptor)
          ? (bytes) => writeSync(target.descriptor, bytes)
          : (bytes) => writeWaiting(target.descriptor, bytes);
        rest = rest.subarray(await writePart(rest));
      } catch (error) {
        const fault = error as NodeJS.ErrnoException;
        const { code } = fault;
        if (code === "EPIPE") open = false;
        // a full non-blocking pipe: its reader sets the pace
        else if (code === "EAGAIN") await Bun.sleep(1);
        else {
          onFault(fault);
          break;
        }
      }
    }
    return open;
  }
}

/** On a thread of its own, which may be stuck in it: the process can still leave. */
function writeWaiting(descriptor: number, bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, (error, written) => (error ? reject(error) : resolve(written)));
  });
}

function isFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return false;
  }
}
