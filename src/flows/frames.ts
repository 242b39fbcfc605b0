import { isOfProgram } from "../core/record/program-files.ts";

/** A place in a file, from a stack trace. */
export interface Frame {
  readonly path: string;
  readonly line: string;
  readonly column: string;
}

export const OF_PACKAGE = /[/\\]node_modules[/\\]/;

/** The frames in files, topmost first, without those inside the program's own binary. */
export function framesOf(stack: string): readonly Frame[] {
  return [...stack.matchAll(/(?:\(|at )(?:file:\/\/)?(\/[^()\n]*?):(\d+):(\d+)\)?/g)].flatMap(
    ([, path = "", line = "", column = ""]) => (isOfProgram(path) ? [] : [{ path, line, column }]),
  );
}
