// Finds what is at a user's path. Links are followed.

import { lstatSync, readlinkSync, type Stats, statSync } from "node:fs";

/** What is at the path, or why it cannot be read: a text to put after the path in a message. */
export function lookAt(path: string): Stats | string {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? whyNothing(path);
  } catch (error) {
    return whyNot(error);
  }
}

/** The reason of the system, in words. */
export function whyNot(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return WHY[code] ?? `it cannot be read (${code || String(error)})`;
}

const WHY: Readonly<Record<string, string>> = {
  ENOTDIR: "there is no such file or folder",
  ELOOP: "it is a link that leads back to itself",
  ENAMETOOLONG: "its name is too long",
  EACCES: "this user may not read it",
  EPERM: "this user may not read it",
};

function whyNothing(path: string): string {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  return isLink ? `it is a link to ${readlinkSync(path)}, where there is nothing` : "there is no such file or folder";
}
