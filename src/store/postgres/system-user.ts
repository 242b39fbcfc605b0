// Who logs in where nothing says so: as in libpq, the user that this process runs as.

import { readFileSync } from "node:fs";

/**
 * By the id of the process: the driver only asks `USER`, which services, containers and cron do not set. Undefined: the
 * system has no such file, or the user is not in it.
 */
export function systemUser(): string | undefined {
  try {
    const rows = readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .map((line) => line.split(":"));
    return rows.find(([, , id]) => id === String(process.geteuid?.()))?.[0];
  } catch {
    return undefined;
  }
}
