// Errors of a run, as the test's runner shows them: with the line of the test that asked for the run.

/** `caller` is the function that the test called; call it before anything is awaited. */
export function callSite(caller: (...given: never[]) => unknown): (error: unknown) => unknown {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, caller);
  const frames = (holder.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return (error) => {
    // what a test's own code has thrown shows where that was
    if (error instanceof Error) error.stack = [`${error.name}: ${error.message}`, ...frames].join("\n");
    return error;
  };
}
