// Where the program's own code lies, as stacks tell it: what is not there is the user's.

/** The one file that makes a Bun one that can test flows (`src/testing/runtime.ts`). */
export const TESTING_RUNTIME = "taskonaut-testing.js";

/** `place`: a path, or one with line and column. */
export function isOfProgram(place: string): boolean {
  return place.startsWith("/$bunfs/") || place.replace(/(?::\d+)*$/, "").endsWith(`/${TESTING_RUNTIME}`);
}
