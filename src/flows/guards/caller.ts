// Finds who called a guarded function: for the message, and to tell the user's own flow from a package.

import { outsideWatch } from "../../core/flow/determinism.ts";
import { framesOf, OF_PACKAGE } from "../frames.ts";

export interface Caller {
  /** `<file>:<line>:<column>` in the user's own code. Undefined if the stack does not show it. */
  readonly place: string | undefined;
  /** The name of the package in `node_modules` that the call itself is in. */
  readonly package: string | undefined;
}

/** A package may call from deep below the line in the flow. */
const FRAMES_MAX = 100;

/** `guarded`: the function that was called. The frames above it in the stack are ours. */
export function callerOf(guarded: object): Caller {
  const holder: { stack?: string } = {};
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = FRAMES_MAX;
  outsideWatch(() => Error.captureStackTrace(holder, guarded as () => unknown));
  Error.stackTraceLimit = stackTraceLimit;
  const frames = framesOf(holder.stack ?? "");
  const own = frames.find(({ path }) => !OF_PACKAGE.test(path));
  return {
    place: own && `${own.path}:${own.line}:${own.column}`,
    package: packageAt(frames[0]?.path ?? ""),
  };
}

/** `/x/node_modules/@date-fns/tz/date/mini.js` is of `@date-fns/tz`. */
function packageAt(path: string): string | undefined {
  return /.*[/\\]node_modules[/\\]((?:@[^/\\]+[/\\])?[^/\\]+)/.exec(path)?.[1]?.replaceAll("\\", "/");
}
