// Only the program may end the process. If user code tries to end it, it gets an error.

import { NonRetryableError } from "../core/flow/tool.ts";

export class ProcessExitError extends NonRetryableError {
  override readonly name = "ProcessExitError";
}

/** From now on, in this process. Returns the function that still ends it. */
export function refuseEnds(): (code: number) => never {
  const exit = process.exit.bind(process);
  const leave = Reflect.get(process, "reallyExit");
  for (const name of ["exit", "reallyExit"]) {
    replace(name, (code?: number | string) => refuse(`process.${name}(${code ?? ""})`));
  }
  for (const name of ["abort", "execve"]) replace(name, () => refuse(`process.${name}()`));
  for (const name of ["kill", "_kill"]) {
    const kill = Reflect.get(process, name) as (...args: unknown[]) => unknown;
    replace(name, (...args: readonly unknown[]) => {
      if (endsUs(...args)) refuse(`process.${name}(${args.map(String).join(", ")})`);
      return kill.apply(process, [...args]);
    });
  }
  return (code) => {
    Reflect.set(process, "reallyExit", leave); // `exit` calls it
    return exit(code);
  };
}

function replace(name: string, end: (...args: never[]) => unknown): void {
  Reflect.set(process, name, end);
}

/** Whether the call sends a signal to this process or to its group. Signal 0 only asks whether a process exists. */
function endsUs(id?: unknown, signal?: unknown): boolean {
  const { pid } = process;
  return signal !== 0 && [pid, -pid, 0].includes(Number(id));
}

function refuse(call: string): never {
  throw new ProcessExitError(
    `User code called ${call}. taskonaut ends by itself: a tool ends by what it returns or throws.`,
  );
}
