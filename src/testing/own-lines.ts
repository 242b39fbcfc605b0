// Errors of a run, as the test's runner shows them: with the line of the test that asked for the run.

import { TaskonautError } from "../core/errors.ts";

/** `caller` is the function that the test called; call it before anything is awaited. What it gives throws the error. */
export function callSite(caller: (...given: never[]) => unknown): (error: unknown) => never {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, caller);
  const frames = (holder.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return (error) => {
    if (error instanceof Error) error.stack = [`${error.name}: ${error.message}`, ...frames].join("\n");
    // the message says it all
    if (error instanceof TaskonautError)
      for (const key of ["details", "errors"]) Object.defineProperty(error, key, { enumerable: false });
    throw error;
  };
}
