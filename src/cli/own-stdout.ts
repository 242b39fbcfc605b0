// stdout is for data alone. Descriptor 1 is what everything else in the process knows as stdout, child processes and the
// shell too: so before user code is loaded the program keeps stdout under another number, and 1 is from then on stderr.

import type * as Ffi from "bun:ffi";
import { createRequire } from "node:module";
import { isatty } from "node:tty";

const STDOUT = 1;
const STDERR = 2;

/** By their names where the program runs: glibc, musl. */
const LIBRARIES: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"],
  darwin: ["libSystem.B.dylib"],
};

export class OwnStdout {
  readonly isTTY = isatty(STDOUT);
  #descriptor = STDOUT;

  /** Where data goes: ask at each write. */
  get descriptor(): number {
    return this.#descriptor;
  }

  /** Of the terminal; undefined where there is none. How data looks is chosen once, before user code is loaded. */
  get columns(): number | undefined {
    return process.stdout.columns;
  }

  /** From now on. Where the system does not let us, descriptor 1 stays what it is. */
  keepFromOthers(): void {
    if (this.#descriptor !== STDOUT) return;
    const libc = openLibc();
    if (!libc) return;
    const kept = libc.dup(STDOUT);
    if (kept > STDERR && libc.dup2(STDERR, STDOUT) === STDOUT) this.#descriptor = kept;
  }
}

interface Libc {
  dup(descriptor: number): number;
  dup2(from: number, to: number): number;
}

function openLibc(): Libc | undefined {
  // loaded only here: most commands have no user code
  const { dlopen } = createRequire(import.meta.url)("bun:ffi") as typeof Ffi;
  for (const name of LIBRARIES[process.platform] ?? []) {
    try {
      const { symbols } = dlopen(name, {
        dup: { args: ["i32"], returns: "i32" },
        dup2: { args: ["i32", "i32"], returns: "i32" },
      });
      return symbols;
    } catch {
      // it has another name, or nothing can be called this way
    }
  }
  return undefined;
}
