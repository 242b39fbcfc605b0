import { dirname } from "node:path";

/** `<file>:<line>:<column>` in a line of a stack. */
const FRAME = /(?:\(|at )(?:file:\/\/)?(\/[^()\n]*?:\d+:\d+)\)?$/gm;

/** A stack that is longer than any that the runtime makes is somebody's joke. */
const STACK_MAX = 20_000;

/** The files of this program, in the binary and beside this one. */
const OURS = `${dirname(import.meta.dir)}/`;

/** Where it was thrown: the first place in its stack that is not this program's own; undefined where nobody knows. */
export function placeOf(thrown: unknown): string | undefined {
  for (const [, place] of stackOf(thrown).slice(0, STACK_MAX).matchAll(FRAME)) {
    if (place !== undefined && !place.startsWith(OURS)) return place;
  }
  return undefined;
}

/** Never throws, whatever was thrown. */
function stackOf(thrown: unknown): string {
  try {
    const { stack } = thrown as { readonly stack?: unknown };
    return typeof stack === "string" ? stack : "";
  } catch {
    return "";
  }
}
