// What is known of the terminal behind a descriptor. The runtime's streams know it too, but take milliseconds to load: so
// the binding that they stand on is asked, and the streams only if a runtime has no such binding.

import { fstatSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import type * as Tty from "node:tty";

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** If the terminal does not say. */
const USUAL: Size = { columns: 80, rows: 24 };

/** The runtime's own binding. */
interface Binding {
  isTTY(descriptor: number): boolean;
  readonly TTY: new (descriptor: number) => {
    /** Writes columns and rows into `size`. False: it is no terminal. */
    getWindowSize(size: [number, number]): boolean;
  };
}

interface Bindings {
  binding(name: string): Partial<Binding>;
}

export function isTerminal(descriptor: number): boolean {
  return mayBeTerminal(descriptor) && (binding()?.isTTY(descriptor) ?? streams().isatty(descriptor));
}

/** As it is now: a person may change it at any time. */
export function sizeOf(descriptor: number): Size {
  const { columns, rows } = readSize(descriptor);
  return { columns: columns || USUAL.columns, rows: rows || USUAL.rows };
}

function readSize(descriptor: number): Size {
  const found = binding();
  if (!found) return new (streams().WriteStream)(descriptor);
  const size: [number, number] = [0, 0];
  new found.TTY(descriptor).getWindowSize(size);
  return { columns: size[0], rows: size[1] };
}

function binding(): Binding | undefined {
  try {
    const found = (process as unknown as Bindings).binding("tty_wrap");
    return found.isTTY && found.TTY ? (found as Binding) : undefined;
  } catch {
    return undefined;
  }
}

function streams(): typeof Tty {
  return createRequire(import.meta.url)("node:tty") as typeof Tty;
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
