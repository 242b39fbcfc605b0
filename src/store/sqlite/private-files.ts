// The database, and the files beside it, are for their owner alone, whatever the umask is: inputs and outputs of tasks
// are private. Files beside it are never reached through a link: in a folder that others can write to, their link could
// lead our writes into any file of ours.

import { chmodSync, closeSync, constants, fchmodSync, lstatSync, mkdirSync, openSync } from "node:fs";

import { TaskonautError } from "../../core/errors.ts";

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** Creates an empty file (0600). False if something with this name exists, even a broken link. */
export function createPrivateFile(path: string): boolean {
  let file: number;
  try {
    file = openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, FILE_MODE);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
  try {
    fchmodSync(file, FILE_MODE); // the umask may have removed some bits
  } finally {
    closeSync(file);
  }
  return true;
}

/** Opens an existing file for reading and writing, as a descriptor. Throws ENOENT, and ELOOP if it is a link. */
export function openUnlinked(path: string): number {
  return openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
}

/**
 * Creates a folder (0700). Throws `database_unavailable` if another user has created it, or a link is there: its owner
 * can remove files and put others in their place.
 */
export function ensurePrivateFolder(folder: string): void {
  if (mkdirSync(folder, { recursive: true, mode: FOLDER_MODE }) !== undefined) chmodSync(folder, FOLDER_MODE);
  const found = lstatSync(folder);
  const me = process.getuid?.() ?? 0;
  if (found.isDirectory() && (found.uid === me || me === 0)) return;
  const what = found.isDirectory() ? "belongs to another user" : "is not a folder";
  throw new TaskonautError(
    "database_unavailable",
    `${folder}, where the workers of the database keep their locks, ${what}. Remove it, or move the database into a folder that nobody else can write to.`,
    { details: { path: folder } },
  );
}
