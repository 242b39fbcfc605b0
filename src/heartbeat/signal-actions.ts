// The event loop receives signals. While it is stuck, nobody receives them. The runtime cannot change what a signal does
// from another thread, but the system can.

import { dlopen, ptr } from "bun:ffi";

/**
 * `loop`: the event loop receives each signal. `once`: it receives the next one, and the one after that ends the process.
 * `plain`: the next one ends the process.
 */
export type Hearing = "loop" | "once" | "plain";

/** Enough for `struct sigaction` on any system. The default action is all zeros. */
const ACTION_BYTES = 256;

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
const NUMBERS = { SIGINT: 2, SIGTERM: 15 };

/** Where the flags are within `struct sigaction`, and the one that gives a signal its default action once it has come. */
const RESETHAND = process.platform === "darwin" ? { at: 8 + 4, flag: 0x04 } : { at: 8 + 128, flag: 0x80_00_00_00 };

type Signal = (typeof SIGNALS)[number];

export class SignalActions {
  readonly #library = openLibrary();
  #hearing: Hearing = "loop";
  /** The loop's own actions, while they are replaced. */
  #loops: ReadonlyMap<Signal, DataView> = new Map();

  /** Safe to repeat. `isListening`: whether the loop wants to receive signals. */
  set(hearing: Hearing, isListening: boolean): void {
    if (!this.#library || hearing === this.#hearing) return;
    if (this.#hearing === "loop") this.#loops = new Map(SIGNALS.map((signal) => [signal, this.#read(signal)]));
    this.#hearing = hearing;
    for (const [signal, action] of this.#loops) {
      if (hearing === "plain") this.#write(signal, emptyAction());
      else if (hearing === "once") this.#write(signal, onlyOnce(action));
      else if (isListening) this.#write(signal, action);
    }
  }

  /** The signal that came since `once` was set. */
  received(): Signal | undefined {
    if (this.#hearing !== "once") return undefined;
    return [...this.#loops].find(([signal, action]) => !isDefault(action) && isDefault(this.#read(signal)))?.[0];
  }

  #read(signal: Signal): DataView {
    const action = emptyAction();
    this.#library?.symbols.sigaction(NUMBERS[signal], null, ptr(action));
    return action;
  }

  #write(signal: Signal, action: DataView): void {
    this.#library?.symbols.sigaction(NUMBERS[signal], ptr(action), null);
  }
}

function emptyAction(): DataView {
  return new DataView(new ArrayBuffer(ACTION_BYTES));
}

function isDefault(action: DataView): boolean {
  return action.getBigUint64(0) === 0n;
}

function onlyOnce(action: DataView): DataView {
  const once = new DataView(action.buffer.slice(0));
  const { at, flag } = RESETHAND;
  once.setUint32(at, once.getUint32(at, true) | flag, true);
  return once;
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
