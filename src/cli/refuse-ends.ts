// The process ends when the program does. What would end it from within is an error to user code.

import { NonRetryableError } from "../core/flow/tool.ts";

export class ProcessExitError extends NonRetryableError {
  override readonly name = "ProcessExitError";
}

/** From now on, in this process. Gives the way out that is left. */
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

/** A signal to this process, or to the group that it may lead or be in. Signal 0 only asks whether there is one. */
function endsUs(id?: unknown, signal?: unknown): boolean {
  const { pid } = process;
  return signal !== 0 && [pid, -pid, 0].includes(Number(id));
}

function refuse(call: string): never {
  throw new ProcessExitError(
    `User code called ${call}. taskonaut ends by itself: a tool ends by what it returns or throws.`,
  );
}
