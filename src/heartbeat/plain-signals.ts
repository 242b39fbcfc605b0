// The event loop receives signals. While it is stuck, nobody would receive them, so they get back their default action,
// which ends the process. The runtime cannot set that from another thread, but the system can.

import { dlopen, ptr } from "bun:ffi";

/** Enough for `struct sigaction` on any system. Its default action is all zeros. */
const ACTION_BYTES = 256;

const SIGNALS = [2, 15]; // SIGINT, SIGTERM

export class PlainSignals {
  readonly #library = openLibrary();
  /** The previous action of each signal. Undefined: the actions are not replaced. */
  #before: ReadonlyMap<number, Uint8Array> | undefined;

  /** Safe to repeat. */
  set(isPlain: boolean): void {
    const sigaction = this.#library?.symbols.sigaction;
    if (!sigaction || isPlain === (this.#before !== undefined)) return;
    if (isPlain) {
      const zeros = new Uint8Array(ACTION_BYTES);
      this.#before = new Map(
        SIGNALS.map((signal) => {
          const before = new Uint8Array(ACTION_BYTES);
          sigaction(signal, ptr(zeros), ptr(before));
          return [signal, before];
        }),
      );
    } else {
      for (const [signal, before] of this.#before ?? []) sigaction(signal, ptr(before), null);
      this.#before = undefined;
    }
  }
}

/** Undefined if the system has the library elsewhere: then a stuck loop receives no signal until it is killed. */
function openLibrary(): ReturnType<typeof openLibc> | undefined {
  try {
    return openLibc();
  } catch {
    return undefined;
  }
}

// oxlint-disable-next-line typescript/explicit-module-boundary-types
function openLibc() {
  return dlopen(process.platform === "darwin" ? "libSystem.B.dylib" : "libc.so.6", {
    sigaction: { args: ["int", "ptr", "ptr"], returns: "int" },
  });
}
