// Whether a descriptor is a terminal. The runtime's `isatty` comes with all of its streams, which take milliseconds to load.

import { fstatSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import type * as Tty from "node:tty";

export function isTerminal(descriptor: number): boolean {
  return mayBeTerminal(descriptor) && (createRequire(import.meta.url)("node:tty") as typeof Tty).isatty(descriptor);
}

/** A terminal is a character device. So is /dev/null, which many programs are given as stdin. */
function mayBeTerminal(descriptor: number): boolean {
  try {
    const stats = fstatSync(descriptor);
    return stats.isCharacterDevice() && stats.rdev !== statSync("/dev/null").rdev;
  } catch {
    return false; // it is closed
  }
}
