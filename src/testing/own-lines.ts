// Errors as the test's runner shows them: with the user's lines alone. Those of this program are one file without line breaks.

import { TaskonautError } from "../core/errors.ts";
import { framesOf } from "../flows/frames.ts";

/**
 * For what is awaited, which has another stack: with the line of the test that asked for it. `caller` is the function that the
 * test called; call it before anything is awaited. What it gives throws the error.
 */
export function callSite(caller: (...given: never[]) => unknown): (error: unknown) => never {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, caller);
  return (error) => {
    throw withFrames(error, holder.stack);
  };
}

/** Gives what the function gives. */
export function showingUsersLines<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw withUsersLines(error);
  }
}

/** The error, to be thrown on. */
export function withUsersLines(error: unknown): unknown {
  return withFrames(error, error instanceof Error ? error.stack : undefined);
}

/** Where an error was made, as it knows it beside its stack. */
const POSITION = ["line", "column", "sourceURL", "originalLine", "originalColumn"];

/** The message says it all. */
const NOT_SHOWN = ["details", "errors", "owner", "faults"];

/** The same error. */
function withFrames(error: unknown, stack = ""): unknown {
  if (!(error instanceof Error)) return error;
  const frames = stack.split("\n").filter((line) => framesOf(line).length > 0);
  for (const key of POSITION) Reflect.deleteProperty(error, key);
  // the runner reads no line of a frame without a name
  const named = frames.map((frame) => frame.replace(/^(\s*at )(\/.*)$/, "$1<anonymous> ($2)"));
  error.stack = [`${error.name}: ${error.message}`, ...named].join("\n");
  if (error instanceof TaskonautError)
    for (const key of NOT_SHOWN) Object.defineProperty(error, key, { enumerable: false });
  return error;
}
