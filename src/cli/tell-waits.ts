// Says on stderr what a command waits for, so that the person who waits knows it.

import type { TellWait } from "../core/waiting.ts";
import { showControls } from "../core/visible.ts";
import type { Output } from "./io.ts";

/** Reports each wait once, however often it happens. */
export function tellerOfWaits(stderr: Output): TellWait {
  const told = new Set<string>();
  return (what) => {
    if (told.has(what)) return;
    told.add(what);
    stderr.write(`Waiting for ${showControls(what)}.\n`).catch(() => {}); // nobody reads it any more
  };
}
