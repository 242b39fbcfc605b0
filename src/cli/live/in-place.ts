// Where something can be shown in place.

import type { Call } from "../command.ts";
import type { LiveLines } from "../io.ts";

/** What is said above, and the line of the cursor, are to be seen as well. */
const ROWS_LEFT = 4;
const ROWS_MIN = 3;

/** Undefined where a person wants plain text, and where a log is written that only looks like a terminal. */
export function openInPlace({ io, env }: Pick<Call, "io" | "env">): LiveLines | undefined {
  if (env["NO_COLOR"] || env["TERM"] === "dumb" || env["CI"]) return undefined;
  return io.openLive?.();
}

/** So many lines may stand there. */
export function rowsFor({ rows }: Pick<LiveLines, "rows">): number {
  return Math.max(rows - ROWS_LEFT, ROWS_MIN);
}
