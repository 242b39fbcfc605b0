// Only the program may end the process. If user code tries to end it, it gets an error.

import { NonRetryableError } from "./core/flow/tool.ts";

export class ProcessExitError extends NonRetryableError {
  override readonly name = "ProcessExitError";
}

/** From now on, in this process. `shaped` gives the error that is thrown. Returns the function that still ends it. */
export function refuseEnds(shaped: (error: ProcessExitError) => unknown = (error) => error): (code: number) => never {
  const exit = process.exit.bind(process);
  const leave = Reflect.get(process, "reallyExit");
  for (const name of ["exit", "reallyExit"]) {
    const end = (code?: number | string): never => {
      const error = shaped(refusal(`process.${name}(${code ?? ""})`, end));
      return throwFromCaller().throw(error) as never;
    };
    replace(name, end);
  }
  for (const name of ["abort", "execve"]) {
    const end = (): never => {
      const error = shaped(refusal(`process.${name}()`, end));
      return throwFromCaller().throw(error) as never;
    };
    replace(name, end);
  }
  for (const name of ["kill", "_kill"]) {
    const kill = Reflect.get(process, name) as (...args: unknown[]) => unknown;
    const end = (...args: readonly unknown[]): unknown => {
      if (endsUs(...args)) {
        const error = shaped(refusal(`process.${name}(${args.map(String).join(", ")})`, end));
        return throwFromCaller().throw(error);
      }
      return kill.apply(process, [...args]);
    };
    replace(name, end);
  }
  return (code) => {
    Reflect.set(process, "reallyExit", leave); // `exit` calls it
    return exit(code);
  };
}

/**
 * What its `throw` is given is thrown. As a function's last call it leaves no frame of that function behind: whoever shows
 * where it was thrown, as the runner of tests does, shows the line that has called the function.
 */
function* throwFromCaller(): Generator<never, void, unknown> {}

function replace(name: string, end: (...args: never[]) => unknown): void {
  Reflect.set(process, name, end);
}

/** Whether the call sends a signal to this process or to its group. Signal 0 only asks whether a process exists. */
function endsUs(id?: unknown, signal?: unknown): boolean {
  const { pid } = process;
  return signal !== 0 && [pid, -pid, 0].includes(Number(id));
}

/** `end`: what was called; who looks at the error sees the user's lines, not these. */
function refusal(call: string, end: (...args: never[]) => unknown): ProcessExitError {
  const error = new ProcessExitError(
    `User code called ${call}. taskonaut ends by itself: a tool ends by what it returns or throws.`,
  );
  Error.captureStackTrace(error, end);
  return error;
}
