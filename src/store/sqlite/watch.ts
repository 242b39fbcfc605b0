// News from process to process: a file beside the workers' lock files, which is written when there is news.
//
// The log of the database (`-wal`) would show news as well, but too early, because it is written before others can see
// the commit: a process that looks then finds nothing, and gets no more news. And too often: each renewal of each
// worker's lease is a write.

import { closeSync, type FSWatcher, lstatSync, readFileSync, watch as watchFolder, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Watch } from "../store.ts";
import { createPrivateFile, ensurePrivateFolder, openUnlinked } from "./private-files.ts";

const ANNOUNCED = "announced";

/**
 * The runtime drops changes of a file within 2 ms of its last event (measured). So each announcement writes another
 * text, and after an event the file is read once more.
 */
const LOOK_AGAIN_MS = 5;

/** Tells the watchers, including those of this process. `folder`: undefined for a database in memory. */
export function announce(folder: string | undefined): void {
  if (folder === undefined) return;
  let file: number;
  try {
    file = openUnlinked(join(folder, ANNOUNCED));
  } catch (error) {
    // Every watcher has created the file. A link in its place belongs to no watcher.
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ELOOP")) return;
    throw error;
  }
  try {
    writeFileSync(file, crypto.randomUUID());
  } finally {
    closeSync(file);
  }
}

export interface AnnouncementWatch extends Watch {
  /**
   * Call it while somebody watches: a file that somebody else has removed, or its folder, is created again. Never
   * throws.
   */
  readonly keep: () => void;
}

/** Calls `onNews` after announcements, once for all that come in one turn of the event loop. */
export function watchAnnouncements(folder: string | undefined, onNews: () => void): AnnouncementWatch {
  if (folder === undefined) return { kind: "notified", keep() {}, async close() {} };
  const path = join(folder, ANNOUNCED);
  let pending: NodeJS.Immediate | undefined;
  let again: NodeJS.Timeout | undefined;
  const tell = (): void => {
    pending ??= setImmediate(() => {
      pending = undefined;
      onNews();
    });
  };
  const look = (): void => {
    const seen = readAnnouncement(path);
    tell();
    clearTimeout(again);
    again = setTimeout(() => {
      if (readAnnouncement(path) !== seen) look();
    }, LOOK_AGAIN_MS).unref();
  };
  /** The identity of the watched folder. */
  let inode: number | undefined;
  const begin = (): FSWatcher => {
    ensurePrivateFolder(folder);
    createPrivateFile(path); // before the watch: creating it is not news
    const begun = watchFolder(folder, { persistent: false }, (_event, name) => {
      if (name === ANNOUNCED) look();
    });
    begun.on("error", tell);
    inode = inodeOf(folder);
    return begun;
  };
  let watcher: FSWatcher;
  try {
    watcher = begin();
  } catch {
    // There are no watches left, or the file system has none: the watcher's own polling still works.
    return { kind: "polling", keep() {}, async close() {} };
  }
  return {
    kind: "notified",
    keep() {
      if (inodeOf(path) !== undefined && inodeOf(folder) === inode) return;
      try {
        inode = undefined; // until it is watched
        watcher.close(); // before: the runtime has one watch for a path, and this one watches the removed file
        watcher = begin();
        tell(); // an announcement meanwhile found no file
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

/** Of the entry itself, even if it is a link. */
function inodeOf(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.ino;
}

/** The last announcement; undefined if the file does not exist. */
function readAnnouncement(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
