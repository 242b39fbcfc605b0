// Who called a guarded function: for the message, and to tell the user's own flow from a package that it uses.

import { framesOf, OF_PACKAGE } from "../frames.ts";

export interface Caller {
  /** `<file>:<line>:<column>` of the user's own code that led here; undefined where the stack does not show it. */
  readonly place: string | undefined;
  /** The call itself stands in a package of `node_modules`. */
  readonly isPackage: boolean;
}

/** A package may be deep below the line of the flow that called it. */
const FRAMES_MAX = 100;

/** `guarded` is the function that was called: what lies above it in the stack is ours. */
export function callerOf(guarded: object): Caller {
  const holder: { stack?: string } = {};
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = FRAMES_MAX;
  Error.captureStackTrace(holder, guarded as () => unknown);
  Error.stackTraceLimit = stackTraceLimit;
  const frames = framesOf(holder.stack ?? "");
  const own = frames.find(({ path }) => !OF_PACKAGE.test(path));
  return {
    place: own && `${own.path}:${own.line}:${own.column}`,
    isPackage: OF_PACKAGE.test(frames[0]?.path ?? ""),
  };
}
