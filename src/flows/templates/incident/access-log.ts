// A web server's access log in the combined format, a request a line:
// 203.0.113.7 - - [23/Nov/2026:05:57:27 +0000] "GET /index.html HTTP/1.1" 200 512 "https://example.org/" "Mozilla/5.0"

import { open } from "node:fs/promises";

export interface Request {
  readonly ip: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly method: string;
  /** Path and query, as they were sent. */
  readonly target: string;
  readonly status: number;
  readonly bytes: number;
  readonly agent: string;
}

const LINE = /^(\S+) \S+ \S+ \[([^\]]+)\] "(\S+) (\S+)[^"]*" (\d{3}) (\d+|-) "(?:[^"\\]|\\.)*" "((?:[^"\\]|\\.)*)"/;
const TIME = /^(\d\d)\/(\w{3})\/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d)$/;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Undefined for a line that is not in the format. */
export function parseLine(line: string): Request | undefined {
  const [, ip = "", when = "", method = "", target = "", status = "", bytes = "", agent = ""] = LINE.exec(line) ?? [];
  const [, day, month = "", year, clock, hours, minutes] = TIME.exec(when) ?? [];
  const monthNumber = String(MONTHS.indexOf(month) + 1).padStart(2, "0");
  const time = Date.parse(`${year}-${monthNumber}-${day}T${clock}${hours}:${minutes}`);
  if (Number.isNaN(time)) return undefined;
  return { ip, time, method, target, status: Number(status), bytes: bytes === "-" ? 0 : Number(bytes), agent };
}

/** Line by line, so that a log of any size takes little memory. */
export async function* readRequests(path: string): AsyncGenerator<Request | undefined> {
  const file = await open(path);
  try {
    for await (const line of file.readLines()) if (line !== "") yield parseLine(line);
  } finally {
    await file.close();
  }
}
