// Paths: a relative one is read from the current folder, which is the machine's; an absolute one is its own answer.

import { isAbsolute } from "node:path";
import { GIVE_ABSOLUTE_PATH } from "./advice.ts";
import type { Judge } from "./guard.ts";

/** For what joins its arguments into one path: one of them that is absolute is enough. */
export const wantsOneAbsolute: Judge = (args) => (args.some(isAbsoluteText) ? undefined : GIVE_ABSOLUTE_PATH);

/** For what compares two paths. */
export const wantsTwoAbsolute: Judge = ([from, to]) =>
  isAbsoluteText(from) && isAbsoluteText(to) ? undefined : GIVE_ABSOLUTE_PATH;

export const wantsAbsolutePath: Judge = ([path]) => (isAbsoluteText(path) ? undefined : GIVE_ABSOLUTE_PATH);

function isAbsoluteText(path: unknown): boolean {
  return typeof path === "string" && isAbsolute(path);
}
