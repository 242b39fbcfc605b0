// How the program was called: so the commands that it prints can be pasted into the same shell.

import { relative } from "node:path";
import type { Env } from "./io.ts";
import { quoteWord } from "./shell-quote.ts";

export interface Start {
  /** The first word as it was typed: `dist/taskonaut`, `bun`. */
  readonly argv0: string;
  /** The script that runs; within the binary a path that no shell knows. */
  readonly main: string;
  readonly cwd: string;
  readonly env: Env;
}

/** Where the program's own files lie in the binary. */
const BUNDLE = "/$bunfs/";

/** `taskonaut`, `dist/taskonaut`, `npx taskonaut`, `bun src/main.ts`: quoted for a POSIX shell. */
export function programName({ argv0, main, cwd, env }: Start): string {
  if (!main.startsWith(BUNDLE)) return [argv0, relative(cwd, main)].map((word) => quoteWord(word) ?? NAME).join(" ");
  const isOfNpm = !argv0.includes("/") || /[/\\](?:_npx|node_modules)[/\\]/.test(argv0);
  if (env["npm_command"] === "exec" && isOfNpm) return `npx ${NAME}`;
  return quoteWord(argv0) ?? NAME;
}

const NAME = "taskonaut";
