// Looks into the log (`-wal`) beside an SQLite file.

import { readFileSync } from "node:fs";

const LOG_HEADER = 32;
const FRAME_HEADER = 24;
const PAGE = 4096;

/** Transactions in the log since it was begun anew: the last page of each says how large the database is after it. */
export function commitsInLog(path: string): number {
  const log = readFileSync(`${path}-wal`);
  let count = 0;
  for (let frame = LOG_HEADER; frame < log.length; frame += FRAME_HEADER + PAGE) {
    if (log.readUInt32BE(frame + 4) > 0) count += 1;
  }
  return count;
}
