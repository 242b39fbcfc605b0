import { isOfProgram } from "../core/record/program-files.ts";

/** A place in a file, as a stack tells it. */
export interface Frame {
  readonly path: string;
  readonly line: string;
  readonly column: string;
}

export const OF_PACKAGE = /[/\\]node_modules[/\\]/;

/** Frames that lie in files, topmost first; those inside of the program itself (its binary) are left out. */
export function framesOf(stack: string): readonly Frame[] {
  return [...stack.matchAll(/(?:\(|at )(?:file:\/\/)?(\/[^()\n]*?):(\d+):(\d+)\)?/g)].flatMap(
    ([, path = "", line = "", column = ""]) => (isOfProgram(path) ? [] : [{ path, line, column }]),
  );
}
