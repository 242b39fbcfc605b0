// The few functions of the C library that the runtime does not offer.

import type * as Ffi from "bun:ffi";
import { createRequire } from "node:module";

/** By their names where the program runs: glibc, musl. */
const LIBRARIES: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"],
  darwin: ["libSystem.B.dylib"],
};

/** The functions, by name; undefined where none can be called. */
export function openLibc<Functions extends Record<string, Ffi.FFIFunction>>(
  functions: Functions,
): Ffi.Library<Functions>["symbols"] | undefined {
  // loaded only here: most commands need none
  const { dlopen } = createRequire(import.meta.url)("bun:ffi") as typeof Ffi;
  for (const name of LIBRARIES[process.platform] ?? []) {
    try {
      return dlopen(name, functions).symbols;
    } catch {
      // it has another name, or nothing can be called this way
    }
  }
  return undefined;
}
