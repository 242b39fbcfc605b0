// Finds who called a guarded function: for the message, and to tell the user's own flow from a package.

import { framesOf, OF_PACKAGE } from "../frames.ts";

export interface Caller {
  /** `<file>:<line>:<column>` in the user's own code. Undefined if the stack does not show it. */
  readonly place: string | undefined;
  /** The call itself is in a package of `node_modules`. */
  readonly isPackage: boolean;
}

/** A package may call from deep below the line in the flow. */
const FRAMES_MAX = 100;

/** `guarded`: the function that was called. The frames above it in the stack are ours. */
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
