// Signals are heard by the event loop. While it is stuck nobody would hear them: then they end the process by themselves,
// as they do where nobody listens. The runtime has no way to say so from another thread, the system has.

import { dlopen, ptr } from "bun:ffi";

/** Of `struct sigaction` on any system; its default action is all zeros. */
const ACTION_BYTES = 256;

const SIGNALS = [2, 15]; // SIGINT, SIGTERM

export class PlainSignals {
  readonly #library = openLibrary();
  /** What was to be done before, by signal; undefined: it is so now. */
  #before: ReadonlyMap<number, Uint8Array> | undefined;

  /** Harmless when repeated. */
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

/** Undefined on a system that has it elsewhere: then a stuck loop hears nothing until the watchdog kills it. */
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
