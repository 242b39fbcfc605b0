// News from process to process: a file beside the workers' lock files, which is written to when there is some.
//
// The log of the database (`-wal`) would tell as well, but too early, for it is written to before a commit is seen by
// others: who looks then finds nothing, and hears no more. And too often: each renewal of each worker's lease is a write.

import { closeSync, type FSWatcher, lstatSync, readFileSync, watch as watchFolder, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Watch } from "../store.ts";
import { createPrivateFile, ensurePrivateFolder, openUnlinked } from "./private-files.ts";

const BELL = "bell";

/**
 * The runtime drops what happens to a file within 2 ms of its last event (measured). So each announcement writes something
 * else, and after an event the file is looked at once more.
 */
const LOOK_AGAIN_MS = 5;

/** Tells the watchers, also those of this process. `folder`: undefined for a database in memory. */
export function ringBell(folder: string | undefined): void {
  if (folder === undefined) return;
  let bell: number;
  try {
    bell = openUnlinked(join(folder, BELL));
  } catch (error) {
    // Whoever watches has made the file. A link in its place is nobody's who watches.
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ELOOP")) return;
    throw error;
  }
  try {
    writeFileSync(bell, crypto.randomUUID());
  } finally {
    closeSync(bell);
  }
}

export interface BellWatch extends Watch {
  /** To be called while somebody watches: a bell that somebody else has removed, or its folder, is made anew. Never throws. */
  readonly keep: () => void;
}

/** Calls `onNews` after announcements; those that come in one turn of the event loop are one call. */
export function watchBell(folder: string | undefined, onNews: () => void): BellWatch {
  if (folder === undefined) return { kind: "notified", keep() {}, async close() {} };
  const bell = join(folder, BELL);
  let pending: NodeJS.Immediate | undefined;
  let again: NodeJS.Timeout | undefined;
  const tell = (): void => {
    pending ??= setImmediate(() => {
      pending = undefined;
      onNews();
    });
  };
  const look = (): void => {
    const seen = readBell(bell);
    tell();
    clearTimeout(again);
    again = setTimeout(() => {
      if (readBell(bell) !== seen) look();
    }, LOOK_AGAIN_MS).unref();
  };
  /** Of the folder that is watched. */
  let inode: number | undefined;
  const begin = (): FSWatcher => {
    ensurePrivateFolder(folder);
    createPrivateFile(bell); // before it is watched: that is no news
    const begun = watchFolder(folder, { persistent: false }, (_event, name) => {
      if (name === BELL) look();
    });
    begun.on("error", tell);
    inode = inodeOf(folder);
    return begun;
  };
  let watcher: FSWatcher;
  try {
    watcher = begin();
  } catch {
    // No watches left, or a file system that has none: the watcher's own polling is the net.
    return { kind: "polling", keep() {}, async close() {} };
  }
  return {
    kind: "notified",
    keep() {
      if (inodeOf(bell) !== undefined && inodeOf(folder) === inode) return;
      try {
        inode = undefined; // until it is watched
        watcher.close(); // before: the runtime has one watch for a path, and this one is of what was removed
        watcher = begin();
        tell(); // who announced meanwhile found no bell
      } catch {
        // it is tried again
      }
    },
    async close() {
      clearImmediate(pending);
      clearTimeout(again);
      watcher.close();
    },
  };
}

/** Of what stands there itself, be it a link. */
function inodeOf(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.ino;
}

/** What was announced last; nothing where the file is not there. */
function readBell(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
