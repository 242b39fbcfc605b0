// What a command waits for, on stderr: a person who waits as well is to know for what.

import type { TellWait } from "../core/waiting.ts";
import { showControls } from "../core/visible.ts";
import type { Output } from "./io.ts";

/** Each wait is told once, however often it comes. */
export function tellerOfWaits(stderr: Output): TellWait {
  const told = new Set<string>();
  return (what) => {
    if (told.has(what)) return;
    told.add(what);
    stderr.write(`Waiting for ${showControls(what)}.\n`).catch(() => {}); // nobody reads it any more
  };
}
