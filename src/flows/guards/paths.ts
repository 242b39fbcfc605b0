// Paths: a relative one depends on the machine's current folder, an absolute one does not.

import { isAbsolute } from "node:path";
import { GIVE_ABSOLUTE_PATH } from "./advice.ts";
import type { Judge } from "./guard.ts";

/** For functions that join their arguments into one path: one absolute argument is enough. */
export const wantsOneAbsolute: Judge = (args) => (args.some(isAbsoluteText) ? undefined : GIVE_ABSOLUTE_PATH);

/** For functions that compare two paths. */
export const wantsTwoAbsolute: Judge = ([from, to]) =>
  isAbsoluteText(from) && isAbsoluteText(to) ? undefined : GIVE_ABSOLUTE_PATH;

export const wantsAbsolutePath: Judge = ([path]) => (isAbsoluteText(path) ? undefined : GIVE_ABSOLUTE_PATH);

function isAbsoluteText(path: unknown): boolean {
  return typeof path === "string" && isAbsolute(path);
}
