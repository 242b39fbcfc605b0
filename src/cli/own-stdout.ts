// stdout is for data alone. User code, child processes and the shell know stdout as descriptor 1. So before user code is
// loaded, the program keeps stdout under another number, and makes descriptor 1 a copy of stderr.

import { isTerminal, sizeOf } from "./terminal.ts";
import { openLibc } from "./libc.ts";

const STDOUT = 1;
const STDERR = 2;

export class OwnStdout {
  readonly isTTY = isTerminal(STDOUT);
  #descriptor = STDOUT;

  /** The descriptor for data. It may change, so ask before each write. */
  get descriptor(): number {
    return this.#descriptor;
  }

  /** Of the terminal. */
  get columns(): number {
    return sizeOf(this.#descriptor).columns;
  }

  /** From now on. If the system does not allow it, descriptor 1 stays as it is. */
  keepFromOthers(): void {
    if (this.#descriptor !== STDOUT) return;
    const libc = openLibc({
      dup: { args: ["i32"], returns: "i32" },
      dup2: { args: ["i32", "i32"], returns: "i32" },
    });
    if (!libc) return;
    const kept = libc.dup(STDOUT);
    if (kept > STDERR && libc.dup2(STDERR, STDOUT) === STDOUT) this.#descriptor = kept;
  }
}
