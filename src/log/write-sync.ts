import { writeSync } from "node:fs";

const RETRIES_MAX = 1000;

/**
 * Writes all of the text to stderr before it returns, so that nothing is lost when the process ends. Where a parent
 * gave us a pipe that does not block, a full one is tried again for about a second. Never throws: when nobody reads, or
 * reads too slowly, the text is dropped, since there is nowhere left to complain.
 */
export function writeStderr(text: string): void {
  let rest = Buffer.from(text);
  for (let retries = 0; rest.length > 0 && retries < RETRIES_MAX;) {
    try {
      rest = rest.subarray(writeSync(2, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
      retries++;
      Bun.sleepSync(1);
    }
  }
}
